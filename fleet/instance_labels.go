package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/store"
)

// LabelInstance is the input of Service.LabelInstance.
type LabelInstance struct {
	ID     uuid.UUID
	Labels job.Labels
	Reason string
}

// LabelInstance sets and removes attributes and tags of a machine. They decide nothing
// about its updates.
func (s *Service) LabelInstance(ctx context.Context, in LabelInstance) (*db.Instance, error) {
	var p input.Problems
	in.Labels.Check(&p, "labels")
	v := change.Verb{Name: "labelInstance", Reason: in.Reason, Invalid: p.Err()}
	return s.order(ctx, v, in.ID, job.Order{Action: job.Label, Labels: &in.Labels})
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
