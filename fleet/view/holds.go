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

// Hold is the hold that the next machine of a group would get.
type Hold struct {
	Reason   rollout.Reason
	Sentence string
	Until    *time.Time // when it can change without an operator; nil: not known
}

// GroupHolds returns the hold that the next machine of each group would get. A
// group is absent when that machine would get a grant, and when no machine is below
// the target. The cost does not depend on the number of machines.
//
// Of the waiting machines it takes the one that passes most rules. Overridden and
// quarantined machines do not count as waiting. Machines that accept no update themselves
// count when no other is left.
func (s *Service) GroupHolds(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Hold, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
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
	now, catalog := s.now(), s.seen(ctx)
	queues := make(map[uuid.UUID]*queue, len(states))
	for id, st := range states {
		if g := catalog.Group(id); g != nil {
			w := g.World(st, now, &rollout.Effects{})
			queues[id] = &queue{world: w.Settled(now), now: now, versions: map[string]rollout.Version{}}
		}
	}
	for _, row := range rows {
		if q := queues[row.GroupID]; q != nil {
			q.add(row)
		}
	}
	if err := s.sampleWaves(ctx, queues); err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]*Hold, len(queues))
	for id, q := range queues {
		if w := q.wait(); w != nil {
			out[id] = w
		}
	}
	return out, nil
}

// queue are the machines of a group that are below the target and not in flight,
// according to counters.
type queue struct {
	world    *rollout.World
	now      time.Time
	versions map[string]rollout.Version // that the machines run
	declined rollout.Reason             // the last reason of machines that accept no update themselves
	inside   bool                       // some machines are in the open waves
	unsure   []store.CountBucket        // machines that may be in open waves, smallest bucket first
}

func (q *queue) add(row *db.GroupCount) {
	v, _ := rollout.ParseVersion(row.Version)
	if row.State.InFlight() && (row.State != rollout.StateGranted || !q.world.Stopped()) || q.world.Target != nil && !v.Less(q.world.Target.Version) {
		return
	}
	reason := rollout.ParseReason(row.Reason)
	if reason.Excludes() {
		q.declined = max(q.declined, reason)
		return
	}
	q.versions[row.Version] = v
	switch reason {
	case rollout.ReasonSafeModeFirst, rollout.ReasonNewcomerWaits, rollout.ReasonConcurrencyLimit, rollout.ReasonPeriodLimit,
		rollout.ReasonGranted, rollout.ReasonUpdateInProgress:
		q.inside = true // passed the rules about waves
	default:
		// Includes machines held for a wave: it may have opened since.
		q.unsure = append(q.unsure, store.CountBucket{
			Group: row.GroupID, Version: row.Version, State: row.State, Reason: row.Reason, Standing: row.Standing, Machines: row.Machines,
		})
	}
}

const (
	// A sample of sampleSize machines from each of the sampleBuckets largest
	// buckets shows whether open waves have machines left. Waves select machines by
	// a hash, so any sample is random. It may miss remaining machines that are too
	// few to delay the rollout.
	lookBuckets = 4
	sampleSize  = 25
)

// sampleWaves finds out, for groups held by waves, whether machines of the open
// waves are still waiting.
func (s *Service) sampleWaves(ctx context.Context, queues map[uuid.UUID]*queue) error {
	var look []store.CountBucket
	for _, id := range slices.SortedFunc(maps.Keys(queues), compareIDs) {
		q := queues[id]
		if q.inside || !q.world.WavesHold() || !q.passes() {
			q.inside = true // or the waves do not decide
			continue
		}
		look = append(look, q.unsure[max(0, len(q.unsure)-lookBuckets):]...)
	}
	for part := range slices.Chunk(look, store.MaxParts) {
		head := store.Head{Each: sampleSize}
		for i := range part {
			head.Parts = append(head.Parts, part[i].Where)
		}
		rows, err := s.db().Instance.Query().Where(head.Among()).
			Select(instance.FieldGroupID, instance.FieldMachineID, instance.FieldSelectedWave).All(ctx)
		if err != nil {
			return fmt.Errorf("look at machines: %w", err)
		}
		for _, row := range rows {
			if q := queues[*row.GroupID]; q.world.Reaches(row.MachineID, row.SelectedWave) {
				q.inside = true
			}
		}
	}
	return nil
}

// passes reports whether a machine of the open waves would reach the rules about
// waves.
func (q *queue) passes() bool {
	for _, v := range q.versions {
		if d := rollout.DecideNext(q.world, v, true, q.now); d.Reason >= rollout.ReasonWaveNotReached {
			return true
		}
	}
	return false
}

// wait returns nil when no machine waits or the next one would get a grant.
func (q *queue) wait() *Hold {
	var furthest rollout.Decision
	for _, text := range slices.Sorted(maps.Keys(q.versions)) { // floors make decisions differ by version
		d := rollout.DecideNext(q.world, q.versions[text], q.inside, q.now)
		if d.Reason > furthest.Reason {
			furthest = d
		}
	}
	if len(q.versions) == 0 {
		furthest.Reason = q.declined // no other machine is left
	}
	if furthest.Reason == rollout.ReasonNone || furthest.Reason == rollout.ReasonGranted {
		return nil
	}
	w := &Hold{Reason: furthest.Reason, Sentence: q.world.Wait(furthest)}
	if !furthest.Until.IsZero() {
		w.Until = &furthest.Until
	}
	return w
}
