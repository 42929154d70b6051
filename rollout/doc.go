// Package rollout decides. It answers one question (may this machine update
// now, and if not, why not and until when), applies what machines report, and
// moves a rollout through its waves, halts and end.
//
// It is a pure function of its arguments: it knows no context, clock, log,
// database, randomness or map order. The caller reads rows under a lock,
// hands them over as values, lets the engine change those values in place and
// writes the differences. The same inputs always give the same outputs, so a
// decision can be explained, replayed and simulated.
//
// One World is one group as it stands under its ledger lock: policy, target,
// ledger and current rollout. One Machine is one machine in one application.
// A Schedule is a policy made ready by Compile. The verbs of a request, in the
// order in which it is applied:
//
//	Observe   the machine was seen running a version; this is what success is
//	Report    one event it sent
//	Ping      it is alive
//	Check     the update check: decide and apply (withdraw, hold, grant)
//
// Those of time, of operators and of whoever keeps the machines:
//
//	Expire    end an attempt whose lease ran out
//	Silence   the machine was not seen for a day
//	Advance   open waves, notice completion; NextChange says when at the latest
//	Retarget  the group points to another package
//	PauseUpdates, ResumeUpdates, HaltRollout, NextWave, ApproveWave, Hold, Release
//	Join, Abandon, Leave
//
// And those that change nothing:
//
//	Decide    what Check would answer
//	Explain   the whole ladder of rules for one machine
//
// The states and what moves them are in docs/states.md, what the engine
// promises and which test shows it in docs/promises.md.
//
// Everything that must be remembered besides the changed values is appended
// to an Effects.
package rollout
