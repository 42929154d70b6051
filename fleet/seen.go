package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// touchEvery is how late the moment a machine was last seen may be, as long
	// as no more than touchRows are seen in that time: 4000 a second.
	touchEvery = time.Second / 4
	// touchRows is how many machines are touched at a time: more than ten
	// million that ask every 45 minutes send. When more are seen, those that
	// wait longest come first; a machine seen again while it waits is written
	// once, with its last moment. So a storm of checks does not become a storm
	// of writes, and the moments of n machines are n/4000 seconds late, or n/1000
	// while touchAside holds.
	touchRows = 1000
	// touchBatch is how many machines one transaction touches: few, because
	// check-ins wait for it, on SQLite for all of it and on PostgreSQL for a
	// machine of theirs. So many of touchRows are written one by one in the
	// course of touchEvery, and not in a row.
	touchBatch = 100
	// touchAside is the part of them that is written while more check-ins wait
	// for the database than touchBatch: a quarter. The others wait until it has
	// time for them.
	touchAside = 4
	// touchRest is how long a stopping process goes on writing what waits.
	touchRest = 10 * time.Second
)

// sighting is a machine at a moment.
type sighting struct {
	id uuid.UUID
	at int64 // Unix microseconds
}

// seenQueue holds what is to be written, the oldest first.
type seenQueue struct {
	mu      sync.Mutex
	waiting []sighting
	taken   int // of waiting, from its beginning
}

func (q *seenQueue) put(s sighting) {
	q.mu.Lock()
	q.waiting = append(q.waiting, s)
	q.mu.Unlock()
}

// take moves at most n of the oldest to a slice of the caller's.
func (q *seenQueue) take(n int, to []sighting) []sighting {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.waiting)-q.taken)
	to = append(to, q.waiting[q.taken:q.taken+n]...)
	if q.taken += n; 2*q.taken >= len(q.waiting) {
		q.waiting = append(q.waiting[:0], q.waiting[q.taken:]...)
		q.taken = 0
	}
	return to
}

// size is how many wait.
func (q *seenQueue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) - q.taken
}

// latest is when the machines of sightings were seen last. They may be queued
// again from now on.
func (i *idleMemory) latest(all []sighting) map[uuid.UUID]time.Time {
	seen := make(map[uuid.UUID]time.Time, len(all))
	for _, one := range all {
		s := i.shard(one.id)
		s.mu.Lock()
		if m, known := s.machines[one.id]; known {
			one.at = max(one.at, m.seen)
			m.queued = false
			s.machines[one.id] = m
		}
		s.mu.Unlock()
		if at := time.UnixMicro(one.at).UTC(); at.After(seen[one.id]) {
			seen[one.id] = at
		}
	}
	return seen
}

// touch writes when idle machines were last seen, until the context ends.
func (s *Service) touch(ctx context.Context) {
	const steps = touchRows / touchBatch
	tick := time.NewTicker(touchEvery / steps)
	defer tick.Stop()
	for step := 0; ; step++ {
		select {
		case <-ctx.Done():
			rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), touchRest)
			defer cancel()
			for rest.Err() == nil && s.flushSeen(rest, touchRows) {
			}
			if rest.Err() != nil {
				s.log.Warn("stopped before it was written of all machines when they were last seen")
			}
			return
		case <-tick.C:
			if s.lane.Waiting() > touchBatch && step%touchAside != 0 {
				continue
			}
			if step%steps == 0 || s.idle.seen.size() >= touchBatch {
				s.flushSeen(ctx, touchBatch)
			}
		}
	}
}

// flushSeen writes the moments of at most so many machines and reports whether
// there were as many.
func (s *Service) flushSeen(ctx context.Context, most int) bool {
	n, err := s.writeSeen(ctx, most)
	if err = s.jobs.ran(jobSeen, s.now(), err); err != nil && ctx.Err() == nil {
		s.log.Error("when machines were last seen could not be written", "error", err)
	}
	return n == most && err == nil
}

func (s *Service) writeSeen(ctx context.Context, most int) (written int, err error) {
	var part []sighting
	for written < most {
		part = s.idle.seen.take(touchBatch, part[:0])
		if err := s.store.TouchMachines(ctx, s.idle.latest(part)); err != nil {
			return written, err
		}
		if written += len(part); len(part) < touchBatch {
			break
		}
	}
	return written, nil
}
