package graph

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"coreroller/ent/db"
	"coreroller/ent/db/group"
	"coreroller/ent/db/groupcount"
	"coreroller/ent/db/instance"
	"coreroller/fleet"
	"coreroller/graph/model"
	"coreroller/rollout"
)

// counted is the condition that the numbers count a machine as one of some
// parts. It says of machines what the tally in fleet says of their counters,
// and fits both, because the columns have the same names.
type counted struct {
	parts []model.CountedAs
	// Versions that the machines of each group run: the target or higher, and
	// the others.
	target, behind map[uuid.UUID][]string
}

// countedAs makes the condition of a filter; nil when it has none.
func (r *Resolver) countedAs(ctx context.Context, f model.InstanceFilter) (*counted, error) {
	if f.CountedAs == nil {
		return nil, nil
	}
	c := &counted{parts: f.CountedAs, target: map[uuid.UUID][]string{}, behind: map[uuid.UUID][]string{}}
	if !slices.ContainsFunc(c.parts, byTarget) {
		return c, nil
	}
	q := r.reader.GroupCount.Query().Where(groupcount.MachinesNEQ(0))
	if f.GroupID != nil {
		q.Where(groupcount.GroupID(*f.GroupID))
	}
	if f.ApplicationID != nil {
		q.Where(groupcount.HasGroupWith(group.ApplicationID(*f.ApplicationID)))
	}
	var rows []*db.GroupCount
	err := q.GroupBy(groupcount.FieldGroupID, groupcount.FieldVersion).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read versions: %w", err)
	}
	catalog := r.fleet.Catalog()
	for _, row := range rows {
		g := catalog.Group(row.GroupID)
		list := c.behind
		if onTarget(g, row.Version) {
			list = c.target
		}
		list[row.GroupID] = append(list[row.GroupID], row.Version)
	}
	return c, nil
}

func onTarget(g *fleet.Group, version string) bool {
	v, _ := rollout.ParseVersion(version)
	return g != nil && g.Target != nil && !v.Less(g.Target.Version)
}

// countedPart is what one machine is counted as; nil in no group.
func (r *Resolver) countedPart(m *db.Instance) *model.CountedAs {
	if m.GroupID == nil {
		return nil
	}
	part := model.CountedAsWaiting
	switch {
	case m.State.InFlight():
		part = model.CountedAsInFlight
	case m.Standing == rollout.StandingQuarantined:
		part = model.CountedAsQuarantined
	case m.Standing == rollout.StandingOverridden:
		part = model.CountedAsOverridden
	case m.Standing == rollout.StandingSilent:
		part = model.CountedAsSilent
	case onTarget(r.fleet.Catalog().Group(*m.GroupID), m.Version):
		part = model.CountedAsOnTarget
	case m.State == rollout.StateError:
		part = model.CountedAsFailed
	}
	return &part
}

// byTarget reports whether the target of its group decides if a machine belongs
// to a part.
func byTarget(part model.CountedAs) bool {
	return part == model.CountedAsOnTarget || part == model.CountedAsWaiting || part == model.CountedAsFailed
}

// where adds the condition to a query of machines or of their counters.
func (c *counted) where(s *sql.Selector) {
	either := []*sql.Predicate{sql.False()}
	for _, part := range c.parts {
		either = append(either, c.part(s, part))
	}
	s.Where(sql.And(sql.NotNull(s.C(instance.FieldGroupID)), sql.Or(either...)))
}

func (c *counted) part(s *sql.Selector, part model.CountedAs) *sql.Predicate {
	stands := func(as rollout.Standing) *sql.Predicate {
		return sql.And(inState(s, resting), sql.EQ(s.C(instance.FieldStanding), as))
	}
	switch part {
	case model.CountedAsInFlight:
		return inState(s, rollout.State.InFlight)
	case model.CountedAsQuarantined:
		return stands(rollout.StandingQuarantined)
	case model.CountedAsOverridden:
		return stands(rollout.StandingOverridden)
	case model.CountedAsSilent:
		return stands(rollout.StandingSilent)
	case model.CountedAsOnTarget:
		return sql.And(stands(rollout.StandingActive), runs(s, c.target))
	case model.CountedAsFailed:
		failed := func(state rollout.State) bool { return state == rollout.StateError }
		return sql.And(inState(s, failed), stands(rollout.StandingActive), runs(s, c.behind))
	case model.CountedAsWaiting:
		waits := func(state rollout.State) bool { return resting(state) && state != rollout.StateError }
		return sql.And(inState(s, waits), stands(rollout.StandingActive), runs(s, c.behind))
	}
	return sql.False()
}

func resting(s rollout.State) bool { return !s.InFlight() }

func inState(s *sql.Selector, which func(rollout.State) bool) *sql.Predicate {
	var states []any
	for state := rollout.StateNone; state <= rollout.StateOnHold; state++ {
		if which(state) {
			states = append(states, state)
		}
	}
	return sql.In(s.C(instance.FieldState), states...)
}

// runs is the condition that a machine runs one of the versions of its group.
func runs(s *sql.Selector, versions map[uuid.UUID][]string) *sql.Predicate {
	either := []*sql.Predicate{sql.False()}
	for id, of := range versions {
		list := make([]any, len(of))
		for i, version := range of {
			list[i] = version
		}
		either = append(either, sql.And(sql.EQ(s.C(instance.FieldGroupID), id), sql.In(s.C(instance.FieldVersion), list...)))
	}
	return sql.Or(either...)
}
