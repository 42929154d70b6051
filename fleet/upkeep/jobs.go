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

	do func(ctx context.Context, now time.Time) error // what one process does for all; errNotDue: nothing was done
}

// Health reads the state of the service; it asks no database.
func (w *Worker) Health(ctx context.Context) (*Health, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	return &Health{Status: w.machines.Status(), Jobs: w.jobs.list()}, nil
}

// The jobs that every process does for itself, by their index.
const (
	jobLastSeen = iota
	jobPace
	jobBeat
	jobRefusals
	jobRefused
	jobSecrets
	jobSignIns
	jobClock
	jobMachines
	jobUses
	jobDownloads
	jobUploads
	jobMirrors
)

// jobs keeps the last run of each job.
type jobs struct {
	mu  sync.Mutex
	all []Job
}

func (w *Worker) newJobs() *jobs {
	return &jobs{all: []Job{
		jobLastSeen:  {Name: "write last-seen times", Every: checkin.TouchEvery},
		jobPace:      {Name: "write the pace of groups", Every: workEvery},
		jobBeat:      {Name: "record uptime", Every: store.BeatEvery},
		jobRefusals:  {Name: "write refusals and mirrors", Every: workEvery},
		jobRefused:   {Name: "write refused requests", Every: workEvery},
		jobSecrets:   {Name: "write the use of machine secrets", Every: workEvery},
		jobSignIns:   {Name: "write failed sign-ins", Every: workEvery},
		jobClock:     {Name: "compare the clocks", Every: store.BeatEvery},
		jobMachines:  {Name: "work on machine jobs", Every: workEvery},
		jobUses:      {Name: "write the uses of sessions and tokens", Every: workEvery},
		jobDownloads: {Name: "write the numbers of downloads", Every: workEvery},
		jobUploads:   {Name: "delete old uploads", Every: retainEvery},
		jobMirrors:   {Name: "run mirrors", Every: workEvery},
		{Name: "end leases and open waves", Every: workEvery, do: w.advance},
		{Name: "find silent machines", Every: workEvery, do: w.sweep},
		{Name: "report and release overdue reboot slots", Every: workEvery, do: w.reboots},
		{Name: "end expired proposals", Every: workEvery, do: w.expire},
		{Name: "record statistics", Every: pace.Finest, do: w.recordStatistics},
		{Name: "sample the pace", Every: pace.Finest, do: w.samplePace},
		{Name: "delete the rows of deleted groups and applications", Every: workEvery, do: w.drop},
		{Name: "delete old records", Every: retainEvery, do: w.retain},
	}}
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

func (j *jobs) list() []Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.all)
}
