package upkeep

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/pace"
	"github.com/coreroller/coreroller/store"
)

// Health is the state of the service in this process.
type Health struct {
	checkin.Status
	Jobs []Job
}

// Job is one background job.
type Job struct {
	Name      string
	Every     time.Duration
	LastRunAt *time.Time // in this process; nil: not since the start
	LastError string     // of the last run; "": none

	task *Task // nil: it runs in a loop of its own
}

// Task is a job that Work runs.
type Task struct {
	Name  string
	Every time.Duration
	Do    func(ctx context.Context, now time.Time) error
	Last  func(ctx context.Context) error // done when the process stops; nil: nothing
	Who   Who
}

// Who runs a task.
type Who int

const (
	// EachProcess does the task for itself.
	EachProcess Who = iota
	// EachSteadyProcess does it for itself, but not while the clock of its host is wrong.
	EachSteadyProcess
	// OneProcess does it for all, but not while the clock of its host is wrong.
	OneProcess
)

// Health reads the state of the service; it asks no database.
func (w *Worker) Health(ctx context.Context) (*Health, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	return &Health{Status: w.machines.Status(), Jobs: w.jobs.list()}, nil
}

// Jobs returns the background jobs, for the metrics.
func (w *Worker) Jobs() []Job { return w.jobs.list() }

// The jobs with loops of their own, by their index.
const (
	jobLastSeen = iota
	jobBeat
	jobClock
	jobMachines
	jobMirrors
)

// jobs keeps the last run of each job.
type jobs struct {
	mu  sync.Mutex
	all []Job
}

// newJobs lists the jobs; those in tasks run after the worker's own.
func (w *Worker) newJobs(tasks []Task) *jobs {
	all := []Job{
		jobLastSeen: {Name: "write last-seen times", Every: checkin.TouchEvery},
		jobBeat:     {Name: "record uptime", Every: store.BeatEvery},
		jobClock:    {Name: "compare the clocks", Every: store.BeatEvery},
		jobMachines: {Name: "work on machine jobs", Every: WorkEvery},
		jobMirrors:  {Name: "run mirrors", Every: WorkEvery},
	}
	own := []Task{
		// After an error the numbers are kept.
		{Name: "write the pace of groups", Every: WorkEvery, Do: w.writePace, Last: func(ctx context.Context) error { return w.writePace(ctx, w.now()) }},
		{Name: "write refusals and mirrors", Every: WorkEvery, Do: w.writeRefusals},
		{Name: "write refused requests", Every: WorkEvery, Do: Timeless(w.machines.FlushRefused), Last: w.machines.FlushRefused},
		{Name: "write the use of machine secrets", Every: WorkEvery, Do: Timeless(w.machines.FlushSecretUses), Last: w.machines.FlushSecretUses},
		{Name: "end leases and open waves", Every: WorkEvery, Do: w.advance, Who: OneProcess},
		{Name: "find silent machines", Every: WorkEvery, Do: w.sweep, Who: OneProcess},
		{Name: "record statistics", Every: pace.Finest, Do: w.recordStatistics, Who: OneProcess},
		{Name: "sample the pace", Every: pace.Finest, Do: w.samplePace, Who: OneProcess},
		{Name: "delete the rows of deleted groups and applications", Every: WorkEvery, Do: w.drop, Who: OneProcess},
		{Name: "delete old records", Every: RetainEvery, Do: w.retain, Who: OneProcess},
	}
	for _, t := range slices.Concat(own, tasks) {
		all = append(all, Job{Name: t.Name, Every: t.Every, task: &t})
	}
	return &jobs{all: all}
}

// Timeless makes the function of a task from one that needs no time.
func Timeless(f func(context.Context) error) func(context.Context, time.Time) error {
	return func(ctx context.Context, _ time.Time) error { return f(ctx) }
}

// ran records a run of a job and returns its error, unless it was not due.
func (j *jobs) ran(job int, at time.Time, err error) error {
	if errors.Is(err, errNotDue) {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.all[job].LastRunAt, j.all[job].LastError = &at, ""
	if err != nil {
		j.all[job].LastError = err.Error()
	}
	return err
}

// due reports whether a job that is done rarely is due again.
func (j *jobs) due(job int, now time.Time) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	last, every := j.all[job].LastRunAt, j.all[job].Every
	return every <= WorkEvery || last == nil || now.Sub(*last).Abs() >= every
}

func (j *jobs) list() []Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.all)
}
