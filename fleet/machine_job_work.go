package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/machinejobitem"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/reassign"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// jobBatch machines are changed in one transaction, for which check-ins of their
// groups wait.
const jobBatch = 200

// WorkJobs works on the running jobs until none has a machine left for this process,
// one batch of each after the other. Several processes can call it: a batch locks its
// job, and the others leave it out. A batch and its results are one transaction, so
// that a killed process leaves nothing half done.
func (s *Service) WorkJobs(ctx context.Context) error {
	for {
		jobs, err := s.store.JobsIn(ctx, string(job.Running))
		if err != nil {
			return err
		}
		var errs error
		worked := false
		for _, row := range jobs {
			n, err := s.workJob(ctx, row)
			worked, errs = worked || n > 0, errors.Join(errs, err)
		}
		if !worked || errs != nil || ctx.Err() != nil {
			return errs
		}
	}
}

// workJob runs the next batch of a job and returns how many machines got a result. If
// the batch fails, it tries the first machine alone, so that one machine cannot keep
// the others from their turn.
func (s *Service) workJob(ctx context.Context, row *db.MachineJob) (int, error) {
	n, err := s.jobBatch(ctx, row, jobBatch, act)
	if err == nil || ctx.Err() != nil || fault.CodeOf(err) == fault.Unavailable {
		return n, err
	}
	n, err = s.jobBatch(ctx, row, 1, act)
	if err == nil || ctx.Err() != nil || fault.CodeOf(err) == fault.Unavailable {
		return n, err
	}
	// If the database is the cause, this fails too, and the machine stays pending.
	return s.jobBatch(ctx, row, 1, func(*change.Change, *job.Order, *store.Machine, []*db.MachineLabel) (job.Outcome, error) {
		return job.Outcome{Result: job.Failed, Detail: err.Error()}, nil
	})
}

// jobBatch gives the next machines of a job, at most limit, their result.
func (s *Service) jobBatch(ctx context.Context, row *db.MachineJob, limit int, do func(*change.Change, *job.Order, *store.Machine, []*db.MachineLabel) (job.Outcome, error)) (n int, err error) {
	v := change.Verb{
		Name: "machineJob", Object: "machineJob", ID: row.ID, Reason: row.Reason, Part: true,
		By: auth.Principal{Name: row.CreatedBy, TeamID: row.TeamID, Credential: auth.Credential(row.Credential)},
	}
	order := job.OrderOf(row)
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		n = 0
		row, err := c.Tx.LockJob(ctx, row.ID, true)
		if err != nil {
			return err
		}
		if row == nil || row.State != string(job.Running) {
			return change.ErrUnchanged
		}
		items, err := nextItems(c, row.ID, limit)
		if err != nil {
			return err
		}
		found, err := lockMachines(c, items, order.GroupID)
		if err != nil {
			return err
		}
		labels, err := labelsFor(c, &order, found)
		if err != nil {
			return err
		}
		var ended []store.JobItem
		changed := map[uuid.UUID]int{} // machines by group
		for _, item := range items {
			out := job.Gone()
			if m := found[item.InstanceID]; m != nil {
				if m.GroupID != uuid.Nil && c.States[m.GroupID] == nil && c.Config.Group(m.GroupID) != nil {
					continue // it moved before the locks: the next batch locks its new group
				}
				groups := concerned(&order, m.GroupID)
				if out, err = do(c, &order, m, labels[m.InstanceID]); err != nil {
					return err
				}
				if out.Result == job.Done || out.Result == job.AfterUpdate {
					for _, id := range groups {
						changed[id]++
					}
				}
			}
			ended = append(ended, store.JobItem{ID: item.ID, Result: int8(out.Result), Detail: out.Detail, EndedAt: c.Now})
		}
		if order.Action == job.Label && len(changed) > 0 && c.Config != nil && c.Config.SelectLabels() {
			if err := reassign.Restart(ctx, c.Tx, c.Config, c.Now); err != nil {
				return err
			}
		}
		n = len(ended)
		if n == 0 && len(items) > 0 {
			return change.ErrUnchanged
		}
		if err := c.Tx.SaveJobItems(ctx, ended); err != nil {
			return err
		}
		return s.advanceJob(c, row, ended, changed)
	})
	return n, err
}

// nextItems reads the next machines of a job, all of one application, and sets c.App.
func nextItems(c *change.Change, id uuid.UUID, limit int) ([]*db.MachineJobItem, error) {
	items, err := c.Tx.Client().MachineJobItem.Query().
		Where(machinejobitem.JobID(id), view.WithResult(job.Pending)).Order(machinejobitem.ByResult(), machinejobitem.ByID()).Limit(limit).All(c.Ctx)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	c.App = items[0].ApplicationID
	if n := slices.IndexFunc(items, func(i *db.MachineJobItem) bool { return i.ApplicationID != c.App }); n > 0 {
		items = items[:n]
	}
	return items, nil
}

// lockMachines locks the groups of the machines and the one they may move to, and
// reads the machines. The result leaves out those that do not exist.
func lockMachines(c *change.Change, items []*db.MachineJobItem, to *uuid.UUID) (map[uuid.UUID]*store.Machine, error) {
	if len(items) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(items))
	for i, item := range items {
		ids[i] = item.InstanceID
	}
	var groups []uuid.UUID
	err := c.Tx.Client().Instance.Query().Where(instance.IDIn(ids...), instance.GroupIDNotNil()).
		Unique(true).Select(instance.FieldGroupID).Scan(c.Ctx, &groups)
	if err != nil {
		return nil, err
	}
	if to != nil && !slices.Contains(groups, *to) {
		groups = append(groups, *to)
	}
	if err := c.Lock(groups...); err != nil {
		return nil, err
	}
	if err := c.Load(); err != nil {
		if fault.CodeOf(err) == fault.NotFound {
			return nil, nil // the application was deleted with its machines
		}
		return nil, err
	}
	return c.Tx.Machines(c.Ctx, ids)
}

// labelsFor reads the attributes and tags of locked machines if an order needs them.
func labelsFor(c *change.Change, o *job.Order, found map[uuid.UUID]*store.Machine) (map[uuid.UUID][]*db.MachineLabel, error) {
	if o.Action != job.Label || len(found) == 0 {
		return nil, nil
	}
	return c.Tx.Labels(c.Ctx, slices.Collect(maps.Keys(found)))
}

// act applies an order to one machine, whose attributes and tags are given if the order
// needs them. An error means that the transaction must not be committed.
func act(c *change.Change, o *job.Order, m *store.Machine, labels []*db.MachineLabel) (job.Outcome, error) {
	if o.Until != nil && !o.Until.After(c.Now) {
		return job.Outcome{Result: job.Failed, Detail: "the time until which it was ordered has passed"}, nil
	}
	values := job.MachineOf(m, c.Now)
	values.Labels = labels
	out := o.Foresee(c.Config, values)
	if out.Result == job.Skipped || out.Result == job.Failed {
		return out, nil
	}
	c.Batch.Machines = append(c.Batch.Machines, m)
	if o.Action == job.Label {
		return out, labelMachine(c, m, o.Labels, labels)
	}
	g := c.Config.Group(m.GroupID)
	return out, apply(c, o, m, g)
}

func apply(c *change.Change, o *job.Order, m *store.Machine, g *catalog.Group) error {
	switch o.Action {
	case job.Hold:
		return overrideMachine(c, m, g, rollout.Override{Kind: rollout.OverrideHold, Until: input.Or(o.Until, time.Time{})}, "")
	case job.Pin:
		return overrideMachine(c, m, g, rollout.Override{Kind: rollout.OverridePin, Until: input.Or(o.Until, time.Time{})}, o.Version)
	case job.Release, job.Free:
		return releaseMachine(c, m, g)
	case job.Move:
		return assign(c, m, g, o.GroupID)
	case job.Forget:
		return forget(c, m, g)
	case job.Enroll:
		return enrollMachine(c, m, g)
	}
	return fmt.Errorf("action %q is not known", o.Action)
}

// advanceJob adds the results of a batch to the counts of its job. With the last machine
// it adds the activities.
func (s *Service) advanceJob(c *change.Change, row *db.MachineJob, ended []store.JobItem, changed map[uuid.UUID]int) error {
	counts := map[job.Result]int{}
	for i := range ended {
		counts[job.Result(ended[i].Result)]++
	}
	for id, machines := range row.Changed {
		changed[id] += machines
	}
	u := c.Tx.Client().MachineJob.UpdateOne(row).SetChangedAt(c.Now).AddDone(counts[job.Done]).
		AddAfterUpdate(counts[job.AfterUpdate]).AddSkipped(counts[job.Skipped]).AddFailed(counts[job.Failed])
	if job.PendingOf(row) > len(ended) {
		u.SetChanged(changed)
	} else {
		s.noteJob(c, row, changed)
		u.SetState(string(job.Finished)).ClearChanged()
	}
	c.Tx.Publish(event.Event{Kind: event.JobChanged, Job: row.ID})
	return u.Exec(c.Ctx)
}
