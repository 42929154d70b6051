package graph

import (
	"context"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"coreroller/ent/db"
	"coreroller/ent/db/group"
	"coreroller/ent/db/instance"
	"coreroller/ent/db/predicate"
	"coreroller/fleet"
	"coreroller/graph/model"
	"coreroller/rollout"
)

// instances reads a page of machines. Each kind of condition and each order has
// an index, so that a page costs the same in a fleet of any size; oem, last
// seen and, for alias and address, search walk the group's machines in order.
func (r *Resolver) instances(ctx context.Context, f model.InstanceFilter, first *int, after *string, by *model.InstanceOrder) (*model.InstanceConnection, error) {
	app := r.applicationOf(f)
	o, sorted, err := instanceOrder(f, app != nil, by)
	if err != nil {
		return nil, err
	}
	where, err := r.instanceConditions(ctx, f, app)
	if err != nil {
		return nil, err
	}
	counted, err := r.countedAs(ctx, f)
	if err != nil {
		return nil, err
	}
	if counted != nil {
		where = append(where, counted.where)
	}
	p, err := turn(ctx, first, after, o, nil, func(after func(*sql.Selector), n int) ([]*db.Instance, error) {
		q := r.reader.Instance.Query().Where(where...).Where(after).Limit(n)
		for _, s := range sorted {
			q.Order(s)
		}
		return preloads(ctx).instances(q, nodes(ctx)).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	c := &model.InstanceConnection{Nodes: p.rows, PageInfo: p.info, TotalIsExact: true}
	c.Edges = edges(p, func(cursor string, node *db.Instance) *model.InstanceEdge {
		return &model.InstanceEdge{Cursor: cursor, Node: node}
	})
	if asked(ctx, "totalCount") || asked(ctx, "totalIsExact") {
		c.TotalCount, c.TotalIsExact, err = r.countInstances(ctx, f, counted, where)
	}
	return c, err
}

// instanceOrder is how a list is sorted. Orders by state and version are those
// of indexes that begin with the group.
func instanceOrder(f model.InstanceFilter, oneApplication bool, by *model.InstanceOrder) (order[*db.Instance], []instance.OrderOption, error) {
	field, down := model.InstanceOrderFieldMachineID, false
	if by != nil {
		field, down = by.Field, by.Direction != nil && *by.Direction == model.OrderDirectionDesc
	}
	way := sql.OrderAsc()
	if down {
		way = sql.OrderDesc()
	}
	last := instance.ByMachineID(way)
	switch {
	case field != model.InstanceOrderFieldMachineID && f.GroupID == nil:
		return order[*db.Instance]{}, nil, fleet.Errorf(fleet.Invalid, "orderBy.field", "needs filter.groupId")
	case field == model.InstanceOrderFieldState:
		o := ledBy(instance.FieldState, down, func(m *db.Instance) int { return int(m.State) })
		return o, []instance.OrderOption{instance.ByState(way), last}, nil
	case field == model.InstanceOrderFieldVersion:
		o := ledBy(instance.FieldVersion, down, func(m *db.Instance) string { return m.Version })
		return o, []instance.OrderOption{instance.ByVersion(way), last}, nil
	case oneApplication:
		return byMachine(down), []instance.OrderOption{last}, nil
	}
	o := ledBy(instance.FieldApplicationID, down, func(m *db.Instance) uuid.UUID { return m.ApplicationID })
	return o, []instance.OrderOption{instance.ByApplicationID(way), last}, nil
}

// byMachine sorts by machine id alone.
func byMachine(down bool) order[*db.Instance] {
	return order[*db.Instance]{
		at: func(m *db.Instance) place { return place{m.MachineID} },
		after: func(cursor string) (func(*sql.Selector), error) {
			var machine string
			err := readCursor(cursor, &machine)
			return func(s *sql.Selector) {
				if down {
					s.Where(sql.LT(s.C(instance.FieldMachineID), machine))
					return
				}
				s.Where(sql.GT(s.C(instance.FieldMachineID), machine))
			}, err
		},
	}
}

// ledBy sorts by a column and then by machine id. Comparing both as one row
// value lets an index continue where the page before ended.
func ledBy[V any](column string, down bool, value func(*db.Instance) V) order[*db.Instance] {
	return order[*db.Instance]{
		at: func(m *db.Instance) place { return place{value(m), m.MachineID} },
		after: func(cursor string) (func(*sql.Selector), error) {
			var v V
			var machine string
			err := readCursor(cursor, &v, &machine)
			return func(s *sql.Selector) {
				columns := []string{s.C(column), s.C(instance.FieldMachineID)}
				if down {
					s.Where(sql.CompositeLT(columns, v, machine))
					return
				}
				s.Where(sql.CompositeGT(columns, v, machine))
			}, err
		},
	}
}

// applicationOf is the one application that a list is about, nil for several.
func (r *Resolver) applicationOf(f model.InstanceFilter) *uuid.UUID {
	if f.ApplicationID == nil && f.GroupID != nil {
		if g := r.fleet.Catalog().Group(*f.GroupID); g != nil {
			return &g.App.ID
		}
	}
	return f.ApplicationID
}

// instanceConditions are the conditions of a filter. Those that an index needs
// in front are added where they follow from the others.
func (r *Resolver) instanceConditions(ctx context.Context, f model.InstanceFilter, app *uuid.UUID) ([]predicate.Instance, error) {
	var where []predicate.Instance
	add := func(p ...predicate.Instance) { where = append(where, p...) }
	if app != nil {
		add(instance.ApplicationID(*app))
	}
	switch {
	case f.GroupID != nil:
		add(instance.GroupID(*f.GroupID))
	case f.States != nil || f.Versions != nil: // the indexes begin with the group
		q := r.reader.Group.Query()
		if app != nil {
			q.Where(group.ApplicationID(*app))
		}
		ids, err := q.IDs(ctx)
		if err != nil {
			return nil, err
		}
		add(instance.Or(instance.GroupIDIn(ids...), instance.GroupIDIsNil()))
	}
	if f.States != nil {
		add(instance.StateIn(f.States...))
	}
	if f.Versions != nil {
		add(instance.VersionIn(f.Versions...))
	}
	if f.Standings != nil {
		add(instance.StandingIn(f.Standings...))
	}
	if f.Reasons != nil {
		add(instance.ReasonIn(reasonCodes(f.Reasons)...))
	}
	if f.Oem != nil {
		add(instance.Oem(*f.Oem))
	}
	if f.SeenAfter != nil {
		add(instance.LastSeenAtGTE(*f.SeenAfter))
	}
	if f.SeenBefore != nil {
		add(instance.LastSeenAtLT(*f.SeenBefore))
	}
	if f.Search != nil && *f.Search != "" {
		add(instance.Or(begins(instance.FieldMachineID, *f.Search), begins(instance.FieldAlias, *f.Search),
			begins(instance.FieldMachineAlias, *f.Search), begins(instance.FieldAddress, *f.Search)))
	}
	return where, nil
}

func reasonCodes(reasons []rollout.Reason) []string {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.String()
	}
	return codes
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
