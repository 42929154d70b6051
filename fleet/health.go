package fleet

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/auth"
)

// Health is how the service does in this process.
type Health struct {
	ChecksPerSecond float64 // check-ins answered, over the last half minute
	Waiting         int     // check-ins that wait for a transaction
	WaitingLimit    int     // how many may, before machines are told to come back later
	KnownMachines   int     // that are remembered
	Jobs            []Job
}

// Job is something the service does by itself.
type Job struct {
	Name      string
	Every     time.Duration
	LastRunAt *time.Time // in this process; nil: not since it was started
	LastError string     // of that time; "": none
}

// Health looks at the service; it asks no database.
func (s *Service) Health(ctx context.Context) (*Health, error) {
	if _, err := require(ctx, auth.Read); err != nil {
		return nil, err
	}
	return &Health{
		ChecksPerSecond: s.rate.perSecond(s.now()),
		Waiting:         s.lane.Waiting(),
		WaitingLimit:    laneWaiting,
		KnownMachines:   s.idle.size(),
		Jobs:            s.jobs.list(),
	}, nil
}

// rateSeconds is over how long the rate of check-ins is taken.
const rateSeconds = 30

// rate counts by the second. Each slot holds a second and its count, so that
// noting one costs a single exchange.
type rate struct {
	slots [rateSeconds + 2]atomic.Uint64
}

const rateBits = 24 // of the count; sixteen million check-ins a second

func (r *rate) note(now time.Time) {
	second := uint64(now.Unix())
	slot := &r.slots[second%uint64(len(r.slots))]
	for {
		was := slot.Load()
		is := was + 1
		if was>>rateBits != second {
			is = second<<rateBits + 1
		}
		if slot.CompareAndSwap(was, is) {
			return
		}
	}
}

// perSecond is the mean of the last whole seconds.
func (r *rate) perSecond(now time.Time) float64 {
	end, n := uint64(now.Unix()), uint64(0)
	for i := range r.slots {
		v := r.slots[i].Load()
		if second := v >> rateBits; second < end && second+rateSeconds >= end {
			n += v & (1<<rateBits - 1)
		}
	}
	return float64(n) / rateSeconds
}

// The jobs, as they are called where they are shown.
const (
	jobSeen       = "write when machines were last seen"
	jobPace       = "write the pace of groups"
	jobAdvance    = "end leases and open waves"
	jobSweep      = "find silent machines"
	jobStatistics = "keep statistics"
	jobSample     = "sample the pace"
	jobRetain     = "delete what is old"
)

// jobs remember when each was done last.
type jobs struct {
	mu  sync.Mutex
	all []Job
}

func newJobs() *jobs {
	finest := time.Duration(resolutions[0].seconds) * time.Second
	return &jobs{all: []Job{
		{Name: jobSeen, Every: touchEvery},
		{Name: jobPace, Every: workEvery},
		{Name: jobAdvance, Every: workEvery},
		{Name: jobSweep, Every: workEvery},
		{Name: jobStatistics, Every: finest},
		{Name: jobSample, Every: finest},
		{Name: jobRetain, Every: retainEvery},
	}}
}

// ran notes that a job was done, and returns its error.
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
