package view

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// machineIDs reads the ids of a page, group by group. One statement takes as
// many groups as fill the page according to the counters.
func (s *Service) machineIDs(ctx context.Context, l *MachineList) (ids []uuid.UUID, err error) {
	if l.layout() == inOrder {
		return idsOf(s.walk(ctx, l))(ctx)
	}
	stretches, err := s.stretches(ctx, l)
	if err != nil {
		return nil, err
	}
	groups := sections(l.ahead(stretches))
	behind := l.Down && l.after != nil && l.after.Group != uuid.Nil
	if l.layout() == groupWise && !behind && l.CountedAs == nil { // machines of no group come last
		groups = append(groups, nil)
	}
	if l.Down {
		slices.Reverse(groups)
	}
	for len(groups) > 0 && len(ids) < l.Limit {
		var read func(context.Context) ([]uuid.UUID, error)
		n, rest := 1, l.Limit-len(ids)
		if groups[0] == nil {
			read = idsOf(s.homeless(ctx, l, rest))
		} else {
			n = together(groups, rest)
			read = idsOf(s.headOf(ctx, l, slices.Concat(groups[:n]...), rest))
		}
		more, err := read(ctx)
		if err != nil {
			return nil, err
		}
		ids, groups = append(ids, more...), groups[n:]
	}
	return ids, nil
}

// idsOf reads the ids of a query that could be made.
func idsOf(q *db.InstanceQuery, err error) func(context.Context) ([]uuid.UUID, error) {
	return func(ctx context.Context) ([]uuid.UUID, error) {
		if err != nil {
			return nil, err
		}
		ids, err := q.IDs(ctx)
		if err != nil {
			return nil, fmt.Errorf("list machines: %w", err)
		}
		return ids, nil
	}
}

// sections are stretches group by group.
func sections(stretches []store.CountBucket) (all [][]store.CountBucket) {
	for len(stretches) > 0 {
		n := slices.IndexFunc(stretches, func(t store.CountBucket) bool { return t.Group != stretches[0].Group })
		if n < 0 {
			n = len(stretches)
		}
		all, stretches = append(all, stretches[:n]), stretches[n:]
	}
	return all
}

// together is how many groups one statement reads to find so many machines: at
// least one.
func together(groups [][]store.CountBucket, need int) (n int) {
	parts, found := 0, 0
	for ; n < len(groups) && groups[n] != nil && found < need; n++ {
		if parts += len(groups[n]); n > 0 && parts > store.MaxParts {
			break
		}
		for _, t := range groups[n] {
			found += t.Machines
		}
	}
	return n
}

// ahead are the stretches that are not behind the place the list goes on from.
func (l *MachineList) ahead(stretches []store.CountBucket) []store.CountBucket {
	if l.after == nil {
		return stretches
	}
	return slices.DeleteFunc(stretches, func(t store.CountBucket) bool {
		c := 0
		switch {
		case l.layout() == groupWise && l.after.Group == uuid.Nil:
			c = -1 // it is among the machines of no group
		case l.layout() == groupWise:
			c = compareGroups(t.Application, t.Group, l.after.Application, l.after.Group)
		case l.By == ByState:
			c = int(t.State) - int(l.after.State)
		}
		return c < 0 && !l.Down || c > 0 && l.Down
	})
}

// headOf reads the first machines of some groups.
func (s *Service) headOf(ctx context.Context, l *MachineList, stretches []store.CountBucket, limit int) (*db.InstanceQuery, error) {
	if len(stretches) > store.MaxParts { // more kinds of machines in one group than can be joined
		one := *l
		one.Group, one.Limit = &stretches[0].Group, limit
		if l.after != nil && l.layout() == groupWise && l.after.Group != stretches[0].Group {
			one.after = nil
		}
		return s.walk(ctx, &one)
	}
	head := store.Head{Each: limit + l.skip, Down: l.Down, Limit: limit, Skip: l.skip}
	for _, v := range l.order() {
		head.Order = append(head.Order, v.column)
	}
	if l.OEM != nil && !l.counted() && l.By == ByMachineID {
		for _, group := range sections(stretches) {
			head.Parts = append(head.Parts, func(s *sql.Selector) {
				s.Where(sql.EQ(instance.FieldGroupID, group[0].Group))
				l.narrow(s, &group[0])
			})
		}
	} else {
		for i := range stretches {
			head.Parts = append(head.Parts, func(s *sql.Selector) {
				stretches[i].Where(s)
				l.narrow(s, &stretches[i])
			})
		}
	}
	return s.db().Instance.Query().Where(head.Among()).Order(head.Sort), nil
}

// narrow adds to the conditions of a stretch what the counters do not know:
// platform, time, and where the list goes on.
func (l *MachineList) narrow(s *sql.Selector, t *store.CountBucket) {
	for _, p := range l.uncounted() {
		p(s)
	}
	a := l.after
	if a == nil || l.layout() == groupWise && t.Group != a.Group || l.By == ByState && t.State != a.State || l.By == ByVersion && t.Version != a.Version {
		return
	}
	if l.Down {
		s.Where(sql.LT(s.C(instance.FieldMachineID), a.Machine))
		return
	}
	s.Where(sql.GT(s.C(instance.FieldMachineID), a.Machine))
}

// homeless reads the first matching machines of no group: those whose group was
// deleted, and those not seen for a month. They are few.
func (s *Service) homeless(ctx context.Context, l *MachineList, limit int) (*db.InstanceQuery, error) {
	one := *l
	one.Limit = limit
	if l.after != nil && l.after.Group != uuid.Nil {
		one.after = nil
	}
	q, err := s.walk(ctx, &one)
	if err != nil {
		return nil, err
	}
	return q.Where(instance.GroupIDIsNil()), nil
}

func (l *MachineList) counted() bool {
	return l.States != nil || l.Versions != nil || l.Standings != nil || l.Reasons != nil || l.CountedAs != nil
}

// conditions are the filter without application and group.
func (l *MachineList) conditions() []predicate.Instance {
	where := l.uncounted()
	if l.States != nil {
		where = append(where, instance.StateIn(l.States...))
	}
	if l.Versions != nil {
		where = append(where, instance.VersionIn(l.Versions...))
	}
	if l.Standings != nil {
		where = append(where, instance.StandingIn(l.Standings...))
	}
	if l.Reasons != nil {
		where = append(where, instance.ReasonIn(reasonCodes(l.Reasons)...))
	}
	return where
}

// within is the condition that a machine is in one of some stretches, whatever
// it was told last.
func within(stretches []store.CountBucket) predicate.Instance {
	type kind struct {
		group    uuid.UUID
		state    rollout.State
		standing rollout.Standing
	}
	versions := map[kind][]string{}
	for _, t := range stretches {
		k := kind{t.Group, t.State, t.Standing}
		versions[k] = append(versions[k], t.Version)
	}
	either := []predicate.Instance{func(s *sql.Selector) { s.Where(sql.False()) }}
	for k, list := range versions {
		either = append(either, instance.And(instance.GroupID(k.group), instance.State(k.state), instance.Standing(k.standing),
			instance.VersionIn(list...)))
	}
	return instance.Or(either...)
}

// uncounted are the conditions that counters know nothing of.
func (l *MachineList) uncounted() (where []predicate.Instance) {
	if l.OEM != nil {
		where = append(where, instance.Oem(*l.OEM))
	}
	if l.SeenAfter != nil {
		where = append(where, instance.LastSeenAtGTE(*l.SeenAfter))
	}
	if l.SeenBefore != nil {
		where = append(where, instance.LastSeenAtLT(*l.SeenBefore))
	}
	if l.Search != "" {
		where = append(where, instance.Or(begins(instance.FieldMachineID, l.Search), given(instance.FieldAlias, l.Search),
			given(instance.FieldMachineAlias, l.Search), begins(instance.FieldAddress, l.Search)))
	}
	return where
}

// begins is the condition that a column begins with a text, upper and lower
// case apart. SQLite only uses an index for a range; PostgreSQL's ranges
// depend on the database's language, so it gets a pattern.
func begins(column, text string) predicate.Instance {
	return func(s *sql.Selector) {
		if s.Dialect() == dialect.SQLite {
			s.Where(sql.And(sql.GTE(s.C(column), text), sql.LT(s.C(column), text+"\U0010FFFF")))
			return
		}
		s.Where(sql.HasPrefix(s.C(column), text))
	}
}

// given is begins for a column whose index leaves out the empty texts, which
// has to be said.
func given(column, text string) predicate.Instance {
	return instance.And(begins(column, text), func(s *sql.Selector) { s.Where(sql.ExprP(s.C(column) + " <> ''")) })
}
