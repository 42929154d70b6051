package quota

import (
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// Kind is what was refused, or what machines report that did not reach the server.
type Kind string

// The kinds of refusals.
const (
	CrossSite   Kind = "cross_site"     // a request that a browser sent for another site
	NewMachine  Kind = "new_machine"    // a machine that was not registered
	History     Kind = "history"        // a history entry that was not stored
	Version     Kind = "version"        // a version that was stored as "other"
	Platform    Kind = "platform"       // a platform that was stored as "other"
	Merged      Kind = "history_merged" // a history entry that repeats the one before; it needs no attention
	FailedCheck Kind = "failed_check"   // an update check that failed, of many within minutes
	Mirror      Kind = "mirror"         // a mirror that was answered as a machine
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{CrossSite, NewMachine, History, Merged, Version, Platform, Mirror, FailedCheck}
}

// Subject is what refusals are counted by.
type Subject struct {
	Kind  Kind
	Group uuid.UUID // zero: none
}

// Refusals counts what was refused in this process. It is safe for concurrent use.
type Refusals struct {
	totals map[Kind]*atomic.Int64

	mu     sync.Mutex
	recent map[Subject]int64 // since the last Take; groups exist, so it is bounded
}

// NewRefusals makes counters that are all zero.
func NewRefusals() *Refusals {
	r := &Refusals{totals: map[Kind]*atomic.Int64{}, recent: map[Subject]int64{}}
	for _, k := range Kinds() {
		r.totals[k] = &atomic.Int64{}
	}
	return r
}

// Add counts n refusals.
func (r *Refusals) Add(k Kind, group uuid.UUID, n int64) {
	if n == 0 {
		return
	}
	r.totals[k].Add(n)
	r.mu.Lock()
	r.recent[Subject{k, group}] += n
	r.mu.Unlock()
}

// Count adds to a total only.
func (r *Refusals) Count(k Kind, n int64) { r.totals[k].Add(n) }

// Total returns the number of refusals since the start of the process.
func (r *Refusals) Total(k Kind) int64 { return r.totals[k].Load() }

// Take returns the refusals since the last Take.
func (r *Refusals) Take() map[Subject]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	recent := r.recent
	r.recent = map[Subject]int64{}
	return recent
}

// PutBack counts refusals again that could not be stored. It leaves the totals.
func (r *Refusals) PutBack(taken map[Subject]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s, n := range taken {
		r.recent[s] += n
	}
}
