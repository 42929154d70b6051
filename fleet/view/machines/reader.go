package machines

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/groupcount"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/reach"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Reader reads lists of machines. It is safe for concurrent use.
type Reader struct {
	store   *store.Store
	catalog *catalog.Cache
}

// New makes a Reader.
func New(s *store.Store, c *catalog.Cache) *Reader { return &Reader{store: s, catalog: c} }

// Machines reads a page. load adds the edges to load to the query.
//
// Conditions on state, version, standing, reason and platform cost the same in
// groups of ten and of a million machines. The time last seen has no index,
// because it changes with every check-in: the read filters machine by machine
// until the page is full. For machines not seen for a day, also filter by standing.
func (r *Reader) Machines(ctx context.Context, l List, load func(*db.InstanceQuery)) ([]*db.Instance, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	if l.By != ByMachineID && l.Group == nil {
		return nil, fault.Errorf(fault.Invalid, "orderBy.field", "needs filter.groupId")
	}
	var ids []uuid.UUID
	var q *db.InstanceQuery
	var err error
	if l.layout() == inOrder {
		q, err = r.walk(ctx, &l)
	} else if ids, err = r.pageIDs(ctx, &l); len(ids) > 0 {
		q = r.store.Reader().Instance.Query().Where(instance.IDIn(ids...))
	}
	if err != nil || q == nil {
		return nil, err
	}
	load(q)
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	if ids != nil {
		at := make(map[uuid.UUID]int, len(ids))
		for i, id := range ids {
			at[id] = i
		}
		slices.SortFunc(rows, func(a, b *db.Instance) int { return cmp.Compare(at[a.ID], at[b.ID]) })
	}
	return rows, nil
}

// CountMachines returns how many machines match, and whether the number is exact.
// It sums counters where they have the conditions, else it counts up to limit.
func (r *Reader) CountMachines(ctx context.Context, f Filter, limit int) (n int, exact bool, err error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return 0, false, err
	}
	if err := f.check(); err != nil {
		return 0, false, err
	}
	l := List{Filter: f, Limit: limit + 1}
	if f.OEM != nil || f.SeenAfter != nil || f.SeenBefore != nil || f.Search != "" || f.IDs != nil || f.labeled() {
		ids, err := r.pageIDs(ctx, &l)
		return min(len(ids), limit), len(ids) <= limit, err
	}
	buckets, err := r.buckets(ctx, &l)
	if err != nil {
		return 0, false, err
	}
	for _, bucket := range buckets {
		n += bucket.Machines
	}
	if f.Group != nil || f.CountedAs != nil {
		return n, true, nil
	}
	// Counters exclude machines without a group, of which there are few.
	groupless, err := idsOf(r.groupless(ctx, &l, l.Limit))(ctx)
	if err != nil {
		return 0, false, err
	}
	return n + min(len(groupless), limit), len(groupless) <= limit, nil
}

// walk reads machines of an application, or all, along an index of machine ids or
// of a search.
func (r *Reader) walk(ctx context.Context, l *List) (*db.InstanceQuery, error) {
	app := l.Application
	if app == nil && l.Group != nil {
		if g := reach.Catalog(ctx, r.catalog.Catalog()).Group(*l.Group); g != nil {
			app = &g.App.ID // the first column of the indexes of a search
		}
	}
	q := r.store.Reader().Instance.Query().Where(l.conditions()...).Limit(l.Limit)
	if l.CountedAs != nil {
		buckets, err := r.buckets(ctx, l)
		if err != nil {
			return nil, err
		}
		q.Where(within(buckets))
	}
	switch {
	case app != nil:
		q.Where(instance.ApplicationID(*app))
	case l.Search != "":
		q.Where(instance.ApplicationIDIn(reach.Catalog(ctx, r.catalog.Catalog()).Apps()...))
	case l.Group == nil:
		deleted, err := r.store.DroppedApplications(ctx)
		if err != nil {
			return nil, err
		}
		if len(deleted) > 0 { // usually none, and then the list is a plain walk of the index
			q.Where(instance.ApplicationIDNotIn(deleted...))
		}
	}
	if l.Group != nil {
		q.Where(instance.GroupID(*l.Group))
	}
	if l.labeled() {
		q.Where(join(l.labels(), app))
	}
	// Within one group, and without a group, the group does not change the order.
	order := slices.DeleteFunc(l.order(), func(o ordinal) bool {
		return o.column == instance.FieldGroupID || o.column == instance.FieldApplicationID && app != nil
	})
	head := store.Head{Down: l.Down, Apart: l.IDs != nil, Labeled: l.labeled()}
	for _, o := range order {
		head.Order = append(head.Order, o.column)
	}
	if l.after != nil {
		q.Where(beyond(head, order, l.after))
	}
	if l.skip > 0 {
		q.Offset(l.skip)
	}
	return q.Order(head.Sort), nil
}

// beyond is the condition that a row comes after a place. A comparison of row
// values lets the database seek in an index.
func beyond(head store.Head, order []ordinal, place *place) predicate.Instance {
	return func(s *sql.Selector) {
		columns, values := head.Columns(s), make([]any, len(order))
		for i, o := range order {
			values[i] = o.value(place)
		}
		switch {
		case len(columns) == 1 && head.Down:
			s.Where(sql.LT(columns[0], values[0]))
		case len(columns) == 1:
			s.Where(sql.GT(columns[0], values[0]))
		case head.Down:
			s.Where(sql.CompositeLT(columns, values...))
		default:
			s.Where(sql.CompositeGT(columns, values...))
		}
	}
}

// buckets reads the counters of matching machines, by application and group.
func (r *Reader) buckets(ctx context.Context, l *List) ([]store.CountBucket, error) {
	where := []predicate.GroupCount{groupcount.MachinesGT(0)}
	snapshot := reach.Catalog(ctx, r.catalog.Catalog())
	switch {
	case l.Group != nil:
		where = append(where, groupcount.GroupID(*l.Group))
	case l.Application != nil:
		a := snapshot.App(*l.Application)
		if a == nil {
			return nil, nil
		}
		where = append(where, groupcount.GroupIDIn(a.GroupIDs()...))
	}
	where = anyOf(where, l.States, groupcount.StateIn)
	where = anyOf(where, l.Versions, groupcount.VersionIn)
	where = anyOf(where, l.Standings, groupcount.StandingIn)
	where = anyOf(where, reasonCodes(l.Reasons), groupcount.ReasonIn)
	if l.after != nil && l.By == ByVersion { // in SQL, because databases sort text differently
		if l.Down {
			where = append(where, groupcount.VersionLTE(l.after.Version))
		} else {
			where = append(where, groupcount.VersionGTE(l.after.Version))
		}
	}
	rows, err := r.store.Reader().GroupCount.Query().Where(where...).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	stopped := map[uuid.UUID]rollout.RolloutState{}
	if l.CountedAs != nil {
		if stopped, err = r.store.StoppedGroups(ctx, rows); err != nil {
			return nil, err
		}
	}
	all := make([]store.CountBucket, 0, len(rows))
	for _, row := range rows {
		g := snapshot.Group(row.GroupID)
		if g == nil || l.Application != nil && g.App.ID != *l.Application {
			continue // deleted meanwhile, or of another application
		}
		if l.CountedAs != nil && !slices.Contains(l.CountedAs, g.CountedPart(row, stopped[g.ID])) {
			continue
		}
		all = append(all, store.CountBucket{
			Application: g.App.ID, Group: g.ID, Version: row.Version, State: row.State, Reason: row.Reason,
			Standing: row.Standing, Machines: row.Machines,
		})
	}
	slices.SortStableFunc(all, func(a, b store.CountBucket) int {
		return compareGroups(a.Application, a.Group, b.Application, b.Group)
	})
	return all, nil
}

func compareGroups(appA, a, appB, b uuid.UUID) int {
	return cmp.Or(bytes.Compare(appA[:], appB[:]), bytes.Compare(a[:], b[:]))
}

func reasonCodes(reasons []rollout.Reason) []string {
	if reasons == nil {
		return nil
	}
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.String()
	}
	return codes
}
