package upkeep

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/pace"
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
}

// Health reads the state of the service; it asks no database.
func (w *Worker) Health(ctx context.Context) (*Health, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return nil, err
	}
	return &Health{Status: w.machines.Status(), Jobs: w.jobs.list()}, nil
}

// The jobs by the names that are shown to operators.
const (
	jobLastSeen   = "write last-seen times"
	jobPace       = "write the pace of groups"
	jobAdvance    = "end leases and open waves"
	jobSweep      = "find silent machines"
	jobStatistics = "record statistics"
	jobSample     = "sample the pace"
	jobRetain     = "delete old records"
)

// jobs keeps the last run of each job.
type jobs struct {
	mu  sync.Mutex
	all []Job
}

func newJobs() *jobs {
	return &jobs{all: []Job{
		{Name: jobLastSeen, Every: checkin.TouchEvery},
		{Name: jobPace, Every: workEvery},
		{Name: jobAdvance, Every: workEvery},
		{Name: jobSweep, Every: workEvery},
		{Name: jobStatistics, Every: pace.Finest},
		{Name: jobSample, Every: pace.Finest},
		{Name: jobRetain, Every: retainEvery},
	}}
}

// ran records a run of a job and returns its error.
func (j *jobs) ran(name string, at time.Time, err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := slices.IndexFunc(j.all, func(job Job) bool { return job.Name == name })
	j.all[i].LastRunAt, j.all[i].LastError = &at, ""
	if err != nil {
		j.all[i].LastError = err.Error()
	}
	return err
}

func (j *jobs) list() []Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.all)
}
