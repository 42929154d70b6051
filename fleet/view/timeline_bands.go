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
	"github.com/coreroller/coreroller/fleet/catalog"
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
	goal        version.Goal
	halted      time.Time // since when the rollout has been halted; zero: it is not
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
		Select(grouprollout.FieldID, grouprollout.FieldVersion, grouprollout.FieldRecalled, grouprollout.FieldState, grouprollout.FieldHalt, grouprollout.FieldCreatedAt, grouprollout.FieldReplacedAt).
		Order(db.Desc(grouprollout.FieldCreatedAt)).Limit(maxTargets).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read rollouts: %w", err)
	}
	all := make([]targetSpan, len(rows))
	for i, row := range rows {
		span := targetSpan{from: row.CreatedAt, until: input.Or(row.ReplacedAt, time.Time{})}
		span.goal.Target, _ = rollout.ParseVersion(row.Version)
		if row.State == rollout.RolloutHalted {
			span.halted = row.Halt.At
		}
		for _, text := range row.Recalled {
			v, _ := rollout.ParseVersion(text)
			span.goal.Recalled = append(span.goal.Recalled, v)
		}
		all[len(rows)-1-i] = span
	}
	return all, nil
}

// spanAt returns the target at a time, the zero value without one.
func spanAt(all []targetSpan, at time.Time) (none targetSpan) {
	i, _ := slices.BinarySearchFunc(all, at, func(r targetSpan, at time.Time) int {
		if r.from.After(at) {
			return 1
		}
		return -1
	})
	if i == 0 || !all[i-1].until.IsZero() && !at.Before(all[i-1].until) {
		return none
	}
	return all[i-1]
}

// fillBands counts each active machine of each time in one band, by the rules of
// Numbers. The points do not record quarantines and overrides: those machines are
// counted by version and state. What is blacklisted is that of now.
func (t *Timeline) fillBands(g *catalog.Group, points []*db.StatPoint, all []targetSpan) {
	n := len(t.Times)
	for _, band := range []*[]int{&t.OnTarget, &t.AboveTarget, &t.BadVersion, &t.InFlight, &t.Failed, &t.Waiting} {
		*band = make([]int, n)
	}
	running := map[string]rollout.Version{}
	at := -1
	var span targetSpan
	for _, p := range points {
		if at < 0 || !t.Times[at].Equal(p.At) {
			at++
			span = spanAt(all, p.At)
		}
		v, known := running[p.Version]
		if !known {
			v, _ = rollout.ParseVersion(p.Version)
			running[p.Version] = v
		}
		band, place := t.Waiting, span.goal.Place(v)
		halted := !span.halted.IsZero() && !p.At.Before(span.halted)
		switch {
		case p.State.InFlight():
			band = t.InFlight
		case g.Bad(p.Version, false) || halted && place == version.OnTarget:
			band = t.BadVersion
		case place == version.OnTarget:
			band = t.OnTarget
		case place == version.Above:
			band = t.AboveTarget
		case p.State == rollout.StateError:
			band = t.Failed
		}
		band[at] += p.Machines
	}
}
