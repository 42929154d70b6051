package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// maxEnrolled machines are enrolled by one call.
const maxEnrolled = 1000

// EnrollInstances is the input of Service.EnrollInstances.
type EnrollInstances struct {
	ApplicationID uuid.UUID
	MachineIDs    []string // as the machines send them, 1 to 1,000
	Reason        string
}

// Enrolled is the result of Service.EnrollInstances.
type Enrolled struct {
	Machines int // named, without repetitions
	New      int // of those, the ones that have not asked yet
}

// EnrollInstances marks machines as the operator's own: their results count in
// safe mode, gates and halts, however new they are. A machine that has not asked yet is
// listed as silent and without a group until it does.
func (s *Service) EnrollInstances(ctx context.Context, in EnrollInstances) (*Enrolled, error) {
	v := change.Verb{
		Name: "enrollInstances", Reason: in.Reason, App: in.ApplicationID, Object: "application", ID: in.ApplicationID,
		Invalid: checkMachineIDs(in.MachineIDs),
	}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	app := s.seen(ctx).App(in.ApplicationID)
	if app == nil {
		return nil, fault.Errorf(fault.NotFound, "applicationId", "there is no such application")
	}
	if err := fault.RequireOn(v.By, v.Name, auth.Place{Team: app.TeamID, Application: app.ID}); err != nil {
		return nil, err // the groups of machines that have not asked yet are not known
	}
	ids := slices.Compact(slices.Sorted(slices.Values(in.MachineIDs)))
	for range change.MaxTries {
		var err error
		if v.Groups, err = s.View.GroupsOf(ctx, in.ApplicationID, ids); err != nil {
			return nil, err
		}
		out := &Enrolled{Machines: len(ids)}
		err = s.changes.Operate(ctx, v, func(c *change.Change) (err error) {
			out.New, err = enroll(c, ids)
			return err
		})
		if !errors.Is(err, errElsewhere) {
			return out, err
		}
	}
	return nil, fault.Errorf(fault.Unavailable, "machineIds", "the machines keep changing groups; try again")
}

func checkMachineIDs(ids []string) error {
	if len(ids) == 0 || len(ids) > maxEnrolled {
		return fault.Errorf(fault.Invalid, "machineIds", "must have 1 to %d machine ids, not %d", maxEnrolled, len(ids))
	}
	for i, id := range ids {
		if !checkin.ValidMachineID(id) {
			return fault.Errorf(fault.Invalid, fmt.Sprintf("machineIds[%d]", i), "must have 1 to %d bytes of printable text", checkin.MaxMachineID)
		}
	}
	return nil
}

// enroll enrolls machines and returns how many of them have not asked yet.
func enroll(c *change.Change, machines []string) (fresh int, err error) {
	ids := store.InstanceIDs(c.App, machines)
	found, err := c.Tx.Machines(c.Ctx, ids)
	if err != nil {
		return 0, err
	}
	var changed []string
	for i, id := range machines {
		m := found[ids[i]]
		if m == nil {
			m = &store.Machine{InstanceID: ids[i], ApplicationID: c.App, StateChangedAt: c.Now}
			m.ID, m.Standing, m.FirstSeenAt, m.LastSeenAt = id, rollout.StandingSilent, c.Now, c.Now
		}
		if m.GroupID == uuid.Nil && m.Standing == rollout.StandingSilent {
			fresh++
		}
		if m.Enrolled {
			continue
		}
		c.Batch.Machines = append(c.Batch.Machines, m)
		changed = append(changed, id)
		g := c.Config.Group(m.GroupID)
		if g != nil && c.States[m.GroupID] == nil {
			return 0, errElsewhere
		}
		if err := enrollMachine(c, m, g); err != nil {
			return 0, err
		}
	}
	if len(changed) == 0 {
		return fresh, change.ErrUnchanged
	}
	c.After = struct {
		Enrolled []string `json:"enrolled"`
	}{changed}
	return fresh, nil
}

// enrollMachine enrolls a machine of a group, nil for none, which must be locked.
func enrollMachine(c *change.Change, m *store.Machine, g *catalog.Group) error {
	if g == nil {
		m.Enrolled = true
		return nil
	}
	return c.Run(g, func(w *rollout.World, fx *rollout.Effects) { w.Enroll(&m.Machine, c.By.Name, c.Reason, fx) })
}
