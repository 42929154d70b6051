package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/reassign"
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
// ignored. A grant that the machine has not started is withdrawn, and the new group
// decides again. A machine that has started its update moves with its first request
// after the update ended, so that its result counts where it was granted.
func (s *Service) MoveInstance(ctx context.Context, in MoveInstance) (*db.Instance, error) {
	v := change.Verb{Name: "moveInstance", Reason: in.Reason}
	return s.order(ctx, v, in.ID, job.Order{Action: job.Move, GroupID: in.GroupID})
}

// assign moves a machine from its group, nil for none, to the group with an id, or at
// its next check-in to that of its track. The groups must be locked.
func assign(c *change.Change, m *store.Machine, from *catalog.Group, id *uuid.UUID) error {
	if err := approveMove(c, m, from, id); err != nil {
		return err
	}
	m.Selectors = 0 // its next check-in decides by the expressions, unless a person chose
	if id == nil {
		m.Moved, m.MoveTo = false, uuid.Nil
		return nil
	}
	m.HomeGroup = uuid.Nil
	to, err := c.Group(*id, "groupId")
	if err != nil {
		return err
	}
	if to.Arch != m.Arch {
		return fault.Errorf(fault.Invalid, "groupId", "group %q is for %s, but the machine is %s", to.Name, to.Arch, m.Arch)
	}
	m.Moved, m.MoveTo = true, uuid.Nil
	if from == to {
		return nil
	}
	if from != nil && m.Attempt.Open() && m.State != rollout.StateGranted {
		m.MoveTo = to.ID
		return c.Run(from, func(_ *rollout.World, fx *rollout.Effects) {
			fx.History = append(fx.History, moved(c, m, "moves to group "+to.Name+" once its update ended, decided"))
		})
	}
	return reassign.Move(c, m, from, to, movedText(c, "moved to group "+to.Name))
}

// moved is a line of the machine's history about its move.
func moved(c *change.Change, m *store.Machine, text string) rollout.Entry {
	return rollout.Entry{Machine: m.ID, State: m.State, Version: m.Version.String(), Detail: movedText(c, text)}
}

func movedText(c *change.Change, text string) string {
	return text + " by " + c.By.Name + change.Because(c.Reason)
}
