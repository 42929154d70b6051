package rollout

// State is the progress of a machine in its current attempt. The numbers are
// those of CoreRoller 1.0 and part of the REST API.
type State int8

// The states of a machine; docs/states.md has the transitions.
const (
	StateNone        State = 0 // no attempt yet, or its grant was released (null in REST)
	StateUndefined   State = 1 // only in imported data
	StateGranted     State = 2 // offered, not started
	StateError       State = 3 // the last attempt failed
	StateComplete    State = 4 // runs the version it was offered
	StateInstalled   State = 5 // waits for its reboot
	StateDownloaded  State = 6
	StateDownloading State = 7
	StateOnHold      State = 8 // needs an update that is held
)

// InFlight reports whether the state counts against the concurrency cap.
func (s State) InFlight() bool {
	return s == StateGranted || s == StateDownloading || s == StateDownloaded || s == StateInstalled
}

// Standing says how a machine takes part in gates, counts and completion.
type Standing int8

// The standings. Only active machines keep a rollout from completing.
const (
	StandingActive      Standing = 0 // seen within the last 24 hours
	StandingSilent      Standing = 1 // not seen for 24 hours
	StandingOverridden  Standing = 2 // held or pinned by a person
	StandingQuarantined Standing = 3 // until an operator or a newer version releases it
)

// RolloutState is the state of one group moving to one package.
type RolloutState int8

// The states of a rollout.
const (
	RolloutActive     RolloutState = 0
	RolloutPaused     RolloutState = 1 // by a person
	RolloutHalted     RolloutState = 2 // by a rule, or by a person
	RolloutCompleted  RolloutState = 3 // machines that join later are still updated
	RolloutSuperseded RolloutState = 4 // the group has a newer target
)

// Stopped reports whether nothing is granted. A grant that the machine has not begun is
// void then: the next check withdraws it.
func (s RolloutState) Stopped() bool { return s == RolloutPaused || s == RolloutHalted }

// Outcome is how an attempt ended.
type Outcome int8

// The outcomes. Interrupted, deferred and withdrawn are neither success nor
// failure.
const (
	OutcomeSucceeded   Outcome = 1  // runs the offered version or a higher one
	OutcomeFailed      Outcome = 2  // reported an error code
	OutcomeRolledBack  Outcome = 3  // runs the old version again
	OutcomeTimeout     Outcome = 4  // the lease expired without a report
	OutcomeInterrupted Outcome = 5  // the update daemon restarted and is idle
	OutcomeDeferred    Outcome = 6  // the machine deferred the update
	OutcomeWithdrawn   Outcome = 7  // withdrawn before the machine started
	OutcomeNotRunning  Outcome = 8  // reported success, but still runs the old version
	OutcomeCameBack    Outcome = 9  // failed, but runs the offered version or a higher one after all
	OutcomeLost        Outcome = 10 // installed, then silent
	OutcomeLooping     Outcome = 11 // interrupted too often in a row
)

// Success reports whether the outcome is evidence for the version.
func (o Outcome) Success() bool { return o == OutcomeSucceeded || o == OutcomeCameBack }

// Failure reports whether the outcome is evidence against the version.
func (o Outcome) Failure() bool {
	switch o {
	case OutcomeFailed, OutcomeRolledBack, OutcomeTimeout, OutcomeNotRunning, OutcomeLost, OutcomeLooping:
		return true
	default:
		return false
	}
}
