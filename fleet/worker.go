package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

const (
	// workEvery is how often the worker looks: leases end within 30 seconds
	// even when no machine asks.
	workEvery = 5 * time.Second
	// silentAfter is when a machine no longer counts as active.
	silentAfter = 24 * time.Hour
	// expireAfter is when a silent machine leaves the counts altogether.
	expireAfter = 30 * 24 * time.Hour
	// keepHistory is how long events, history and machines out of count stay.
	keepHistory = 90 * 24 * time.Hour
	// sweepRows is how many machines one tick looks at for silence. Walking the
	// primary key needs no index on what every poll changes; ten million
	// machines are walked in some three hours, a small fleet at every tick.
	sweepRows = 5_000
)

// work runs the background jobs until the context ends. Any process can do
// them; one at a time does.
func (s *Service) work(ctx context.Context) {
	// At whole multiples of workEvery, so that what is counted by the half
	// minute is counted when a half minute ends.
	wait := func() time.Duration { return workEvery - s.now().Sub(s.now().Truncate(workEvery)) }
	tick := time.NewTimer(wait())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if err := s.writePace(context.WithoutCancel(ctx)); err != nil {
				s.log.Error("the pace of groups could not be written", "error", err)
			}
			return
		case <-tick.C:
			tick.Reset(wait())
			if err := s.Work(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("background work", "error", err)
			}
		}
	}
}

// Work does once what is due: leases that ended, waves whose soak is over,
// machines that fell silent, statistics, and what is too old to keep. It
// returns at once when another process is at it.
func (s *Service) Work(ctx context.Context) error {
	s.flushSeen(ctx, touchRows) // so that nobody is taken for silent who was just seen
	// Every process writes its own pace; what could not be written is kept.
	if err := s.jobs.ran(jobPace, s.now(), s.writePace(ctx)); err != nil && ctx.Err() == nil {
		s.log.Error("the pace of groups could not be written", "error", err)
	}
	return s.store.Exclusive(ctx, func(ctx context.Context) error {
		now := s.now()
		for _, job := range []struct {
			name string
			do   func(ctx context.Context, now time.Time) error // errNotDue: nothing was done
		}{
			{jobAdvance, s.advanceGroups},
			{jobSweep, s.sweep},
			{jobStatistics, s.keepStatistics},
			{jobSample, s.samplePace},
			{jobRetain, s.retain},
		} {
			err := job.do(ctx, now)
			if errors.Is(err, errNotDue) {
				continue
			}
			if s.jobs.ran(job.name, now, err) != nil {
				return fmt.Errorf("%s: %w", job.name, err)
			}
		}
		return nil
	})
}

// errNotDue ends a job whose time has not come.
var errNotDue = errors.New("not due")

// advanceGroups ends leases and moves waves of the groups where that is due.
func (s *Service) advanceGroups(ctx context.Context, now time.Time) error {
	groups, err := s.store.GroupsDue(ctx, now)
	if err != nil {
		return err
	}
	for _, id := range groups {
		for more := true; more; {
			if more, err = s.advanceGroup(ctx, now, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// advanceGroup reports whether more leases of the group wait to be ended.
func (s *Service) advanceGroup(ctx context.Context, now time.Time, id uuid.UUID) (more bool, err error) {
	err = s.store.Write(ctx, now, func(tx *store.Tx) error {
		b := s.newBatch(ctx, tx)
		b.machines = map[uuid.UUID]*store.Machine{}
		if err := b.lock([]uuid.UUID{id}); err != nil || b.worlds[id] == nil {
			return err
		}
		if err := b.expire(id); err != nil {
			return err
		}
		more = len(b.machines) >= dueLimit
		b.worlds[id].Advance(b.now, b.effects[id])
		return b.save(nil)
	})
	return more, err
}

// sweep looks at the next stretch of machines for those that fell silent and
// those that are long gone.
func (s *Service) sweep(ctx context.Context, now time.Time) error {
	found, err := s.store.Sweep(ctx, &s.swept, now.Add(-silentAfter), sweepRows)
	if err != nil {
		return err
	}
	for group, ids := range found {
		if err := s.silence(ctx, now, group, ids); err != nil {
			return err
		}
	}
	return nil
}

// silence takes machines of one group out of its active count, and those that
// expired out of the group. They are looked at again under the lock.
func (s *Service) silence(ctx context.Context, now time.Time, group uuid.UUID, ids []uuid.UUID) error {
	defer s.idle.forget(ids...)
	return s.store.Write(ctx, now, func(tx *store.Tx) error {
		b := s.newBatch(ctx, tx)
		err := b.lock([]uuid.UUID{group})
		if err != nil || b.worlds[group] == nil {
			return err
		}
		if b.machines, err = tx.Machines(ctx, ids); err != nil {
			return err
		}
		w, fx := b.worlds[group], b.effects[group]
		for id, m := range b.machines {
			idle := now.Sub(m.LastSeenAt)
			if m.GroupID != group || idle < silentAfter {
				delete(b.machines, id)
				continue
			}
			if m.Standing != rollout.StandingSilent {
				w.Silence(&m.Machine, b.now, fx)
			}
			if idle >= expireAfter {
				w.Abandon(&m.Machine, b.now, fx)
				w.Leave(&m.Machine)
				m.GroupID = uuid.Nil
			}
		}
		return b.save(nil)
	})
}

// resolutions of the kept statistics: seconds between points and how long they
// are kept. The finest feeds the last hour of the live page.
var resolutions = [...]struct {
	seconds int
	keep    time.Duration
}{{30, 2 * time.Hour}, {300, 48 * time.Hour}, {3600, 31 * 24 * time.Hour}, {86400, 2 * 365 * 24 * time.Hour}}

// keepStatistics writes the points that are due, from the groups' counters.
func (s *Service) keepStatistics(ctx context.Context, now time.Time) error {
	due := errNotDue
	for i, r := range resolutions {
		step := time.Duration(r.seconds) * time.Second
		at := now.Truncate(step)
		if !at.After(s.pointed[i]) {
			continue
		}
		if err := s.store.KeepPoint(ctx, now, r.seconds, at); err != nil {
			return err
		}
		s.pointed[i], due = at, nil
	}
	return due
}

// retainEvery is how often old rows are looked for.
const retainEvery = time.Hour

func (s *Service) retain(ctx context.Context, now time.Time) error {
	if now.Sub(s.retained) < retainEvery {
		return errNotDue
	}
	if err := s.store.Retain(ctx, now, now.Add(-keepHistory)); err != nil {
		return err
	}
	for _, r := range resolutions {
		if err := s.store.DropPoints(ctx, r.seconds, now.Add(-r.keep)); err != nil {
			return err
		}
	}
	s.retained = now
	return nil
}
