// Package policy has the policy of a group: one table of its fields, from which checks,
// differences, texts and the compiled form derive.
package policy

import (
	"encoding/json"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

// Policy says how a group updates. The zero value is invalid; start from
// Default. It is stored as JSON with these keys, after Compile checked it. To
// add a field, add it here and to the table of fields; then the tests fail with the
// other places to change.
type Policy struct {
	UpdatesEnabled       bool              `json:"updatesEnabled"`
	SafeMode             bool              `json:"safeMode"`
	MaxUpdatesPerPeriod  int               `json:"maxUpdatesPerPeriod"`    // grants in any window of PeriodInterval, > 0
	PeriodInterval       time.Duration     `json:"periodInterval"`         // > 0
	MaxConcurrentUpdates int               `json:"maxConcurrentUpdates"`   // grants in flight, > 0
	UpdateTimeout        time.Duration     `json:"updateTimeout"`          // lease of a grant, restarted by every event, > 0
	RebootTimeout        time.Duration     `json:"rebootTimeout"`          // how long an installed machine keeps its slot, > 0
	LostAfter            time.Duration     `json:"lostAfter,omitempty"`    // silence of an installed machine; 0 = 3 polls, at least UpdateTimeout
	EvidenceAge          time.Duration     `json:"evidenceAge"`            // how long before a rollout a machine must have been seen to count; 0 = all count
	EnrolledOnly         bool              `json:"enrolledOnly,omitempty"` // machines that are not enrolled get no updates
	Timezone             string            `json:"timezone"`               // IANA name, "" = UTC
	OfficeHours          bool              `json:"officeHours"`            // one more window: Monday to Friday 09:00 to 17:00
	Windows              []calendar.Window `json:"windows,omitempty"`      // none = always
	Freezes              []calendar.Freeze `json:"freezes,omitempty"`
	Waves                []Wave            `json:"waves,omitempty"`            // none = all machines at once
	HaltFailureShare     float64           `json:"haltFailureShare,omitempty"` // in (0, 1]; 0 = rule off
	HaltMinAttempts      int               `json:"haltMinAttempts,omitempty"`  // finished attempts before HaltFailureShare applies
	MaxAttempts          int               `json:"maxAttempts"`                // failures of one machine at one version before quarantine, > 0
	OnDemand             OnDemand          `json:"onDemand,omitempty"`
	PollInterval         time.Duration     `json:"pollInterval,omitempty"` // sent to machines, whole seconds, 0 = not sent

	RebootSlots        int               `json:"rebootSlots,omitempty"`        // machines that may reboot at once through FleetLock; 0 = none may
	RebootWindows      []calendar.Window `json:"rebootWindows,omitempty"`      // none = those of updates; freezes apply too
	RebootOverdueAfter time.Duration     `json:"rebootOverdueAfter"`           // how long a machine may keep its slot, > 0
	RebootReleaseAfter time.Duration     `json:"rebootReleaseAfter,omitempty"` // an overdue slot is released after it; 0 = by a person
	RebootOverdueLimit int               `json:"rebootOverdueLimit"`           // overdue machines at which no further slot is granted, > 0
}

// OnDemand says which rules may be skipped by a check that a person requested at the
// machine (installsource "ondemandupdate"). A pause, a halt and the rules before
// them are never skipped.
type OnDemand string

// The choices of OnDemand; the zero value is OnDemandSameRules.
const (
	OnDemandSameRules             OnDemand = ""
	OnDemandSkipsPacing           OnDemand = "skips_pacing"             // waves, safe mode, caps
	OnDemandSkipsPacingAndWindows OnDemand = "skips_pacing_and_windows" // and windows, freezes
)

// Wave is one step of a rollout. It contains the machines of earlier waves, those
// named in Canaries, those for which Expression is true, and those whose Bucket is below
// Share. Package selector evaluates the expression; here it is only a text.
type Wave struct {
	Share           float64       `json:"share"`                // 0 to 1, not below that of the previous wave
	Canaries        []string      `json:"canaries,omitempty"`   // machine ids
	Expression      string        `json:"expression,omitempty"` // see below, "" for none
	Soak            time.Duration `json:"soak,omitempty"`       // how long the gate must hold before the next wave opens
	MinFinished     int           `json:"minFinished,omitempty"`
	MinSuccessShare float64       `json:"minSuccessShare,omitempty"` // 0 to 1 of the attempts finished in this wave
	Approval        bool          `json:"approval,omitempty"`        // the next wave also requires an approval
}

// Default returns the policy of a new group.
func Default() Policy {
	var p Policy
	for _, f := range fields {
		f.reset(&p)
	}
	return p
}

// UnmarshalJSON reads a stored policy. One that was stored before EvidenceAge or
// the fields of reboots existed has their defaults.
func (p *Policy) UnmarshalJSON(text []byte) error {
	type stored Policy
	d := Default()
	s := stored{EvidenceAge: d.EvidenceAge, RebootOverdueAfter: d.RebootOverdueAfter, RebootOverdueLimit: d.RebootOverdueLimit}
	err := json.Unmarshal(text, &s)
	*p = Policy(s)
	return err
}
