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
// The verbs are
//
//	Decide    what would be answered, without effects
//	Check     decide and apply (withdraw, hold, grant, complete)
//	Report    apply one event a machine sent
//	Expire    end an attempt whose lease ran out
//	Advance   move waves, notice completion
//	Explain   the whole ladder of rules for one machine
//	Simulate  the same engine over an assumed fleet
//
// Everything that must be remembered besides the changed values is appended
// to an Effects.
package rollout
