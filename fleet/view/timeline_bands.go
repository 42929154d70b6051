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
)

// maxReigns bounds the rollouts of a chart; months of a group that moves every
// half hour.
const maxReigns = 2000

// reign is the time in which a group moved to one version.
type reign struct {
	from, until time.Time // until: zero for the present target
	version     rollout.Version
}

// reigns are the rollouts of a group that were in force between two moments,
// oldest first.
func (s *Service) reigns(ctx context.Context, group uuid.UUID, from, until time.Time) ([]reign, error) {
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
		Order(db.Desc(grouprollout.FieldCreatedAt)).Limit(maxReigns).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read rollouts: %w", err)
	}
	all := make([]reign, len(rows))
	for i, row := range rows {
		version, _ := rollout.ParseVersion(row.Version)
		all[len(rows)-1-i] = reign{from: row.CreatedAt, until: input.Or(row.ReplacedAt, time.Time{}), version: version}
	}
	return all, nil
}

// targetAt is the version a group moved to at a moment; not ok when there was
// none.
func targetAt(all []reign, at time.Time) (v rollout.Version, ok bool) {
	i, _ := slices.BinarySearchFunc(all, at, func(r reign, at time.Time) int {
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

// fillBands puts each active machine of each moment in one band, by the rule
// of Numbers. Quarantined and overridden machines are where their version and
// state put them: the points do not know them apart.
func (t *Timeline) fillBands(points []*db.StatPoint, all []reign) {
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
		version, known := running[p.Version]
		if !known {
			version, _ = rollout.ParseVersion(p.Version)
			running[p.Version] = version
		}
		band := t.Waiting
		switch {
		case p.State.InFlight():
			band = t.InFlight
		case aimed && !version.Less(target):
			band = t.OnTarget
		case p.State == rollout.StateError:
			band = t.Failed
		}
		band[at] += p.Machines
	}
}
