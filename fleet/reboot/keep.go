package reboot

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/rebootslot"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// keeping writes what was decided about one client.
type keeping struct {
	*Service
	tx       *store.Tx
	r        *Request
	found    target
	group    *catalog.Group
	own      *db.RebootSlot // before; nil: none
	decision rollout.RebootDecision
	now      time.Time
}

// keep writes the row of the client. A refused client that is one too many is not
// stored, and one that would get a slot must come back later. A group without slots
// stores none.
func (k *keeping) keep(ctx context.Context) error {
	if k.own == nil && k.decision.Reason == rollout.RebootNotCoordinated {
		return nil
	}
	own, lost := k.own, false
	if own != nil && own.LostAt != nil { // it came back, and begins again
		if err := k.tx.Client().RebootSlot.DeleteOne(own).Exec(ctx); err != nil {
			return err
		}
		own, lost = nil, true
	}
	if own == nil {
		admitted, err := k.admitted(ctx, lost)
		switch {
		case err != nil:
			return err
		case !admitted && k.decision.Reason.Allows():
			return fault.Errorf(fault.Unavailable, "", "too many new clients ask for reboot slots: try again later")
		case !admitted:
			return nil
		}
		return k.create(ctx)
	}
	return k.update(ctx, own)
}

// admitted reports whether a new row may be stored. Known machines and clients that had
// one always may.
func (k *keeping) admitted(ctx context.Context, had bool) (bool, error) {
	if had || k.found.instance != uuid.Nil {
		return true, nil
	}
	if k.disk.RefusesMachines() {
		return false, k.disk.Refuse()
	}
	unknown, err := k.tx.Client().RebootSlot.Query().Where(rebootslot.GroupID(k.group.ID), rebootslot.InstanceIDIsNil()).Limit(maxUnknown).IDs(ctx)
	if err != nil {
		return false, err
	}
	if len(unknown) >= maxUnknown || !k.newcomers.Admit(&k.quotas, k.r.Address, k.group.ID, k.now) {
		k.refusals.Add(quota.NewMachine, k.group.ID, 1)
		return false, nil
	}
	return true, nil
}

func (k *keeping) create(ctx context.Context) error {
	c := k.tx.Client().RebootSlot.Create().SetID(store.NewID(k.now)).SetApplicationID(k.group.App.ID).SetGroupID(k.group.ID).
		SetLockID(k.r.Client).SetAddress(k.r.Address).SetAskedAt(k.now).SetRenewedAt(k.now)
	if k.found.instance != uuid.Nil {
		c.SetInstanceID(k.found.instance).SetVersion(k.found.version)
	}
	if k.decision.Reason == rollout.RebootGranted {
		c.SetTakenAt(k.now)
	} else {
		c.SetReason(k.decision.Reason.String())
	}
	row, err := c.Save(ctx)
	if err != nil {
		return err
	}
	return k.noteChange(ctx, row)
}

func (k *keeping) update(ctx context.Context, own *db.RebootSlot) error {
	u := k.tx.Client().RebootSlot.UpdateOne(own).SetRenewedAt(k.now).SetAddress(k.r.Address)
	if k.found.instance != uuid.Nil {
		u.SetInstanceID(k.found.instance)
	}
	changed := false
	switch reason := k.decision.Reason; reason {
	case rollout.RebootHeld:
	case rollout.RebootGranted:
		u.SetTakenAt(k.now).SetReason("").SetVersion(k.found.version)
		changed = true
	default:
		changed = own.Reason != reason.String()
		u.SetReason(reason.String())
	}
	row, err := u.Save(ctx)
	if err != nil || !changed {
		return err // clients ask every few minutes: readers need no event for that
	}
	return k.noteChange(ctx, row)
}

// noteChange publishes a new answer and adds it to the history of a known machine.
func (k *keeping) noteChange(ctx context.Context, row *db.RebootSlot) error {
	text := k.decision.Detail()
	if !k.decision.Reason.Allows() {
		text = "waits for its reboot slot: " + text
	}
	var b store.Batch
	if err := note(ctx, k.tx, &b, row, text); err != nil {
		return err
	}
	k.tx.Publish(Events(row)...)
	return k.tx.Save(ctx, &b)
}
