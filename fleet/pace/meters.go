// Package pace measures how fast each group updates: the most in flight and
// granted, and the number of checks, since the last write to pace_points.
package pace

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Resolution is one step of the recorded statistics.
type Resolution struct {
	Seconds int // between points; store.Periods says how long they are kept
}

// Resolutions returns all resolutions, the finest first. The finest feeds the
// last hour of the live page.
func Resolutions() []Resolution {
	return []Resolution{{30}, {300}, {3600}, {86400}}
}

// Finest is the step between points of the finest resolution.
const Finest = 30 * time.Second

// Meters measure the groups in this process between two writes. They are safe
// for concurrent use.
type Meters struct {
	groups  sync.Map // group id → *Meter
	writing sync.Mutex
	written time.Time // of the last write
}

// Meter measures one group. A check costs one atomic addition; the rest is noted
// once per batch.
type Meter struct {
	Checks atomic.Int64

	mu   sync.Mutex
	peak store.Pace // without checks
}

// NewMeters makes meters whose first write covers the time from now.
func NewMeters(now time.Time) *Meters { return &Meters{written: now} }

// Of returns the meter of a group and makes it on first use.
func (m *Meters) Of(group uuid.UUID) *Meter {
	if found, ok := m.groups.Load(group); ok {
		return found.(*Meter)
	}
	found, _ := m.groups.LoadOrStore(group, &Meter{})
	return found.(*Meter)
}

// Note raises the peaks to p; it ignores p.Checks.
func (m *Meter) Note(p store.Pace) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.peak.InFlight, m.peak.InFlightCap = max(m.peak.InFlight, p.InFlight), max(m.peak.InFlightCap, p.InFlightCap)
	m.peak.Granted, m.peak.GrantedCap = max(m.peak.Granted, p.Granted), max(m.peak.GrantedCap, p.GrantedCap)
}

// take returns and resets what was measured.
func (m *Meter) take() store.Pace {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.peak
	m.peak = store.Pace{}
	p.Checks = int(m.Checks.Swap(0))
	return p
}

// restore adds what was taken but could not be written.
func (m *Meter) restore(p store.Pace) {
	m.Checks.Add(int64(p.Checks))
	m.Note(p)
}

// Of returns the use of a group's limits at a given time.
func Of(g *catalog.Group, l *rollout.Ledger, now time.Time) store.Pace {
	p := g.Policy
	return store.Pace{
		InFlight: l.InFlight, InFlightCap: p.MaxConcurrentUpdates,
		Granted: l.Granted(now, p.PeriodInterval), GrantedCap: p.MaxUpdatesPerPeriod,
	}
}

// EndOf returns the end of the interval of the given length in seconds that
// contains at.
func EndOf(at time.Time, seconds int) time.Time {
	step := time.Duration(seconds) * time.Second
	if end := at.Truncate(step); end.Equal(at) {
		return end
	}
	return at.Truncate(step).Add(step)
}
