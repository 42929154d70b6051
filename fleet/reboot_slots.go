package fleet

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/rebootslot"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/reboot"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// ReleaseRebootSlot is the input of Service.ReleaseRebootSlot.
type ReleaseRebootSlot struct {
	GroupID uuid.UUID
	ID      string // that the client sent, or that of its machine
	Reason  string
}

// ReleaseRebootSlot ends the slot of a client that does not give it back, so that others
// can reboot. It also ends the mark of one that did not come back.
func (s *Service) ReleaseRebootSlot(ctx context.Context, in ReleaseRebootSlot) (*db.Group, error) {
	v := change.Verb{Name: "releaseRebootSlot", Object: "rebootSlot", Reason: in.Reason, Groups: []uuid.UUID{in.GroupID}}
	if !reboot.ValidClientID(in.ID) {
		v.Invalid = fault.Errorf(fault.Invalid, "id", "must be printable text of 1 to %d bytes", reboot.MaxClientID)
	}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	seen := s.seen(ctx).Group(in.GroupID)
	if seen == nil {
		return nil, fault.Errorf(fault.NotFound, "groupId", "there is no such group")
	}
	v.App = seen.App.ID
	err := s.changes.Operate(ctx, v, func(c *change.Change) error {
		g, err := c.Group(in.GroupID, "groupId")
		if err != nil {
			return err
		}
		row, err := heldSlot(c, g, in.ID)
		if err != nil {
			return err
		}
		c.ID, c.Before = row.ID, slotRecord{row.LockID, row.InstanceID}
		if err := c.Tx.Client().RebootSlot.DeleteOne(row).Exec(ctx); err != nil {
			return err
		}
		a := rollout.Activity{Kind: rollout.ActivityRebootSlotReleased, Severity: rollout.SeverityInfo, Version: row.Version, Detail: "released" + change.Because(c.Reason)}
		if machine, err := machineID(c, row); err != nil {
			return err
		} else if a.Machine = machine; machine == "" {
			a.Detail = "client " + row.LockID + ": " + a.Detail
		}
		g.Journal(&c.Batch, &rollout.Effects{Activities: []rollout.Activity{a}}, c.By.Name)
		c.Batch.Events = append(c.Batch.Events, reboot.Events(row)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.View.Group(ctx, in.GroupID, nil)
}

// slotRecord is a slot in the audit.
type slotRecord struct {
	Client   string     `json:"client"`
	Instance *uuid.UUID `json:"instance,omitempty"`
}

// heldSlot returns the slot of a client, by its id or that of its machine.
func heldSlot(c *change.Change, g *catalog.Group, id string) (*db.RebootSlot, error) {
	instances := store.InstanceIDs(g.App.ID, reboot.Forms(id))
	if instance, err := uuid.Parse(id); err == nil {
		instances = append(instances, instance)
	}
	rows, err := c.Tx.Client().RebootSlot.Query().Where(rebootslot.GroupID(g.ID),
		rebootslot.Or(rebootslot.LockID(id), rebootslot.InstanceIDIn(instances...))).Order(rebootslot.ByID()).All(c.Ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(rows, func(row *db.RebootSlot) bool { return row.TakenAt != nil || row.LostAt != nil })
	switch {
	case i >= 0:
		return rows[i], nil
	case len(rows) > 0:
		return nil, fault.Errorf(fault.Conflict, "id", "the machine waits for a reboot slot and holds none")
	}
	return nil, fault.Errorf(fault.NotFound, "id", "no such machine or client holds a reboot slot of the group")
}

// machineID returns the id of a client's machine, "" if it is not known.
func machineID(c *change.Change, row *db.RebootSlot) (string, error) {
	if row.InstanceID == nil {
		return "", nil
	}
	m, err := c.Tx.Client().Instance.Get(c.Ctx, *row.InstanceID)
	if db.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return m.MachineID, nil
}
