package fleet

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/membership"
	"github.com/coreroller/coreroller/fleet/reassign"
	"github.com/coreroller/coreroller/store"
)

// LabelInstance is the input of Service.LabelInstance.
type LabelInstance struct {
	ID     uuid.UUID
	Labels job.Labels
	Reason string
}

// LabelInstance sets and removes attributes and tags of a machine. They decide nothing
// about its updates, but the expressions of groups can read them: then the machine moves
// at once, for which the caller needs the same role on the other group.
func (s *Service) LabelInstance(ctx context.Context, in LabelInstance) (*db.Instance, error) {
	var p input.Problems
	in.Labels.Check(&p, "labels")
	v := change.Verb{Name: "labelInstance", Reason: in.Reason, Invalid: p.Err()}
	o := job.Order{Action: job.Label, Labels: &in.Labels}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	for range change.MaxTries {
		to, err := s.labeledGroup(ctx, in.ID, &in.Labels)
		if err != nil {
			return nil, v.Expected(err)
		}
		err = s.operateInstance(ctx, v, in.ID, to, func(c *change.Change, m *store.Machine, g *catalog.Group) error {
			return applyAlone(c, &o, m, g)
		})
		if errors.Is(err, errUnlocked) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return s.View.Instance(ctx, in.ID, nil)
	}
	return nil, fault.Errorf(fault.Unavailable, "id", "the machine keeps changing groups; try again")
}

// errUnlocked reports that a machine belongs to a group that is not locked.
var errUnlocked = errors.New("the machine belongs to a group that is not locked")

// labeledGroup returns the group to which labels would move a machine, nil for none. It
// is decided again under the locks.
func (s *Service) labeledGroup(ctx context.Context, id uuid.UUID, l *job.Labels) (*uuid.UUID, error) {
	row, err := s.store.Reader().Instance.Get(ctx, id)
	if err != nil {
		return nil, fault.Missing(err, "id", "machine")
	}
	app := s.catalog.Catalog().App(row.ApplicationID)
	if app == nil || !app.SelectLabels() {
		return nil, nil
	}
	found, err := s.store.Labels(ctx, []uuid.UUID{id})
	if err != nil {
		return nil, err
	}
	m := membership.OfRow(row, l.Apply(found[id]))
	if m.Chosen {
		return nil, nil
	}
	c := membership.Choose(app, &m, app.Group(m.HomeOrGroup()))
	if c.Group == nil || c.Group.ID == m.Group || c.Stays != membership.StaysNot {
		return nil, nil
	}
	return &c.Group.ID, nil
}

// labelMachine changes the attributes and tags of a machine that has the given ones. It
// returns change.ErrUnchanged if it has them already.
func labelMachine(c *change.Change, m *store.Machine, l *job.Labels, have []*db.MachineLabel) error {
	part, err := l.Reduce(have)
	if err != nil {
		return err
	}
	if part == nil {
		return change.ErrUnchanged
	}
	row := store.Label{InstanceID: m.InstanceID, ApplicationID: m.ApplicationID, MachineID: m.ID, By: c.By.Name, At: c.Now}
	for _, a := range part.SetAttributes {
		row.Name, row.Value = a.Name, a.Value
		c.Batch.Labels = append(c.Batch.Labels, row)
	}
	row.Tag, row.Value = true, ""
	for _, name := range part.AddTags {
		row.Name = name
		c.Batch.Labels = append(c.Batch.Labels, row)
	}
	for _, name := range part.RemoveAttributes {
		c.Batch.Unlabeled = append(c.Batch.Unlabeled, store.LabelID(m.InstanceID, false, name))
	}
	for _, name := range part.RemoveTags {
		c.Batch.Unlabeled = append(c.Batch.Unlabeled, store.LabelID(m.InstanceID, true, name))
	}
	m.Selectors = 0 // the expressions of groups can read them
	// Save publishes no event of a machine whose row is unchanged.
	c.Batch.Events = append(c.Batch.Events, event.Event{Kind: event.MachineChanged, App: m.ApplicationID, Group: m.GroupID, Instance: m.InstanceID})
	return nil
}

// labelAlone is labelMachine for one machine, with its attributes and tags in the audit.
func labelAlone(c *change.Change, m *store.Machine, l *job.Labels) error {
	found, err := c.Tx.Labels(c.Ctx, []uuid.UUID{m.InstanceID})
	if err != nil {
		return err
	}
	have := found[m.InstanceID]
	if err := labelMachine(c, m, l, have); err != nil {
		return err
	}
	if _, done, err := reassign.Assign(c, m, l.Apply(have)); err != nil {
		return err
	} else if !done {
		return errUnlocked
	}
	before := labelRecord{Machine: m.ID, Attributes: map[string]string{}, Tags: map[string]bool{}}
	after := labelRecord{Machine: m.ID, Attributes: map[string]string{}, Tags: map[string]bool{}}
	for _, row := range have {
		before.add(row.Tag, row.Name, row.Value)
		after.add(row.Tag, row.Name, row.Value)
	}
	for _, row := range c.Batch.Labels {
		after.add(row.Tag, row.Name, row.Value)
	}
	for _, name := range l.RemoveAttributes {
		delete(after.Attributes, name)
	}
	for _, name := range l.RemoveTags {
		delete(after.Tags, name)
	}
	c.Before, c.After = before, after
	return nil
}

// labelRecord is the attributes and tags of a machine in the audit.
type labelRecord struct {
	Machine    string            `json:"machine"`
	Attributes map[string]string `json:"attributes"`
	Tags       map[string]bool   `json:"tags"`
}

func (r *labelRecord) add(tag bool, name, value string) {
	if tag {
		r.Tags[name] = true
	} else {
		r.Attributes[name] = value
	}
}
