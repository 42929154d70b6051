// Package job knows the actions of machine jobs: which inputs they take, and what
// each does to one machine. The preview of a job and its batches use the same
// functions, so that a preview says what the job does. It reads and writes nothing.
package job

import (
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Action is what a job does to each of its machines.
type Action string

// The actions, each with the verb that does the same to one machine.
const (
	Hold    Action = "HOLD"                 // HoldInstance
	Pin     Action = "PIN"                  // PinInstance
	Release Action = "RELEASE"              // ReleaseInstance, of held and pinned machines
	Free    Action = "FREE_FROM_QUARANTINE" // ReleaseInstance, of quarantined machines
	Move    Action = "MOVE"                 // MoveInstance
	Forget  Action = "FORGET"               // ForgetInstance
	Enroll  Action = "ENROLL"               // EnrollInstances
	Label   Action = "LABEL"                // LabelInstance
)

// State is the state of a job.
type State string

// The states of a job.
const (
	Running  State = "RUNNING"
	Stopped  State = "STOPPED"  // a person stopped it before its last machine
	Finished State = "FINISHED" // no machine is pending
)

// Result is what became of one machine of a job. The numbers are stored, and are the
// order in which a page lists the machines.
type Result int8

// The results of a machine.
const (
	Failed      Result = 0
	AfterUpdate Result = 1 // done, and takes effect once the update in flight has ended
	Skipped     Result = 2 // nothing to do
	Done        Result = 3
	Pending     Result = 4
)

// Order is an action with its values.
type Order struct {
	Action  Action
	Until   *time.Time // of Hold and Pin; nil: until released
	Version string     // of Pin: the highest version to offer
	GroupID *uuid.UUID // of Move; nil: the group of the track that the machine sends
	Replace bool       // of Hold and Pin: also machines that are held or pinned already
	Labels  *Labels    `json:",omitempty"` // of Label
	Within  *uuid.UUID // machines of other groups are skipped; nil: no limit
}

// OrderOf returns the order of a stored job.
func OrderOf(row *db.MachineJob) Order {
	return Order{Action: Action(row.Action), Until: row.Until, Version: row.Version, GroupID: row.GroupID, Replace: row.Replace, Labels: LabelsOf(row.Labels), Within: row.WithinGroupID}
}

// PendingOf returns how many machines of a job have no result yet.
func PendingOf(row *db.MachineJob) int {
	return row.Machines - row.Done - row.AfterUpdate - row.Skipped - row.Failed
}

// Check returns the problem of an order that does not depend on a machine. It writes
// values in their stored form.
func (o *Order) Check(c *catalog.Catalog, now time.Time) error {
	if o.Labels != nil {
		var p input.Problems
		if o.Labels.Check(&p, "action.labels"); p.Err() != nil {
			return p.Err()
		}
	}
	overrides := o.Action == Hold || o.Action == Pin
	switch {
	case o.Until != nil && !overrides:
		return fault.Errorf(fault.Invalid, "action.until", "only a hold or pin has an end")
	case o.Until != nil && !o.Until.After(now):
		return fault.Errorf(fault.Invalid, "action.until", "must be in the future")
	case o.Replace && !overrides:
		return fault.Errorf(fault.Invalid, "action.replace", "only a hold or pin can replace one")
	case (o.Version != "") != (o.Action == Pin):
		return fault.Errorf(fault.Invalid, "action.version", "a pin needs a version, other actions have none")
	case o.GroupID != nil && o.Action != Move:
		return fault.Errorf(fault.Invalid, "action.groupId", "only machines that move have a group to move to")
	case o.GroupID != nil && c.Group(*o.GroupID) == nil:
		return fault.Errorf(fault.NotFound, "action.groupId", "there is no such group")
	case (o.Labels != nil) != (o.Action == Label):
		return fault.Errorf(fault.Invalid, "action.labels", "LABEL needs attributes or tags to set or remove, other actions have none")
	}
	if _, ok := rollout.ParseVersion(o.Version); !ok && o.Version != "" {
		return fault.Errorf(fault.Invalid, "action.version", "%q is not a version", o.Version)
	}
	return nil
}

// Machine are the values of a machine on which the effect of an action depends.
type Machine struct {
	Group       uuid.UUID // zero: none
	Arch        string
	Updating    bool // it has started its update
	Quarantined bool
	Override    rollout.Override // none when it has expired
	Pin         string           // version of a pin, as text
	Enrolled    bool
	Moved       bool
	MoveTo      uuid.UUID          // zero: nowhere
	Labels      []*db.MachineLabel // loaded for Label only
}

// RowOf returns the values of a row.
func RowOf(row *db.Instance, now time.Time) Machine {
	m := Machine{
		Arch: row.Arch, Updating: row.State.InFlight() && row.State != rollout.StateGranted,
		Quarantined: row.QuarantinedVersion != "" || row.Standing == rollout.StandingQuarantined,
		Enrolled:    row.Enrolled, Moved: row.Moved,
	}
	if row.GroupID != nil {
		m.Group = *row.GroupID
	}
	if row.MoveTo != nil {
		m.MoveTo = *row.MoveTo
	}
	if row.Override != rollout.OverrideNone && (row.OverrideUntil == nil || row.OverrideUntil.After(now)) {
		m.Override = rollout.Override{Kind: row.Override, By: row.OverrideBy}
		m.Pin = row.OverrideVersion
		if row.OverrideUntil != nil {
			m.Override.Until = *row.OverrideUntil
		}
	}
	return m
}

// MachineOf returns the values of a machine that is locked.
func MachineOf(row *store.Machine, now time.Time) Machine {
	m := Machine{
		Group: row.GroupID, Arch: row.Arch, Updating: row.State.InFlight() && row.State != rollout.StateGranted,
		Quarantined: !row.QuarantinedVersion.IsZero() || row.Standing == rollout.StandingQuarantined,
		Enrolled:    row.Enrolled, Moved: row.Moved, MoveTo: row.MoveTo,
	}
	if o := row.Override; o.Kind != rollout.OverrideNone && (o.Until.IsZero() || o.Until.After(now)) {
		m.Override, m.Pin = o, o.Version.String()
	}
	return m
}
