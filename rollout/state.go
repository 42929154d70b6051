package rollout

// State is where a machine stands in its current attempt. The numbers are
// those of CoreRoller 1.0 and travel over REST.
type State int8

// The states of a machine; see docs/states.md for the arrows between them.
const (
	StateNone        State = 0 // nothing under way: never took part, or its grant was released (null in REST)
	StateUndefined   State = 1 // kept for imported data only
	StateGranted     State = 2 // offered, nothing started yet
	StateError       State = 3 // the last attempt failed
	StateComplete    State = 4 // seen on the version it was offered
	StateInstalled   State = 5 // installed, waits for its reboot
	StateDownloaded  State = 6
	StateDownloading State = 7
	StateOnHold      State = 8 // wants to update and may not now
)

// InFlight reports whether the state holds a slot of the concurrency cap.
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
	StandingQuarantined Standing = 3 // freed by a person or the next version
)

// RolloutState is the state of one group moving to one package.
type RolloutState int8

// The states of a rollout.
const (
	RolloutActive     RolloutState = 0
	RolloutPaused     RolloutState = 1 // by a person
	RolloutHalted     RolloutState = 2 // by a rule, or by a person in an emergency
	RolloutCompleted  RolloutState = 3 // late joiners are still served
	RolloutSuperseded RolloutState = 4 // the group has another target now
)

// Outcome is how an attempt ended.
type Outcome int8

// The outcomes. Only OutcomeSucceeded is a success; failed, rolled back and
// timed out count as failures; the others free the slot and count as neither.
const (
	OutcomeSucceeded   Outcome = 1 // seen on the offered version or higher
	OutcomeFailed      Outcome = 2 // reported an error, Code says which
	OutcomeRolledBack  Outcome = 3 // booted back into the old version (code 44)
	OutcomeTimeout     Outcome = 4 // silent past its lease
	OutcomeInterrupted Outcome = 5 // the daemon restarted and is idle again
	OutcomeDeferred    Outcome = 6 // the machine put the update off
	OutcomeWithdrawn   Outcome = 7 // taken back before anything was started
)

// Failure reports whether the outcome is evidence against the version.
func (o Outcome) Failure() bool {
	return o == OutcomeFailed || o == OutcomeRolledBack || o == OutcomeTimeout
}
