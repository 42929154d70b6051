package checkin

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/membership"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// readLabels reads the attributes and tags of the machines for which the expressions of
// their application are evaluated in this batch: one statement, and none for a batch
// without such machines.
func (b *batch) readLabels(calls []*call) (err error) {
	var ids []uuid.UUID
	for _, c := range calls {
		app, m := b.apps[c.group.App.ID], b.machines[c.instance]
		if m != nil && app.SelectLabels() && c.outdates(m, app) {
			ids = append(ids, c.instance)
		}
	}
	if len(ids) > 0 {
		b.labels, err = b.tx.Labels(b.ctx, distinct(ids))
	}
	return err
}

// outdates reports whether the expressions must be evaluated again: they changed, or what
// they see of the machine, or its track.
func (c *call) outdates(m *store.Machine, app *catalog.App) bool {
	if m.Selectors != app.Selectors() || app.Group(m.GroupID) == nil || m.Home() != c.group.ID {
		return true
	}
	sent := *m
	c.in.describe(&sent, app)
	return sent.Address != m.Address || sent.MachineAlias != m.MachineAlias || sent.OEM != m.OEM ||
		sent.OEMVersion != m.OEMVersion || sent.RequestAttributes != m.RequestAttributes || sent.AlephVersion != m.AlephVersion
}

// choose returns the group of a machine that no person chose: by the expressions of its
// application, else by the track that it named.
func (b *batch) choose(c *call, m *store.Machine, app *catalog.App) uuid.UUID {
	c.choice = membership.Choice{Group: c.group}
	switch {
	case app.Selectors() == 0 && (m == nil || m.HomeGroup == uuid.Nil):
		return c.group.ID
	case !c.outdated:
		if m.HomeGroup != uuid.Nil && app.Group(m.GroupID) != nil {
			c.choice = membership.Choice{Group: app.Group(m.GroupID), Selected: true}
			return m.GroupID
		}
		return c.group.ID
	}
	seen := store.Machine{Machine: rollout.Machine{ID: c.in.Machine}}
	if m != nil {
		seen = *m
	}
	c.in.describe(&seen, app)
	seen.Arch = c.group.Arch
	what := b.described(c, &seen)
	c.choice = membership.Choose(app, &what, c.group)
	if c.choice.Stays != membership.StaysNot {
		return m.GroupID
	}
	return c.choice.Group.ID
}

// described returns what expressions see of a machine after this check-in.
func (b *batch) described(c *call, m *store.Machine) membership.Machine {
	what := membership.Of(m, b.labels[c.instance])
	_, request := requestAttributes(m.RequestAttributes)
	what.Send(request)
	return what
}

// selectWave stores which wave of its group selects the machine, if that can have changed.
func (b *batch) selectWave(c *call, m *store.Machine, app *catalog.App) {
	if c.outdated && (app.Selectors() != 0 || m.SelectedWave != 0) {
		what := b.described(c, m)
		what.SelectWave(m, app)
	}
}

// noteChoice stores the group of the machine's track if expressions can choose another.
func (b *batch) noteChoice(c *call, m *store.Machine, app *catalog.App) {
	if m.Moved || m.MoveTo != uuid.Nil {
		m.HomeGroup, m.Selectors = uuid.Nil, 0
		return
	}
	if app.Selectors() == 0 && m.HomeGroup == uuid.Nil && m.Selectors == 0 {
		return
	}
	c.choice.Note(m, app, c.group.ID)
}

// noteMove adds the move by an expression to the history of the machine.
func (b *batch) noteMove(m *store.Machine, to *catalog.Group, c *call) {
	if detail := c.choice.Detail(); detail != "" {
		fx := b.effects[to.ID]
		fx.History = append(fx.History, rollout.Entry{Machine: m.ID, State: m.State, Version: m.Version.String(), Detail: detail})
	}
}
