package fleet

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
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
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "moveInstance", by: who, reason: in.Reason}
	return s.changeInstance(ctx, v, in.ID, in.GroupID, func(c *change, m *store.Machine, from *Group) error {
		if in.GroupID == nil {
			m.Moved = false
			return nil
		}
		to, err := c.group(*in.GroupID, "groupId")
		if err != nil {
			return err
		}
		if to.Arch != m.Arch {
			return Errorf(Invalid, "groupId", "group %q is for %s, the machine is %s", to.Name, to.Arch, m.Arch)
		}
		m.Moved = true
		if from == to {
			return nil
		}
		return c.moveMachine(m, from, to)
	})
}

// leave takes a machine out of its group. What it had begun there ends as
// interrupted.
func leave(w *rollout.World, m *store.Machine, now time.Time, fx *rollout.Effects) {
	w.Abandon(&m.Machine, now, fx)
	w.Leave(&m.Machine)
	w.Advance(now, fx) // it may have been the last one behind
}

// orphan drops what a machine had begun in a group that was deleted, and whose
// rollout is gone with it.
func orphan(m *store.Machine) {
	m.Attempt = rollout.Attempt{}
	if m.State.InFlight() {
		m.State = rollout.StateNone
	}
}

// moveMachine takes a machine out of one group, if it is in one, and counts it
// in another; both are locked.
func (c *change) moveMachine(m *store.Machine, from, to *Group) error {
	state := m.State
	if from == nil {
		orphan(m)
	} else if err := c.run(from, func(w *rollout.World, fx *rollout.Effects) { leave(w, m, c.now, fx) }); err != nil {
		return err
	}
	m.GroupID = to.ID
	if m.State != state {
		m.StateChangedAt = c.now
	}
	return c.run(to, func(w *rollout.World, fx *rollout.Effects) {
		w.Join(&m.Machine)
		fx.History = append(fx.History, rollout.Entry{
			Machine: m.ID, State: m.State, Version: m.Version.String(),
			Detail: "moved to group " + to.Name + " by " + c.by.Name + because(c.reason),
		})
	})
}
