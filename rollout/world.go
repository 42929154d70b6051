package rollout

import (
	"slices"
	"time"
)

// ID is a UUID (RFC 9562) as bytes.
type ID [16]byte

// World is the state of one group. Policy comes from the
// configuration and never changes here; only Retarget changes Aim;
// Ledger, Rollout and Census change in place. Slices are replaced and never
// written to, so a plain copy of a World is a snapshot.
type World struct {
	Group   ID
	Policy  *Schedule // the compiled policy, never nil
	Aim               // Rollout is to it
	Reboots bool      // packages of this application need a reboot (operating system)
	Pause   Pause

	Ledger  Ledger
	Rollout Rollout // zero ID: no rollout, because there is no target
	Census  Census

	Outages  []Outage // recent ones, oldest first
	Unserved bool     // an outage is not recorded yet: no lease expires

	// PackageMissingNoted is set once ActivityPackageNotFound was written, so that
	// it is not repeated for every check. A target clears it.
	PackageMissingNoted bool
}

// Package is one version that can be offered.
type Package struct {
	ID          ID
	Version     Version
	Blacklisted bool // for the channel of this World
}

// Pause says who paused updates and why.
type Pause struct {
	By     string
	Reason string
	At     time.Time
}

// Ledger counts the grants of one group. Only it decides whether a cap is reached.
type Ledger struct {
	InFlight      int
	RebootOverdue int     // open attempts that gave their slot back
	Spends        []Spend // oldest first; the last period, and older ones for a day while there is room
}

// Spend is one or more grants close together. Grants less than 1/128 of the period
// apart share an entry, so that the ledger stays small for any cap. The entry
// counts until its last grant leaves the period: merging can delay a grant by at
// most 1/128 of the period and never exceeds the cap.
type Spend struct {
	First time.Time
	Last  time.Time
	Count int
}

// Rollout is the update of one group to one package.
type Rollout struct {
	ID        ID
	State     RolloutState
	Package   ID
	Version   Version
	Recalled  []Version // see Aim
	Salt      string    // for Bucket, so that another machine is first in every rollout
	CreatedAt time.Time // when the target changed
	StartedAt time.Time // first grant; zero: none yet
	EndedAt   time.Time // completed or superseded; zero: still running

	Wave       int       // index into the policy's waves
	WaveAt     time.Time // when this wave was opened
	GateAt     time.Time // since when the gate holds without interruption; zero: it does not hold
	Approved   bool      // a person approved leaving this wave
	WaveCounts Counts    // attempts granted in the current wave

	Epoch    int      // number of resumes; only attempts of the current epoch can halt
	Evidence Counts   // attempts granted in this epoch
	Failing  []string // machines that failed in this epoch, newest last, at most 20
	SetAside int      // failures of the current wave from before a resume, ignored by the gate
	Proofs   int      // machines that succeeded in this rollout and have not fallen back, in any epoch
	Leader   string   // safe mode: the machine that goes first, "" = none yet
	Roster   Roster   // the machines of the current wave

	FailureKinds []FailureKind // of Evidence.Failed, in the order in which they occurred, at most 50

	Newcomers Newcomers

	ProgressAt time.Time // see moved
	Stall      Stall

	Halt Halt // the last halt; only in force while State is RolloutHalted
}

// Proven reports whether safe mode may let other machines follow: a known machine
// was seen on the new version and has not fallen back since.
func (r *Rollout) Proven() bool { return r.Proofs > 0 }

// Halt says why a rollout was halted: the rule, its numbers and the machines.
type Halt struct {
	Rule     HaltRule
	At       time.Time
	Failed   int
	Finished int
	Share    float64  // HaltFailureShare of the policy, 0 for other rules
	Machines []string // failing machines, newest last, at most 20
	Outcome  Outcome  `json:",omitempty"` // of the last of Machines; for HaltFailureShare the most common one
	Code     int      `json:",omitempty"` // of Outcome
	Alike    int      `json:",omitempty"` // failed machines with Outcome and Code, for HaltFailureShare
	By       string   // for HaltByPerson
	Reason   string   // for HaltByPerson
	CameBack int      `json:"-"` // of Machines, see Since
}

// Since returns the halt with the number of its machines that came back since
// then, given the machines that fail now.
func (h Halt) Since(failing []string) Halt {
	if len(failing) == maxFailing {
		return h // the list may not contain all
	}
	for _, id := range h.Machines {
		if !slices.Contains(failing, id) {
			h.CameBack++
		}
	}
	return h
}

// HaltRule names the rule that halted the rollout.
type HaltRule string

// The rules that halt.
const (
	HaltSafeMode     HaltRule = "safe_mode"
	HaltFailureShare HaltRule = "failure_share"
	HaltCanary       HaltRule = "canary"
	HaltByPerson     HaltRule = "person"
)

// Census counts the active machines of the group, to detect completion. The engine
// moves machines between the counts; the store keeps them.
type Census struct {
	Behind     int // active machines below the target, or on a recalled version
	OnTarget   int // active machines at the target or higher, unless recalled
	OtherBuild int // active machines at another build of the target
}

// Machine is one machine in one application.
type Machine struct {
	ID       string  // as sent by the machine, opaque
	Version  Version // running
	State    State
	Standing Standing
	Reason   Reason // of the last decision
	Attempt  Attempt
	Last     Result // of the last attempt that succeeded or failed; zero: none

	FirstSeenAt time.Time
	LastSeenAt  time.Time
	Enrolled    bool // a person enrolled it: its results count, however new it is

	// SelectedWave is the first wave of the policy whose expression is true for the machine,
	// counted from 1; 0: none.
	SelectedWave int

	FailedVersion      Version // the version that Failures counts
	Failures           int     // failed attempts at FailedVersion
	QuarantinedVersion Version // zero: not quarantined

	// Deferred is the rollout whose grant the machine put off (3/9) and has not begun.
	// Granting it again spends nothing, and neither that nor putting it off again
	// makes a line in the history.
	Deferred ID

	// WithdrawnAt is the time of the grant that the machine lost before it began; zero:
	// none. Its next grant takes the place of that one in the ledger.
	WithdrawnAt time.Time

	InterruptedVersion Version // the version that Interruptions counts
	Interruptions      int     // interrupted attempts in a row at InterruptedVersion

	Override Override
}

// Attempt is an open grant; the zero value is none.
type Attempt struct {
	Rollout       ID
	Package       ID
	Version       Version // offered
	Leaves        Version // recalled, which an ordered downgrade replaces; zero: the offer is no downgrade
	Wave          int     // NewcomerWave: it counts apart
	Epoch         int
	Number        int       // failed attempts of this machine at this version so far, plus 1
	GrantedAt     time.Time // never zero for an open attempt
	LeaseUntil    time.Time
	Extended      time.Duration // by outages, since the last report
	Session       string        // of the request that was granted, see Check
	RebootOverdue bool          // installed for longer than the policy's RebootTimeout: its slot was given back
	DownloadingAt time.Time
	DownloadedAt  time.Time
	InstalledAt   time.Time
}

// Open reports whether there is an attempt.
func (a *Attempt) Open() bool { return !a.GrantedAt.IsZero() }

// Result is how an attempt ended that counts as a success or a failure. It is not
// final: a machine that runs an older version again was rolled back, and one that
// runs the new version after all came back. Each change replaces the result in
// the counts of its rollout and wave.
type Result struct {
	Rollout ID      // zero: it counts for no rollout any more, because the machine left the group
	Version Version // offered
	From    Version // before the attempt
	Wave    int
	Epoch   int
	Stage   State // the last one that was reported: granted, downloading, downloaded or installed
	Outcome Outcome
	Code    int
	Proof   bool // the machine succeeded in this rollout and has not fallen back; counted in Proofs
}

// Override is an operator's decision about one machine.
type Override struct {
	Kind    OverrideKind
	Version Version // for OverridePin: the machine never goes above it
	Until   time.Time
	By      string
	Reason  string
}

// OverrideKind is what the operator decided.
type OverrideKind int8

// The kinds of override. A pinned machine is offered nothing above its pin.
const (
	OverrideNone OverrideKind = 0
	OverrideHold OverrideKind = 1
	OverridePin  OverrideKind = 2
)

// Check is one update check.
type Check struct {
	OnDemand bool   // installsource "ondemandupdate"
	Prefix   string // the machine accepts only versions with this prefix, see Version.HasPrefix; "" = any
	Disabled bool   // the machine ignores every offer
	Session  string // changes when the machine or its program restarts (bootid, or else sessionid); "" = not known
}

// Event is one Omaha event, with the error code reduced by ReduceCode.
type Event struct {
	Type            int
	Result          int
	Code            int // low 28 bits
	PreviousVersion string
	HasPrevious     bool // the attribute was sent
}

// Decision is the answer to one update check. It is a plain value without text, so
// that deciding does not allocate; Detail returns the text.
type Decision struct {
	Reason Reason
	Offer  *Package  // for ReasonGranted: the next step, which may be a floor
	Again  bool      // for ReasonGranted: repeats an open grant, which is not counted again
	Until  time.Time // when the answer can change by itself; zero: not known

	// The inputs of the rule that decided; the others are zero.
	InFlight, Cap  int       // concurrency_limit, period_limit (grants in the period)
	Bucket, Share  float64   // wave_not_reached: bucket of the machine, share of the wave; halted: Share is the limit
	Wave, Waves    int       // the open wave, counted from 0, and how many there are
	Own            int       // wave_not_reached: the wave of the machine, -1: none
	Approval       bool      // soaking: the next wave needs an approval
	By, Because    string    // paused, held, pinned, blacklisted, frozen
	Since          time.Time // update_in_progress: when the machine installed the update, zero if not yet
	Machine        string    // safe_mode_first: the one that goes first; halted: the one whose failure halted
	Prefix         string    // outside_client_prefix: what the machine sent
	Next           *Package  // outside_client_prefix: the next step; blacklisted: the package
	Build          *Package  // up_to_date: the target, if the machine runs another build of it
	Above          *Package  // up_to_date: the target, if the machine runs a higher version
	Leaves         Version   // granted: see Attempt
	Failed, Finish int       // halted, newcomer_waits: failed of finished attempts
	Rule           HaltRule
	Ended          Outcome // halted: see Halt.Outcome
	Code           int     // of Ended
	Alike          int     // halted: see Halt.Alike
}
