package fleet

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

const (
	// forgetBatch machines are forgotten in one transaction, for which check-ins of
	// their groups wait.
	forgetBatch = 250
	// maxForgotten machines are forgotten by one call, within the time of a request.
	maxForgotten = 10_000
)

// ForgetInstance is the input of Service.ForgetInstance.
type ForgetInstance struct {
	ID     uuid.UUID
	Reason string
}

// ForgetInstance deletes a machine and its history. Its update in flight ends as
// interrupted. If it asks again, it is a new machine.
func (s *Service) ForgetInstance(ctx context.Context, in ForgetInstance) error {
	v := change.Verb{Name: "forgetInstance", Reason: in.Reason}
	return s.operateInstance(ctx, v, in.ID, nil, forget)
}

func forget(c *change.Change, m *store.Machine, from *catalog.Group) error {
	if from != nil {
		if err := c.Run(from, func(w *rollout.World, fx *rollout.Effects) { w.Depart(&m.Machine, c.Now, fx) }); err != nil {
			return err
		}
	}
	m.Forget()
	return nil
}

// ForgetInstances is the input of Service.ForgetInstances.
type ForgetInstances struct {
	Filter machines.Filter // at least one condition
	Reason string
}

// Forgotten is the result of Service.ForgetInstances.
type Forgotten struct {
	Machines int
	More     bool // matching machines are left: call it again
}

// ForgetInstances forgets the machines that match a filter, at most 10,000 in one
// call. A machine that changes meanwhile is left out. Each of its transactions has
// one record in the audit, with the machine ids; after an error the earlier ones
// stay.
func (s *Service) ForgetInstances(ctx context.Context, in ForgetInstances) (*Forgotten, error) {
	v := change.Verb{Name: "forgetInstances", Reason: in.Reason}
	if in.Filter.Empty() {
		v.Invalid = fault.Errorf(fault.Invalid, "filter", "name at least one condition: without one the whole fleet would be forgotten")
	}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	out := &Forgotten{}
	for out.Machines < maxForgotten {
		rows, err := s.View.Machines(ctx, machines.List{Filter: in.Filter, Limit: forgetBatch}, nil)
		if err != nil {
			return out, err
		}
		if len(rows) == 0 {
			return out, nil
		}
		n, err := s.forgetRows(ctx, v, &in.Filter, rows)
		if err != nil {
			return out, err
		}
		if out.Machines += n; n == 0 {
			break // all of them keep changing
		}
	}
	rows, err := s.View.Machines(ctx, machines.List{Filter: in.Filter, Limit: 1}, nil)
	out.More = len(rows) > 0
	return out, err
}

// forgetRows forgets machines with one transaction for each application. It returns
// how many still were as the rows say.
func (s *Service) forgetRows(ctx context.Context, v change.Verb, f *machines.Filter, rows []*db.Instance) (forgotten int, err error) {
	byApp := map[uuid.UUID][]*db.Instance{}
	for _, row := range rows {
		byApp[row.ApplicationID] = append(byApp[row.ApplicationID], row)
	}
	for app, rows := range byApp {
		v.App, v.Object, v.ID, v.Groups = app, "application", app, nil
		for _, row := range rows {
			if row.GroupID != nil && !slices.Contains(v.Groups, *row.GroupID) {
				v.Groups = append(v.Groups, *row.GroupID)
			}
		}
		var ids []string
		err := s.changes.Operate(ctx, v, func(c *change.Change) (err error) {
			ids, err = forgetAll(c, f, rows)
			return err
		})
		if err != nil && !errors.Is(err, change.ErrUnchanged) {
			return forgotten, err
		}
		forgotten += len(ids)
	}
	return forgotten, nil
}

// forgetAll forgets the machines that still are as their rows say and returns their
// machine ids.
func forgetAll(c *change.Change, f *machines.Filter, rows []*db.Instance) (forgotten []string, err error) {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	found, err := c.Tx.Machines(c.Ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		m := found[row.ID]
		if m == nil || !unchanged(m, row) || f.SeenBefore != nil && !m.LastSeenAt.Before(f.SeenBefore.Truncate(time.Microsecond)) {
			continue
		}
		c.Batch.Machines = append(c.Batch.Machines, m)
		if err := forget(c, m, c.Config.Group(m.GroupID)); err != nil {
			return nil, err
		}
		forgotten = append(forgotten, m.ID)
	}
	if len(forgotten) == 0 {
		return nil, change.ErrUnchanged
	}
	c.Before = struct {
		Machines []string `json:"machines"`
	}{forgotten}
	return forgotten, nil
}

// unchanged reports whether a machine has the values of a row on which a filter can depend.
func unchanged(m *store.Machine, row *db.Instance) bool {
	group := uuid.Nil
	if row.GroupID != nil {
		group = *row.GroupID
	}
	return m.GroupID == group && m.Version.String() == row.Version && m.State == row.State && m.Standing == row.Standing &&
		m.Reason.String() == row.Reason && m.OEM == row.Oem && m.Alias == row.Alias && m.MachineAlias == row.MachineAlias && m.Address == row.Address
}
