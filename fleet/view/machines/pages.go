package machines

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

// pageIDs reads the ids of a page, group by group. One statement reads as many
// groups as fill the page according to the counters.
func (r *Reader) pageIDs(ctx context.Context, l *List) (ids []uuid.UUID, err error) {
	if l.layout() == inOrder {
		return idsOf(r.walk(ctx, l))(ctx)
	}
	buckets, err := r.buckets(ctx, l)
	if err != nil {
		return nil, err
	}
	groups := byGroup(l.ahead(buckets))
	behind := l.Down && l.after != nil && l.after.Group != uuid.Nil
	if l.layout() == groupWise && !behind && l.CountedAs == nil { // machines without a group come last
		groups = append(groups, nil)
	}
	if l.Down {
		slices.Reverse(groups)
	}
	for len(groups) > 0 && len(ids) < l.Limit {
		var read func(context.Context) ([]uuid.UUID, error)
		n, rest := 1, l.Limit-len(ids)
		if groups[0] == nil {
			read = idsOf(r.groupless(ctx, l, rest))
		} else {
			n = groupsFor(groups, rest)
			read = idsOf(r.headOf(ctx, l, slices.Concat(groups[:n]...), rest))
		}
		more, err := read(ctx)
		if err != nil {
			return nil, err
		}
		ids, groups = append(ids, more...), groups[n:]
	}
	return ids, nil
}

// idsOf reads the ids of a query; err is that of building the query.
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

// byGroup splits buckets by group.
func byGroup(buckets []store.CountBucket) (all [][]store.CountBucket) {
	for len(buckets) > 0 {
		n := slices.IndexFunc(buckets, func(t store.CountBucket) bool { return t.Group != buckets[0].Group })
		if n < 0 {
			n = len(buckets)
		}
		all, buckets = append(all, buckets[:n]), buckets[n:]
	}
	return all
}

// groupsFor returns how many groups one statement reads to find need machines, at
// least one.
func groupsFor(groups [][]store.CountBucket, need int) (n int) {
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

// ahead removes the buckets that come before the place after which the list starts.
func (l *List) ahead(buckets []store.CountBucket) []store.CountBucket {
	if l.after == nil {
		return buckets
	}
	return slices.DeleteFunc(buckets, func(t store.CountBucket) bool {
		c := 0
		switch {
		case l.layout() == groupWise && l.after.Group == uuid.Nil:
			c = -1 // the place is a machine without a group
		case l.layout() == groupWise:
			c = compareGroups(t.Application, t.Group, l.after.Application, l.after.Group)
		case l.By == ByState:
			c = int(t.State) - int(l.after.State)
		}
		return c < 0 && !l.Down || c > 0 && l.Down
	})
}

// headOf reads the first machines of groups.
func (r *Reader) headOf(ctx context.Context, l *List, buckets []store.CountBucket, limit int) (*db.InstanceQuery, error) {
	if len(buckets) > store.MaxParts { // one group with more buckets than one statement can merge
		one := *l
		one.Group, one.Limit = &buckets[0].Group, limit
		if l.after != nil && l.layout() == groupWise && l.after.Group != buckets[0].Group {
			one.after = nil
		}
		return r.walk(ctx, &one)
	}
	head := store.Head{Each: limit + l.skip, Down: l.Down, Limit: limit, Skip: l.skip}
	for _, v := range l.order() {
		head.Order = append(head.Order, v.column)
	}
	if l.OEM != nil && !l.counted() && l.By == ByMachineID {
		for _, group := range byGroup(buckets) {
			head.Parts = append(head.Parts, func(s *sql.Selector) {
				s.Where(sql.EQ(instance.FieldGroupID, group[0].Group))
				l.narrow(s, &group[0])
			})
		}
	} else {
		for i := range buckets {
			head.Parts = append(head.Parts, func(s *sql.Selector) {
				buckets[i].Where(s)
				l.narrow(s, &buckets[i])
			})
		}
	}
	return r.store.Reader().Instance.Query().Where(head.Among()).Order(head.Sort), nil
}

// narrow adds to the conditions of a bucket those without counters: platform, time,
// and the place after which the list starts.
func (l *List) narrow(s *sql.Selector, t *store.CountBucket) {
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

// groupless reads the first matching machines without a group: their group was
// deleted, or they were not seen for a month. There are few.
func (r *Reader) groupless(ctx context.Context, l *List, limit int) (*db.InstanceQuery, error) {
	one := *l
	one.Limit = limit
	if l.after != nil && l.after.Group != uuid.Nil {
		one.after = nil
	}
	q, err := r.walk(ctx, &one)
	if err != nil {
		return nil, err
	}
	return q.Where(instance.GroupIDIsNil()), nil
}

func (l *List) counted() bool {
	return l.States != nil || l.Versions != nil || l.Standings != nil || l.Reasons != nil || l.CountedAs != nil
}

// conditions returns the filter without application and group.
func (l *List) conditions() []predicate.Instance {
	where := anyOf(l.uncounted(), l.States, instance.StateIn)
	where = anyOf(where, l.Versions, instance.VersionIn)
	where = anyOf(where, l.Standings, instance.StandingIn)
	return anyOf(where, reasonCodes(l.Reasons), instance.ReasonIn)
}

// anyOf appends a condition on a list of values unless the list is nil.
func anyOf[P, V any](where []P, values []V, condition func(...V) P) []P {
	if values == nil {
		return where
	}
	return append(where, condition(values...))
}

// within is the condition that a machine is counted in one of the buckets,
// whatever the reason of its last answer.
func within(buckets []store.CountBucket) predicate.Instance {
	type kind struct {
		group    uuid.UUID
		state    rollout.State
		standing rollout.Standing
	}
	versions := map[kind][]string{}
	for _, t := range buckets {
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

// uncounted returns the conditions without counters.
func (l *List) uncounted() (where []predicate.Instance) {
	if l.OEM != nil {
		where = append(where, instance.Oem(*l.OEM))
	}
	if l.SeenAfter != nil {
		where = append(where, instance.LastSeenAtGTE(*l.SeenAfter))
	}
	if l.SeenBefore != nil {
		where = append(where, instance.LastSeenAtLT(*l.SeenBefore))
	}
	if l.IDs != nil {
		where = append(where, instance.IDIn(l.IDs...))
	}
	if l.Search != "" {
		where = append(where, instance.Or(begins(instance.FieldMachineID, l.Search), beginsNonEmpty(instance.FieldAlias, l.Search),
			beginsNonEmpty(instance.FieldMachineAlias, l.Search), begins(instance.FieldAddress, l.Search)))
	}
	return where
}

// begins is the condition that a column starts with a text, case-sensitively.
// SQLite uses an index only for a range. In PostgreSQL ranges depend on the
// collation, so it gets a pattern.
func begins(column, text string) predicate.Instance {
	return func(s *sql.Selector) {
		if s.Dialect() == dialect.SQLite {
			s.Where(sql.And(sql.GTE(s.C(column), text), sql.LT(s.C(column), text+"\U0010FFFF")))
			return
		}
		s.Where(sql.HasPrefix(s.C(column), text))
	}
}

// beginsNonEmpty is begins for a column with a partial index, whose condition the
// query must repeat.
func beginsNonEmpty(column, text string) predicate.Instance {
	return instance.And(begins(column, text), func(s *sql.Selector) { s.Where(sql.ExprP(s.C(column) + " <> ''")) })
}
