package view

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/groupcount"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Wait is what holds the next machine of a group that asks.
type Wait struct {
	Reason   rollout.Reason
	Sentence string
	Until    *time.Time // when it can change by itself; nil: not known
}

// GroupWaits is what holds the next machine of each group. A group is absent
// when that machine would be granted, and when no machine has anything to wait
// for: then nothing is left to do. The cost does not depend on the number of
// machines.
//
// It is the furthest that one of the waiting machines gets on the ladder of
// rules. Machines that a person or a quarantine keeps back do not wait.
func (s *Service) GroupWaits(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Wait, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return nil, err
	}
	states, err := s.store.ReadGroups(ctx, ids)
	if err != nil {
		return nil, err
	}
	rows, err := s.db().GroupCount.Query().Where(groupcount.GroupIDIn(ids...), groupcount.Standing(rollout.StandingActive),
		groupcount.MachinesGT(0)).Order(groupcount.ByMachines()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	now, catalog := s.now(), s.catalog.Catalog()
	queues := make(map[uuid.UUID]*queue, len(states))
	for id, st := range states {
		if g := catalog.Group(id); g != nil {
			w := g.World(st)
			queues[id] = &queue{world: w.Settled(now), now: now, versions: map[string]rollout.Version{}}
		}
	}
	for _, row := range rows {
		if q := queues[row.GroupID]; q != nil {
			q.add(row)
		}
	}
	if err := s.lookWho(ctx, queues); err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]*Wait, len(queues))
	for id, q := range queues {
		if w := q.wait(); w != nil {
			out[id] = w
		}
	}
	return out, nil
}

// queue is the machines of a group that have something to update to and
// nothing under way, as far as counters know them.
type queue struct {
	world    *rollout.World
	now      time.Time
	versions map[string]rollout.Version // they run
	inside   bool                       // some are in the open waves
	unsure   []store.CountBucket        // machines that may be in them or not, fewest first
}

func (q *queue) add(row *db.GroupCount) {
	v, _ := rollout.ParseVersion(row.Version)
	if row.State.InFlight() || q.world.Target != nil && !v.Less(q.world.Target.Version) {
		return
	}
	q.versions[row.Version] = v
	switch rollout.ParseReason(row.Reason) {
	case rollout.ReasonSafeModeFirst, rollout.ReasonConcurrencyLimit, rollout.ReasonPeriodLimit,
		rollout.ReasonGranted, rollout.ReasonUpdateInProgress:
		q.inside = true // they got past the waves
	default:
		// Also those who were told to wait for a wave: it may have opened since.
		q.unsure = append(q.unsure, store.CountBucket{
			Group: row.GroupID, Version: row.Version, State: row.State, Reason: row.Reason, Standing: row.Standing, Machines: row.Machines,
		})
	}
}

const (
	// A look at so many machines of the largest so many stretches tells whether
	// open waves have machines left. Who is in a wave is a matter of a hash, so
	// any hundred are as good as any other; a smaller rest than they show is no
	// longer what the rollout waits for.
	lookBuckets = 4
	lookEach    = 25
)

// lookWho finds out, for groups whose waves hold back machines, whether
// machines that the waves reach are still waiting.
func (s *Service) lookWho(ctx context.Context, queues map[uuid.UUID]*queue) error {
	var look []store.CountBucket
	for _, id := range slices.SortedFunc(maps.Keys(queues), compareIDs) {
		q := queues[id]
		if q.inside || !q.world.WavesHold() || !q.passes() {
			q.inside = true // or it does not matter
			continue
		}
		look = append(look, q.unsure[max(0, len(q.unsure)-lookBuckets):]...)
	}
	for part := range slices.Chunk(look, store.MaxParts) {
		head := store.Head{Each: lookEach}
		for i := range part {
			head.Parts = append(head.Parts, part[i].Where)
		}
		rows, err := s.db().Instance.Query().Where(head.Among()).
			Select(instance.FieldGroupID, instance.FieldMachineID).All(ctx)
		if err != nil {
			return fmt.Errorf("look at machines: %w", err)
		}
		for _, row := range rows {
			if q := queues[*row.GroupID]; q.world.Reaches(row.MachineID) {
				q.inside = true
			}
		}
	}
	return nil
}

// passes reports whether a machine of the open waves would get as far as the
// rules about waves.
func (q *queue) passes() bool {
	for _, v := range q.versions {
		if d := rollout.DecideNext(q.world, v, true, q.now); d.Reason >= rollout.ReasonWaveNotReached {
			return true
		}
	}
	return false
}

// wait is nil when nobody waits or the next machine would be granted.
func (q *queue) wait() *Wait {
	var furthest rollout.Decision
	for _, text := range slices.Sorted(maps.Keys(q.versions)) { // floors make them differ
		d := rollout.DecideNext(q.world, q.versions[text], q.inside, q.now)
		if d.Reason > furthest.Reason {
			furthest = d
		}
	}
	if furthest.Reason == rollout.ReasonNone || furthest.Reason == rollout.ReasonGranted {
		return nil
	}
	w := &Wait{Reason: furthest.Reason, Sentence: q.world.Wait(furthest)}
	if !furthest.Until.IsZero() {
		w.Until = &furthest.Until
	}
	return w
}
