package view

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
)

// maxTargets limits the rollouts of a timeline to months of a group with a new
// target every half hour.
const maxTargets = 2000

// targetSpan is the time during which a version was the target of a group.
type targetSpan struct {
	from, until time.Time // until: zero for the current target
	version     rollout.Version
}

// targets reads the targets of a group between two times, oldest first.
func (s *Service) targets(ctx context.Context, group uuid.UUID, from, until time.Time) ([]targetSpan, error) {
	begun := func(q *sql.Selector) {
		t := sql.Table(grouprollout.Table)
		last := sql.Select(sql.Max(t.C(grouprollout.FieldCreatedAt))).From(t).
			Where(sql.And(sql.EQ(t.C(grouprollout.FieldGroupID), group), sql.LTE(t.C(grouprollout.FieldCreatedAt), from)))
		at := q.C(grouprollout.FieldCreatedAt)
		q.Where(sql.Or(sql.GT(at, from), sql.In(at, last)))
	}
	rows, err := s.db().GroupRollout.Query().
		Where(grouprollout.GroupID(group), begun, grouprollout.CreatedAtLTE(until)).
		Select(grouprollout.FieldID, grouprollout.FieldVersion, grouprollout.FieldCreatedAt, grouprollout.FieldReplacedAt).
		Order(db.Desc(grouprollout.FieldCreatedAt)).Limit(maxTargets).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read rollouts: %w", err)
	}
	all := make([]targetSpan, len(rows))
	for i, row := range rows {
		version, _ := rollout.ParseVersion(row.Version)
		all[len(rows)-1-i] = targetSpan{from: row.CreatedAt, until: input.Or(row.ReplacedAt, time.Time{}), version: version}
	}
	return all, nil
}

// targetAt returns the target at a time; not ok without one.
func targetAt(all []targetSpan, at time.Time) (v rollout.Version, ok bool) {
	i, _ := slices.BinarySearchFunc(all, at, func(r targetSpan, at time.Time) int {
		if r.from.After(at) {
			return 1
		}
		return -1
	})
	if i == 0 {
		return v, false
	}
	r := all[i-1]
	return r.version, r.until.IsZero() || at.Before(r.until)
}

// fillBands counts each active machine of each time in one band, by the rules of
// Numbers. The points do not record quarantines and overrides: those machines are
// counted by version and state.
func (t *Timeline) fillBands(points []*db.StatPoint, all []targetSpan) {
	n := len(t.Times)
	t.OnTarget, t.InFlight, t.Failed, t.Waiting = make([]int, n), make([]int, n), make([]int, n), make([]int, n)
	running := map[string]rollout.Version{}
	at := -1
	var target rollout.Version
	var aimed bool
	for _, p := range points {
		if at < 0 || !t.Times[at].Equal(p.At) {
			at++
			target, aimed = targetAt(all, p.At)
		}
		v, known := running[p.Version]
		if !known {
			v, _ = rollout.ParseVersion(p.Version)
			running[p.Version] = v
		}
		band := t.Waiting
		switch {
		case p.State.InFlight():
			band = t.InFlight
		case aimed && v.Place(target) == version.OnTarget:
			band = t.OnTarget
		case p.State == rollout.StateError:
			band = t.Failed
		}
		band[at] += p.Machines
	}
}
