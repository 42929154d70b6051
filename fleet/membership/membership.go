// Package membership decides in which group a machine belongs: that of a person's choice,
// else the first whose expression is true, else that of its track; and which waves of that
// group select it. Check-ins, verbs, the
// walk of package reassign and the preview use the same decision.
package membership

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/selector"
	"github.com/coreroller/coreroller/store"
)

// Machine is what the decision depends on.
type Machine struct {
	Group    uuid.UUID // zero: none
	Home     uuid.UUID // of its track; zero: the same as Group
	Arch     string
	Chosen   bool // a person chose the group
	Updating bool

	SelectedWave int // as stored, see rollout.Machine
	selector.Machine

	sent []string // request attributes among Attributes
}

// Of returns a locked machine with its attributes and tags.
func Of(m *store.Machine, labels []*db.MachineLabel) Machine {
	out := Machine{
		Group: m.GroupID, Home: m.HomeGroup, Arch: m.Arch, Chosen: m.Moved || m.MoveTo != uuid.Nil, Updating: m.Attempt.Open(),
		SelectedWave: m.SelectedWave,
		Machine: selector.Machine{
			ID: m.ID, Alias: m.MachineAlias, Address: m.Address, Arch: m.Arch,
			OEM: m.OEM, OEMVersion: m.OEMVersion, FirstVersion: m.AlephVersion,
		},
	}
	out.label(labels)
	return out
}

// OfRow is Of for a row that was read without a lock.
func OfRow(row *db.Instance, labels []*db.MachineLabel) Machine {
	out := Machine{
		Group: idOf(row.GroupID), Home: idOf(row.HomeGroupID), Arch: row.Arch, Chosen: row.Moved || row.MoveTo != nil, Updating: row.GrantedAt != nil,
		SelectedWave: row.SelectedWave,
		Machine: selector.Machine{
			ID: row.MachineID, Alias: row.MachineAlias, Address: row.Address, Arch: row.Arch,
			OEM: row.Oem, OEMVersion: row.OemVersion, FirstVersion: row.AlephVersion,
		},
	}
	out.label(labels)
	return out
}

func (m *Machine) label(labels []*db.MachineLabel) {
	for _, l := range labels {
		if l.Tag {
			m.Tags = append(m.Tags, l.Name)
			continue
		}
		if m.Attributes == nil {
			m.Attributes = map[string]string{}
		}
		m.Attributes[l.Name] = l.Value
		if l.Sent {
			m.sent = append(m.sent, l.Name)
		}
	}
}

// Send replaces the request attributes by those of a check-in, which are not stored yet.
func (m *Machine) Send(request map[string]string) {
	for _, name := range m.sent {
		delete(m.Attributes, name)
	}
	for name, value := range request {
		if m.Attributes == nil {
			m.Attributes = map[string]string{}
		}
		m.Attributes[name] = value
	}
}

func idOf(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}

// Choice is where a machine belongs.
type Choice struct {
	Group    *catalog.Group // nil: its track has no group any more
	Selected bool           // by the expression of Group, else by its track
	Stays    Stay           // why it is not moved there now
}

// Stay is why a machine stays in a group in which it does not belong.
type Stay int

// The values of Stay.
const (
	StaysNot       Stay = iota
	StaysUpdating       // until its update has ended
	StaysProtected      // its group is left only with an approval
)

// Choose decides for a machine whose group no person chose. home is the group of its track,
// nil if there is none any more.
func Choose(app *catalog.App, m *Machine, home *catalog.Group) Choice {
	arch := m.Arch
	if home != nil {
		arch = home.Arch
	}
	c := Choice{Group: app.Select(&m.Machine, arch)}
	if c.Selected = c.Group != nil; !c.Selected {
		c.Group = home
	}
	from := app.Group(m.Group)
	// A machine that follows its track alone goes where it asks to be.
	if from == nil || c.Group == nil || from.ID == c.Group.ID || !c.Selected && m.Home == uuid.Nil {
		return c
	}
	switch {
	case m.Updating:
		c.Stays = StaysUpdating
	case from.LeavingNeedsApproval():
		c.Stays = StaysProtected
	}
	return c
}

// Note stores a choice in the machine's row.
func (c *Choice) Note(m *store.Machine, app *catalog.App, home uuid.UUID) {
	m.HomeGroup = uuid.Nil
	if c.Selected || c.Stays != StaysNot && m.GroupID != home {
		m.HomeGroup = home
	}
	if m.Selectors = app.Selectors(); c.Stays == StaysUpdating {
		m.Selectors = 0 // decided again at its next check-in
	}
}

// Detail describes a move to the group of a choice for the history of the machine, "" for
// one by its track alone.
func (c *Choice) Detail() string {
	if !c.Selected {
		return ""
	}
	return "moved to group " + c.Group.Name + " by its expression"
}

// SelectWave stores in the machine's row which expression of the waves of its group is true.
func (m *Machine) SelectWave(row *store.Machine, app *catalog.App) {
	row.SelectedWave = 0
	if g := app.Group(row.GroupID); g != nil {
		row.SelectedWave = g.SelectedWave(&m.Machine)
	}
}

// HomeOrGroup is the group of the machine's track, as far as it is known.
func (m *Machine) HomeOrGroup() uuid.UUID {
	if m.Home != uuid.Nil {
		return m.Home
	}
	return m.Group
}
