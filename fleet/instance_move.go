package fleet

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// MoveInstance is the input of Service.MoveInstance.
type MoveInstance struct {
	ID      uuid.UUID
	GroupID *uuid.UUID // nil: back to the group it names itself, at its next check-in
	Reason  string
}

// MoveInstance puts a machine into a group whatever track it names. A grant it
// has is taken back: the other group decides anew.
func (s *Service) MoveInstance(ctx context.Context, in MoveInstance) (*db.Instance, error) {
	who, err := fault.Require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := change.Verb{Name: "moveInstance", By: who, Reason: in.Reason}
	return s.changeInstance(ctx, v, in.ID, in.GroupID, func(c *change.Change, m *store.Machine, from *catalog.Group) error {
		if in.GroupID == nil {
			m.Moved = false
			return nil
		}
		to, err := c.Group(*in.GroupID, "groupId")
		if err != nil {
			return err
		}
		if to.Arch != m.Arch {
			return fault.Errorf(fault.Invalid, "groupId", "group %q is for %s, the machine is %s", to.Name, to.Arch, m.Arch)
		}
		m.Moved = true
		if from == to {
			return nil
		}
		return moveMachine(c, m, from, to)
	})
}

// leave takes a machine out of its group. What it had begun there ends as
// interrupted.
func Leave(w *rollout.World, m *store.Machine, now time.Time, fx *rollout.Effects) {
	w.Abandon(&m.Machine, now, fx)
	w.Leave(&m.Machine)
	w.Advance(now, fx) // it may have been the last one behind
}

// orphan drops what a machine had begun in a group that was deleted, and whose
// rollout is gone with it.
func Orphan(m *store.Machine) {
	m.Attempt = rollout.Attempt{}
	if m.State.InFlight() {
		m.State = rollout.StateNone
	}
}

// moveMachine takes a machine out of one group, if it is in one, and counts it
// in another; both are locked.
func moveMachine(c *change.Change, m *store.Machine, from, to *catalog.Group) error {
	state := m.State
	if from == nil {
		Orphan(m)
	} else if err := c.Run(from, func(w *rollout.World, fx *rollout.Effects) { Leave(w, m, c.Now, fx) }); err != nil {
		return err
	}
	m.GroupID = to.ID
	if m.State != state {
		m.StateChangedAt = c.Now
	}
	return c.Run(to, func(w *rollout.World, fx *rollout.Effects) {
		w.Join(&m.Machine)
		fx.History = append(fx.History, rollout.Entry{
			Machine: m.ID, State: m.State, Version: m.Version.String(),
			Detail: "moved to group " + to.Name + " by " + c.By.Name + change.Because(c.Reason),
		})
	})
}
