package fleet

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/store"
)

const (
	// listedTogether machines of a new job are written in one transaction, for which
	// check-ins wait on SQLite: 100,000 took 2.9 s.
	listedTogether = 2_500
	// maxRetried machines are named by one retry.
	maxRetried = 1_000
	// maxRequestID is the length of a request id in bytes.
	maxRequestID = 200
)

// StartMachineJob is the input of Service.StartMachineJob.
type StartMachineJob struct {
	Filter machines.Filter
	Action job.Order
	Reason string
	// ExpectedCount is the number of machines that a preview showed; nil: any.
	ExpectedCount *int
	// RequestID makes it safe to send the input twice: both return one job. "" = none.
	RequestID string
}

// StartMachineJob starts a job on the machines that match a filter now, at most
// 100,000. Every process works on it, see WorkJobs.
func (s *Service) StartMachineJob(ctx context.Context, in StartMachineJob) (*db.MachineJob, error) {
	now := s.now()
	id := store.NewID(now)
	v := change.Verb{Name: "startMachineJob", Object: "machineJob", ID: id, Reason: in.Reason, Unique: "requestId", Invalid: s.checkJob(ctx, &in)}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	app, err := s.applicationOf(ctx, &in.Filter)
	if err != nil {
		return nil, err
	}
	if err := mayRun(&v, s.seen(ctx), in.Action.Action, app, in.Filter.Group, in.Action.GroupID); err != nil {
		return nil, err
	}
	sent, err := json.Marshal(sentInput{v.By.Name, in.Filter, in.Action, in.Reason})
	if err != nil {
		return nil, v.Expected(err)
	}
	if in.RequestID != "" {
		if row, err := s.startedBefore(ctx, in.RequestID, string(sent)); row != nil || err != nil {
			return row, err
		}
	}
	items, err := s.View.JobMachines(ctx, in.Filter, view.MaxJobMachines+1)
	if err != nil {
		return nil, err
	}
	if err := checkCount(len(items), in.ExpectedCount); err != nil {
		return nil, err
	}
	selection := in.Filter.Describe(s.seen(ctx))
	total := len(items)
	for len(items) > listedTogether { // the job does not exist before its row
		part := items[:listedTogether]
		if err := s.store.Write(ctx, now, func(tx *store.Tx) error { return tx.AddJobItems(ctx, id, part) }); err != nil {
			return nil, v.Expected(err)
		}
		items = items[listedTogether:]
	}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		if err := c.Tx.AddJobItems(ctx, id, items); err != nil {
			return err
		}
		labels, err := in.Action.Labels.Text()
		if err != nil {
			return err
		}
		c.After = jobRecord{in.Action.Action, selection, total, in.Action.Until, in.Action.Version, in.Action.GroupID, in.Action.Replace, in.Action.Labels}
		c.Tx.Publish(event.Event{Kind: event.JobChanged, Job: id})
		return c.Tx.Client().MachineJob.Create().SetID(id).SetCreatedAt(now).SetChangedAt(now).
			SetCreatedBy(c.By.Name).SetCredential(string(c.By.Credential)).SetTeamID(jobTeam(c)).
			SetRequestID(in.RequestID).SetInput(string(sent)).SetSelection(selection).SetNillableWithinGroupID(in.Filter.Group).SetNillableApplicationID(named(c.App)).
			SetAction(string(in.Action.Action)).SetReason(in.Reason).SetNillableUntil(in.Action.Until).SetVersion(in.Action.Version).
			SetNillableGroupID(in.Action.GroupID).SetReplace(in.Action.Replace).SetLabels(labels).
			SetState(string(job.Running)).SetMachines(total).Exec(ctx)
	})
	if fault.CodeOf(err) == fault.Conflict && in.RequestID != "" { // the same request was faster
		return s.startedBefore(ctx, in.RequestID, string(sent))
	}
	if err != nil {
		return nil, err
	}
	return s.View.MachineJob(ctx, id)
}

// sentInput is what must be the same for the same request id.
type sentInput struct {
	By     string
	Filter machines.Filter
	Action job.Order
	Reason string
}

// jobRecord is a job in the audit.
type jobRecord struct {
	Action    job.Action  `json:"action"`
	Selection string      `json:"selection"`
	Machines  int         `json:"machines"`
	Until     *time.Time  `json:"until,omitempty"`
	Version   string      `json:"version,omitempty"`
	Group     *uuid.UUID  `json:"group,omitempty"`
	Replace   bool        `json:"replace,omitempty"`
	Labels    *job.Labels `json:"labels,omitempty"`
}

// mayRun checks the role for a job on the machines of a group, of an application, or, with
// neither, on all that the caller sees, and on the group to which they move.
func mayRun(v *change.Verb, seen *catalog.Catalog, action job.Action, app *catalog.App, within, to *uuid.UUID) error {
	if app != nil {
		v.App = app.ID
	} else if !v.By.SeesAll() {
		for _, id := range seen.Apps() {
			if seen.App(id).TeamID != v.By.TeamID {
				return fault.Errorf(fault.Invalid, "filter.applicationId", "must name an application, because you see those of several teams")
			}
		}
	}
	if action == job.Label && app != nil && app.SelectLabels() {
		within = nil // labels can move machines to every group
	}
	for _, place := range view.JobPlaces(v.By, app, within, to) {
		for _, verb := range view.JobVerbs(v.Name, action) {
			if err := fault.RequireOn(v.By, verb, place); err != nil {
				return err
			}
		}
	}
	return nil
}

// jobTeam returns the team whose members see a job without an application; zero: a job of
// the whole installation, which only callers of the whole installation see.
func jobTeam(c *change.Change) uuid.UUID {
	if c.App == uuid.Nil && c.By.SeesAll() {
		return uuid.Nil
	}
	return c.Team()
}

func (s *Service) checkJob(ctx context.Context, in *StartMachineJob) error {
	if in.Action.Until != nil {
		in.Action.Until = new(in.Action.Until.UTC().Truncate(time.Microsecond))
	}
	var p input.Problems
	p.Line("requestId", in.RequestID, maxRequestID)
	p.Line("action.version", in.Action.Version, maxVersion)
	if in.Action.Action == job.Forget && in.Filter.Empty() {
		p.Add("filter", "name at least one condition: without one the whole fleet would be forgotten")
	}
	if err := p.Err(); err != nil {
		return err
	}
	return in.Action.Check(s.seen(ctx), s.now())
}

func checkCount(n int, expected *int) error {
	switch {
	case n == 0:
		return noMachine()
	case n > view.MaxJobMachines:
		return fault.Errorf(fault.Invalid, "filter", "more than %d machines match; add a condition", view.MaxJobMachines)
	case expected != nil && *expected != n:
		return fault.Errorf(fault.Conflict, "expectedCount", "%s now, not %d; preview the job again", phrase.Count(n, "matching machine"), *expected)
	}
	return nil
}

// applicationOf returns the application that a filter names, nil for none.
func (s *Service) applicationOf(ctx context.Context, f *machines.Filter) (app *catalog.App, err error) {
	c := s.seen(ctx)
	switch {
	case f.Application != nil:
		app = c.App(*f.Application)
	case f.Group == nil:
		return nil, nil
	case c.Group(*f.Group) != nil:
		app = c.Group(*f.Group).App
	}
	if app == nil {
		return nil, noMachine()
	}
	return app, nil
}

func noMachine() error { return fault.Errorf(fault.Invalid, "filter", "no machine matches") }

// startedBefore returns the job of a request id, nil for none.
func (s *Service) startedBefore(ctx context.Context, request, sent string) (*db.MachineJob, error) {
	row, err := s.View.MachineJobByRequest(ctx, request)
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case row.Input != sent:
		return nil, fault.Errorf(fault.Conflict, "requestId", "this id was used for another job")
	}
	return row, nil
}

// StopMachineJob is the input of Service.StopMachineJob.
type StopMachineJob struct {
	ID     uuid.UUID
	Reason string
}

// StopMachineJob stops a job after its current batch. Machines that it has changed
// stay so. It does nothing to a job that does not run.
func (s *Service) StopMachineJob(ctx context.Context, in StopMachineJob) (*db.MachineJob, error) {
	return s.changeJob(ctx, "stopMachineJob", in.ID, in.Reason, func(c *change.Change, row *db.MachineJob) error {
		if row.State != string(job.Running) {
			return change.ErrUnchanged
		}
		s.noteJob(c, row, row.Changed)
		return c.Tx.Client().MachineJob.UpdateOne(row).SetState(string(job.Stopped)).SetStoppedBy(c.By.Name).SetChangedAt(c.Now).ClearChanged().Exec(ctx)
	})
}

// RetryMachineJob is the input of Service.RetryMachineJob.
type RetryMachineJob struct {
	ID          uuid.UUID
	InstanceIDs []uuid.UUID // nil: all that failed, and those that a stop left out
	Reason      string
}

// RetryMachineJob lets a job try machines again that failed, and continues a stopped
// job. Machines that have not failed are left out.
func (s *Service) RetryMachineJob(ctx context.Context, in RetryMachineJob) (*db.MachineJob, error) {
	if n := len(in.InstanceIDs); n > maxRetried {
		return nil, fault.Errorf(fault.Invalid, "instanceIds", "must have at most %d ids, not %d", maxRetried, n)
	}
	return s.changeJob(ctx, "retryMachineJob", in.ID, in.Reason, func(c *change.Change, row *db.MachineJob) error {
		stopped := row.State == string(job.Stopped)
		if stopped && in.InstanceIDs != nil {
			return fault.Errorf(fault.Conflict, "instanceIds", "the job was stopped; continue it as a whole, without instanceIds")
		}
		if in.InstanceIDs != nil && len(in.InstanceIDs) == 0 {
			return change.ErrUnchanged
		}
		n, err := c.Tx.ResetJobItems(ctx, row.ID, int8(job.Failed), int8(job.Pending), in.InstanceIDs)
		if err != nil {
			return err
		}
		if n == 0 && !stopped {
			return change.ErrUnchanged
		}
		return c.Tx.Client().MachineJob.UpdateOne(row).SetState(string(job.Running)).SetStoppedBy("").AddFailed(-n).SetChangedAt(c.Now).Exec(ctx)
	})
}

// changeJob changes a job under its lock.
func (s *Service) changeJob(ctx context.Context, verb string, id uuid.UUID, reason string, f func(*change.Change, *db.MachineJob) error) (*db.MachineJob, error) {
	v := change.Verb{Name: verb, Object: "machineJob", ID: id, Reason: reason}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	row, err := s.View.MachineJob(ctx, id)
	if err != nil {
		return nil, err
	}
	var app *catalog.App
	if row.ApplicationID != nil {
		if app = s.seen(ctx).App(*row.ApplicationID); app == nil {
			return nil, fault.Errorf(fault.NotFound, "id", "there is no such job")
		}
	}
	if err := mayRun(&v, s.seen(ctx), job.Action(row.Action), app, row.WithinGroupID, row.GroupID); err != nil {
		return nil, err
	}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.LockJob(ctx, id, false)
		if err != nil {
			return err
		}
		if row == nil {
			return fault.Errorf(fault.NotFound, "id", "there is no such job")
		}
		c.Tx.Publish(event.Event{Kind: event.JobChanged, Job: id})
		return f(c, row)
	})
	if err != nil {
		return nil, err
	}
	return s.View.MachineJob(ctx, id)
}

// named returns an id, nil if it is zero.
func named(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
