package rollout

// Effects is what must be stored besides the changed values.
type Effects struct {
	Activities []Activity
	History    []Entry
	Ended      []Ended
	Progress   []Progress
}

// Activity is one line for operators.
type Activity struct {
	Kind     ActivityKind
	Severity Severity
	Version  string
	Machine  string // "" when it concerns the whole group
	Code     int    // for ActivityMachineFailed
	Detail   string
}

// Entry is one line of the history of a machine.
type Entry struct {
	Machine string
	State   State
	Version string // the offered version, or the running one without an attempt
	Code    int
	Reason  Reason // for StateOnHold
	Detail  string
}

// Ended is an attempt that ended, or one whose result changed.
type Ended struct {
	Machine string
	Attempt Attempt // zero if Again
	Outcome Outcome
	Code    int
	From    Version // version before the attempt
	Again   bool    // the last attempt of the machine got another outcome
	// Replaces is the earlier result of the machine in the same rollout, which
	// does not count any more. Its Outcome is zero if there is none.
	Replaces Result
}

// Rollout returns the rollout in which the result counts, zero for none.
func (e *Ended) Rollout() ID {
	if e.Again {
		return e.Replaces.Rollout
	}
	return e.Attempt.Rollout
}

// Progress is what to add to the counters of an attempt's rollout and wave. Both
// may be older than the current ones.
type Progress struct {
	Rollout ID
	Wave    int
	Counts  Counts
}

// ActivityKind is the kind of an activity; 1 to 6 are those of CoreRoller 1.0.
type ActivityKind int8

// The kinds of activity.
const (
	ActivityPackageNotFound    ActivityKind = 1
	ActivityRolloutStarted     ActivityKind = 2
	ActivityRolloutFinished    ActivityKind = 3
	ActivityRolloutHalted      ActivityKind = 4
	ActivityMachineFailed      ActivityKind = 5
	ActivityChannelMoved       ActivityKind = 6
	ActivityPaused             ActivityKind = 7
	ActivityResumed            ActivityKind = 8
	ActivityWaveAdvanced       ActivityKind = 9
	ActivityMachineQuarantined ActivityKind = 10
	ActivityPackageBlacklisted ActivityKind = 11
	ActivityPolicyChanged      ActivityKind = 12
	ActivityMirrorFailed       ActivityKind = 13
	ActivityMachineCameBack    ActivityKind = 14
	ActivityRolloutStalled     ActivityKind = 15
	ActivityTimesRepaired      ActivityKind = 16
	ActivitySameVersion        ActivityKind = 17
	ActivityRolledBack         ActivityKind = 18 // a channel, by a person
	ActivityMachinesHeld       ActivityKind = 19 // this, the next three and ActivityMachinesLabeled: one machine, or those of a job in a group
	ActivityMachinesPinned     ActivityKind = 20
	ActivityMachinesReleased   ActivityKind = 21
	ActivityMachinesMoved      ActivityKind = 22
	ActivityMirrorWorks        ActivityKind = 23 // again, after ActivityMirrorFailed
	ActivityMirrorFound        ActivityKind = 24 // a version that waits for a person
	ActivityMirrorWithdrawn    ActivityKind = 25 // a version that the upstream took back, or that is not followed
	ActivityRebootSlotOverdue  ActivityKind = 26
	ActivityRebootSlotReleased ActivityKind = 27 // by a person or the policy
	ActivityMachinesLabeled    ActivityKind = 28 // attributes and tags, by a person
)

// Severity is the importance of an activity.
type Severity int8

// The severities.
const (
	SeveritySuccess Severity = 1
	SeverityInfo    Severity = 2
	SeverityWarning Severity = 3
	SeverityError   Severity = 4
)

func (fx *Effects) activity(k ActivityKind, s Severity, v Version, machine, detail string) {
	fx.Activities = append(fx.Activities, Activity{Kind: k, Severity: s, Version: v.String(), Machine: machine, Detail: detail})
}

// entry adds the machine's state to its history.
func (fx *Effects) entry(m *Machine, v Version, code int, detail string) {
	fx.History = append(fx.History, Entry{Machine: m.ID, State: m.State, Version: v.String(), Code: code, Detail: detail})
}
