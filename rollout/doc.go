// Package rollout decides. It answers one question (may this machine update
// now, and if not, why not and until when), applies what machines report, and
// moves a rollout through its waves, halts and end.
//
// It is a pure function of its arguments: it uses no context, clock, log,
// database, randomness or map order. The caller reads rows under a lock,
// passes them as values, lets the engine change those values in place and
// writes the differences. The same inputs always give the same outputs, so a
// decision can be explained, replayed and simulated.
//
// World is the state of one group, read under its ledger lock: policy, target,
// ledger and current rollout. Machine is one machine in one application. A
// Schedule is a policy compiled by policy.Compile. The steps of a request, in order:
//
//	Observe   record the running version; the offered one is a success
//	Report    apply one event that it sent
//	Ping      record that the machine is alive
//	Check     answer the update check and apply the answer (withdraw, hold, grant)
//
// Steps caused by time, by operators and by changes of the group:
//
//	Expire    end an attempt whose lease expired
//	Silence   record that a machine was not seen for 24 hours
//	Advance   open waves, complete the rollout; NextChange returns when to call it
//	Retarget  move the group to another package
//	PauseUpdates, ResumeUpdates, HaltRollout, NextWave, ApproveWave, Hold, Release
//	Join, Abandon, Leave
//
// Functions that change nothing:
//
//	Decide    what Check would answer
//	Explain   every rule for one machine
//
// docs/states.md describes the states and transitions, docs/promises.md the
// guarantees and the tests that prove them.
//
// Everything to be stored besides the changed values is appended to an Effects.
package rollout
