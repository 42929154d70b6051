package fleet

import (
	"context"

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
	GroupID *uuid.UUID // nil: the group of the track it sends, from its next check-in
	Reason  string
}

// MoveInstance moves a machine to a group. The track that the machine sends is then
// ignored. Its grant, if any, is withdrawn, and the new group decides again.
func (s *Service) MoveInstance(ctx context.Context, in MoveInstance) (*db.Instance, error) {
	v := change.Verb{Name: "moveInstance", Needs: auth.Operate, Reason: in.Reason}
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
			return fault.Errorf(fault.Invalid, "groupId", "group %q is for %s, but the machine is %s", to.Name, to.Arch, m.Arch)
		}
		m.Moved = true
		if from == to {
			return nil
		}
		return moveMachine(c, m, from, to)
	})
}

// moveMachine moves a machine from its group, nil for none, to another one. Both
// must be locked.
func moveMachine(c *change.Change, m *store.Machine, from, to *catalog.Group) error {
	state := m.State
	if from == nil {
		m.Orphan()
	} else if err := c.Run(from, func(w *rollout.World, fx *rollout.Effects) { w.Depart(&m.Machine, c.Now, fx) }); err != nil {
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
