package rollout

import "time"

// ID is a UUID (RFC 9562) as bytes.
type ID [16]byte

// World is one group as the engine sees it. Policy comes from the
// configuration and is never changed here, Target and Floors only by Retarget;
// Ledger, Rollout and Census are changed in place. Slices inside are replaced
// and never written to, so a plain copy of a World is a snapshot.
type World struct {
	Group   ID
	Policy  *Schedule // the compiled policy, never nil
	Target  *Package  // nil: no channel, or a channel without package
	Floors  []*Package
	Reboots bool // packages of this application need a reboot (operating system)
	Pause   Pause

	Ledger  Ledger
	Rollout Rollout // zero ID: none, as long as there is no target
	Census  Census

	// PackageMissingNoted is set when ActivityPackageNotFound was written, so
	// that it is written once and not once per check. A target clears it.
	PackageMissingNoted bool
}

// Package is one version that can be offered.
type Package struct {
	ID          ID
	Version     Version
	Blacklisted bool // for the channel of this World
}

// Pause says who switched updates off, for the answer and the explanation.
type Pause struct {
	By     string
	Reason string
	At     time.Time
}

// Ledger is the only arbiter of the caps of one group.
type Ledger struct {
	InFlight int
	Spends   []Spend // oldest first; the last period, and older ones for a day while there is room
}

// Spend is one or more grants close together. Grants less than 1/128 of the
// period apart share an entry, so the ledger stays small whatever the cap; it
// is released when the last of them leaves the window, so merging can only
// delay a grant, by at most that 1/128, and never exceed the cap. Spends at
// least that far apart are exact.
type Spend struct {
	First time.Time
	Last  time.Time
	Count int
}

// Rollout is one group moving to one package.
type Rollout struct {
	ID        ID
	State     RolloutState
	Package   ID
	Version   Version
	Salt      string    // buckets machines, so that none is first every time
	CreatedAt time.Time // when the target changed
	StartedAt time.Time // first grant; zero: none yet
	EndedAt   time.Time // completed or superseded; zero: still running

	Wave       int       // index into the policy's waves
	WaveAt     time.Time // when this wave was opened
	GateAt     time.Time // since when the gate holds without a break; zero: it does not
	Approved   bool      // a person approved leaving this wave
	WaveCounts Counts    // attempts granted in the current wave

	Epoch    int      // evidence window; a resume starts a new one
	Evidence Counts   // attempts granted in this epoch
	Failing  []string // machines that failed in this epoch, newest last, at most 20
	SetAside int      // failures of the current wave that the gate does not look at: from before a resume
	Proven   bool     // safe mode: a machine was seen on the new version
	Leader   string   // safe mode: the machine that goes first, "" = none yet

	Halt Halt // the last halt; only in force while State is RolloutHalted
}

// Halt is why a rollout stopped by itself: the rule, its numbers, the machines.
type Halt struct {
	Rule     HaltRule
	At       time.Time
	Failed   int
	Finished int
	Share    float64  // the policy's limit that was reached, 0 for other rules
	Machines []string // failing machines, newest last, at most 20
	By       string   // for HaltByPerson
	Reason   string   // for HaltByPerson
}

// HaltRule names the rule that halted.
type HaltRule string

// The rules that halt.
const (
	HaltSafeMode     HaltRule = "safe_mode"
	HaltFailureShare HaltRule = "failure_share"
	HaltByPerson     HaltRule = "person"
)

// Census counts the group's machines as completion sees them. The store keeps
// it by differences; the engine moves a machine between the two numbers.
type Census struct {
	Behind   int // active machines below the target
	OnTarget int // active machines at the target or higher
}

// Machine is one machine in one application.
type Machine struct {
	ID       string  // as the client sends it, opaque
	Version  Version // running
	State    State
	Standing Standing
	Reason   Reason // of the last decision
	Attempt  Attempt

	FailedVersion      Version // the version Failures speaks of
	Failures           int     // failed attempts at FailedVersion
	QuarantinedVersion Version // zero: not quarantined

	Override Override
}

// Attempt is an open grant; the zero value is none.
type Attempt struct {
	Rollout       ID
	Package       ID
	Version       Version // offered
	Wave          int
	Epoch         int
	Number        int       // failed attempts of this machine at this version so far, plus 1
	GrantedAt     time.Time // never zero for an open attempt
	LeaseUntil    time.Time
	DownloadingAt time.Time
	DownloadedAt  time.Time
	InstalledAt   time.Time
}

// Open reports whether there is an attempt.
func (a *Attempt) Open() bool { return !a.GrantedAt.IsZero() }

// Override is an operator's word about one machine.
type Override struct {
	Kind    OverrideKind
	Version Version // for OverridePin: the machine never goes above it
	Until   time.Time
	By      string
	Reason  string
}

// OverrideKind is what the operator asked for.
type OverrideKind int8

// The kinds of override. A pinned machine is offered nothing above its pin.
const (
	OverrideNone OverrideKind = 0
	OverrideHold OverrideKind = 1
	OverridePin  OverrideKind = 2
)

// Check is one update check.
type Check struct {
	OnDemand bool // installsource "ondemandupdate"
}

// Event is one Omaha event, its error code already reduced.
type Event struct {
	Type            int
	Result          int
	Code            int // low 28 bits
	PreviousVersion string
	HasPrevious     bool // the attribute was sent
}

// Decision is the answer to one update check. It is a plain value; Detail
// composes its words only when somebody wants to read them.
type Decision struct {
	Reason Reason
	Offer  *Package  // for ReasonGranted: the next step, which may be a floor
	Again  bool      // for ReasonGranted: the offer of before, not counted twice
	Until  time.Time // when the answer can change by itself; zero: not known

	// The inputs of the rule that settled it; the others are zero.
	InFlight, Cap  int     // concurrency_limit, period_limit (grants in the period)
	Bucket, Share  float64 // wave_not_reached: where the machine is, how far the wave reaches
	Wave           int
	By, Because    string // paused, held, pinned, blacklisted, frozen
	Waiting        string // safe_mode_first: the machine waited for
	Failed, Finish int    // halted: failed of finished attempts
	Rule           HaltRule
}
