package checkin

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// TouchEvery bounds the delay of a last-seen time while at most touchRows
	// machines are seen in that time: 4,000 per second.
	TouchEvery = time.Second / 4
	// touchRows caps the rows written per TouchEvery: more than ten million
	// machines cause that check every 45 minutes. Beyond it the oldest times are
	// written first, and a machine seen again while it waits is written once, with
	// its last time. So a storm of checks causes no storm of writes; the times
	// of n machines are then n/4000 seconds late.
	touchRows = 1000
	// touchBatch is how many rows one transaction writes. It is small because
	// check-ins wait for it: on SQLite for the whole transaction, on PostgreSQL for
	// a locked row. The batches are spread over TouchEvery.
	touchBatch = 100
	// touchYield: while more than touchBatch check-ins wait for the database, only
	// every touchYield-th batch is written.
	touchYield = 4
	// touchDrain bounds the writing of the remaining times at a stop.
	touchDrain = 10 * time.Second
)

// sighting is a machine and when it was seen.
type sighting struct {
	id uuid.UUID
	at int64 // Unix microseconds
}

// lastSeenQueue holds the sightings to write, the oldest first.
type lastSeenQueue struct {
	mu      sync.Mutex
	waiting []sighting
	taken   int // of waiting, from its start
}

func (q *lastSeenQueue) put(s sighting) {
	q.mu.Lock()
	q.waiting = append(q.waiting, s)
	q.mu.Unlock()
}

// take appends at most n of the oldest sightings to a slice of the caller.
func (q *lastSeenQueue) take(n int, to []sighting) []sighting {
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

// size returns the number of waiting sightings.
func (q *lastSeenQueue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) - q.taken
}

// latest returns the last time of each machine and allows it to be queued again.
func (i *idleCache) latest(all []sighting) map[uuid.UUID]time.Time {
	seen := make(map[uuid.UUID]time.Time, len(all))
	for _, one := range all {
		s := i.shard(one.id)
		s.mu.Lock()
		if m, known := s.machines[one.id]; known {
			one.at = max(one.at, m.seen)
			m.flags &^= idleQueued
			s.machines[one.id] = m
		}
		s.mu.Unlock()
		if at := time.UnixMicro(one.at).UTC(); at.After(seen[one.id]) {
			seen[one.id] = at
		}
	}
	return seen
}

// writeLastSeen writes the last-seen times of idle machines until the context
// ends.
func (s *Service) writeLastSeen(ctx context.Context, report func(error)) {
	const steps = touchRows / touchBatch
	tick := time.NewTicker(TouchEvery / steps)
	defer tick.Stop()
	write := func(ctx context.Context, most int) (full bool) {
		n, err := s.touch(ctx, most)
		if ctx.Err() == nil {
			report(err)
		}
		return n == most && err == nil
	}
	for step := 0; ; step++ {
		select {
		case <-ctx.Done():
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), touchDrain)
			defer cancel()
			for drain.Err() == nil && write(drain, touchRows) {
			}
			if drain.Err() != nil {
				s.log.Warn("stopped before all last-seen times were written")
			}
			return
		case <-tick.C:
			if s.lane.Waiting() > touchBatch && step%touchYield != 0 {
				continue
			}
			if step%steps == 0 || s.idle.lastSeen.size() >= touchBatch {
				write(ctx, touchBatch)
			}
		}
	}
}

// FlushLastSeen writes the oldest waiting times, those of touchRows machines at
// most, and returns how many it wrote.
func (s *Service) FlushLastSeen(ctx context.Context) (written int, err error) {
	return s.touch(ctx, touchRows)
}

// touch writes the oldest waiting times in small transactions and returns how
// many it wrote.
func (s *Service) touch(ctx context.Context, most int) (written int, err error) {
	var part []sighting
	for written < most {
		part = s.idle.lastSeen.take(touchBatch, part[:0])
		if err := s.store.TouchMachines(ctx, s.idle.latest(part)); err != nil {
			return written, err
		}
		if written += len(part); len(part) < touchBatch {
			break
		}
	}
	return written, nil
}
