package reassign

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/membership"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Move moves a machine from its group, nil for none, to another one, and adds a line to
// its history. Both groups must be locked.
func Move(c *change.Change, m *store.Machine, from, to *catalog.Group, detail string) error {
	state := m.State
	if from == nil {
		m.Orphan()
	} else if err := c.Run(from, func(w *rollout.World, fx *rollout.Effects) { w.Depart(&m.Machine, c.Now, fx) }); err != nil {
		return err
	}
	m.GroupID, m.SelectedWave = to.ID, 0
	if m.State != state {
		m.StateChangedAt = c.Now
	}
	return c.Run(to, func(w *rollout.World, fx *rollout.Effects) {
		w.Join(&m.Machine)
		fx.History = append(fx.History, rollout.Entry{Machine: m.ID, State: m.State, Version: m.Version.String(), Detail: detail})
	})
}

// Assign moves a machine with the given attributes and tags to where it belongs, and
// returns the decision. It returns false if the group to which it moves is not locked;
// then it does nothing.
func Assign(c *change.Change, m *store.Machine, labels []*db.MachineLabel) (choice membership.Choice, done bool, err error) {
	what := membership.Of(m, labels)
	if what.Chosen || c.Config.Selectors() == 0 && m.HomeGroup == uuid.Nil {
		what.SelectWave(m, c.Config)
		return choice, true, nil
	}
	home := m.Home()
	choice = membership.Choose(c.Config, &what, c.Config.Group(home))
	from := c.Config.Group(m.GroupID)
	if to := choice.Group; to != nil && to != from && choice.Stays == membership.StaysNot {
		if c.States[to.ID] == nil {
			return choice, false, nil
		}
		detail := choice.Detail()
		if detail == "" {
			detail = "moved to group " + to.Name + " of its track: no expression is true any more"
		}
		if err := Move(c, m, from, to, detail); err != nil {
			return choice, true, err
		}
	}
	choice.Note(m, c.Config, home)
	what.SelectWave(m, c.Config)
	return choice, true, nil
}
