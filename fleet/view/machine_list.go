package view

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/groupcount"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// MachineFilter are conditions on machines; all must hold. A nil list is no
// condition, an empty one is never met.
type MachineFilter struct {
	Application *uuid.UUID
	Group       *uuid.UUID
	States      []rollout.State
	Versions    []string
	Standings   []rollout.Standing
	Reasons     []rollout.Reason
	CountedAs   []catalog.Part // in the numbers of their group; machines of no group are not
	OEM         *string
	SeenAfter   *time.Time
	SeenBefore  *time.Time
	Search      string // beginning of machine id, alias or address
}

// MachineColumn is what a list of machines is sorted by.
type MachineColumn uint8

// The columns. Those after the first sort machines of one group.
const (
	ByMachineID MachineColumn = iota
	ByState
	ByVersion
)

// MachineList is a page of machines that is asked for.
type MachineList struct {
	MachineFilter
	By    MachineColumn
	Down  bool
	Limit int
	after *machinePlace // nil: from the beginning
	skip  int           // machines left out after that; lists of one group only
}

// machinePlace is where a machine stands in a list.
type machinePlace struct {
	Application uuid.UUID
	Group       uuid.UUID // zero: none
	State       rollout.State
	Version     string
	Machine     string
}

// layout is how a list is read, which also says what it is sorted by.
type layout uint8

const (
	// inOrder walks an index of machine ids, of an application or the fleet, and
	// sifts. It is for lists without conditions, which stop when the page is
	// full, and for a search, which has indexes of its own.
	inOrder layout = iota
	// inGroup joins the stretches of one group, see store.CountBucket.
	inGroup
	// groupWise does so for one group after the other, in the order of
	// application and group. Machines of no group come last.
	groupWise
)

func (l *MachineList) layout() layout {
	switch {
	case l.Search != "":
		return inOrder
	case l.Group != nil:
		return inGroup
	case !l.counted() && l.OEM == nil:
		return inOrder
	}
	return groupWise
}

// ordinal is a column that a list is sorted by.
type ordinal struct {
	column string
	value  func(*machinePlace) any // a pointer into it
}

// order is what the list is sorted by.
func (l *MachineList) order() []ordinal {
	machine := ordinal{instance.FieldMachineID, func(p *machinePlace) any { return &p.Machine }}
	application := ordinal{instance.FieldApplicationID, func(p *machinePlace) any { return &p.Application }}
	group := ordinal{instance.FieldGroupID, func(p *machinePlace) any { return &p.Group }}
	switch {
	case l.By == ByState:
		return []ordinal{{instance.FieldState, func(p *machinePlace) any { return &p.State }}, machine}
	case l.By == ByVersion:
		return []ordinal{{instance.FieldVersion, func(p *machinePlace) any { return &p.Version }}, machine}
	case l.layout() == groupWise:
		return []ordinal{application, group, machine}
	case l.Application == nil && l.Group == nil:
		return []ordinal{application, machine}
	}
	return []ordinal{machine}
}

// Place is where a machine stands in the list, as values for a cursor.
func (l *MachineList) Place(m *db.Instance) []any {
	return l.values(placeOf(m))
}

func placeOf(m *db.Instance) *machinePlace {
	p := &machinePlace{Application: m.ApplicationID, State: m.State, Version: m.Version, Machine: m.MachineID}
	if m.GroupID != nil {
		p.Group = *m.GroupID
	}
	return p
}

// After lets the list begin after a place; read fills in what Place gave.
func (l *MachineList) After(read func(values ...any) error) error {
	l.after = &machinePlace{}
	return read(l.values(l.after)...)
}

func (l *MachineList) values(p *machinePlace) []any {
	var all []any
	for _, o := range l.order() {
		all = append(all, o.value(p))
	}
	return all
}

// Machines reads a page. Load makes the query for rows read what else is
// wanted of them; nil for nothing.
//
// Conditions on state, version, standing and reason, in any combination, cost
// as much in a group of a million machines as in one of ten, and a list by
// platform does. When they were last seen is in no index, because it changes
// with every poll: machines are looked at one after the other until the page is
// full. For those not seen for a day ask for the standing as well.
func (s *Service) Machines(ctx context.Context, l MachineList, with With) ([]*db.Instance, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return nil, err
	}
	if l.By != ByMachineID && l.Group == nil {
		return nil, fault.Errorf(fault.Invalid, "orderBy.field", "needs filter.groupId")
	}
	if l.layout() == inOrder {
		q, err := s.walk(ctx, &l)
		if err != nil {
			return nil, err
		}
		rows, err := with.instances(q).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("list machines: %w", err)
		}
		return rows, nil
	}
	ids, err := s.machineIDs(ctx, &l)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, err := with.instances(s.db().Instance.Query().Where(instance.IDIn(ids...))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	return inOrderOf(ids, rows, func(m *db.Instance) uuid.UUID { return m.ID }), nil
}

// CountMachines is how many machines match and whether that is all of them:
// from counters where they know it, else counted up to a limit.
func (s *Service) CountMachines(ctx context.Context, f MachineFilter, limit int) (n int, exact bool, err error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return 0, false, err
	}
	l := MachineList{MachineFilter: f, Limit: limit + 1}
	if f.OEM != nil || f.SeenAfter != nil || f.SeenBefore != nil || f.Search != "" {
		ids, err := s.machineIDs(ctx, &l)
		return min(len(ids), limit), len(ids) <= limit, err
	}
	stretches, err := s.stretches(ctx, &l)
	if err != nil {
		return 0, false, err
	}
	for _, stretch := range stretches {
		n += stretch.Machines
	}
	if f.Group != nil || f.CountedAs != nil {
		return n, true, nil
	}
	// The counters know no machine without a group; there are few.
	homeless, err := idsOf(s.homeless(ctx, &l, l.Limit))(ctx)
	if err != nil {
		return 0, false, err
	}
	return n + min(len(homeless), limit), len(homeless) <= limit, nil
}

// walk reads machines of an application or the fleet along an index of their
// ids, or of a search.
func (s *Service) walk(ctx context.Context, l *MachineList) (*db.InstanceQuery, error) {
	app := l.Application
	if app == nil && l.Group != nil {
		if g := s.catalog.Catalog().Group(*l.Group); g != nil {
			app = &g.App.ID // the indexes of a search begin with it
		}
	}
	q := s.db().Instance.Query().Where(l.conditions()...).Limit(l.Limit)
	if l.CountedAs != nil {
		stretches, err := s.stretches(ctx, l)
		if err != nil {
			return nil, err
		}
		q.Where(within(stretches))
	}
	switch {
	case app != nil:
		q.Where(instance.ApplicationID(*app))
	case l.Search != "":
		q.Where(instance.ApplicationIDIn(s.catalog.Catalog().Apps()...))
	}
	if l.Group != nil {
		q.Where(instance.GroupID(*l.Group))
	}
	// Within a group, and among machines of none, the group says nothing.
	order := slices.DeleteFunc(l.order(), func(o ordinal) bool {
		return o.column == instance.FieldGroupID || o.column == instance.FieldApplicationID && app != nil
	})
	head := store.Head{Down: l.Down}
	for _, o := range order {
		head.Order = append(head.Order, o.column)
	}
	if l.after != nil {
		q.Where(beyond(order, l.after, l.Down))
	}
	if l.skip > 0 {
		q.Offset(l.skip)
	}
	return q.Order(head.Sort), nil
}

// beyond is the condition that a row comes after a place. Comparing all columns
// as one row value lets an index continue there.
func beyond(order []ordinal, place *machinePlace, down bool) predicate.Instance {
	return func(s *sql.Selector) {
		var columns []string
		var values []any
		for _, o := range order {
			columns, values = append(columns, s.C(o.column)), append(values, o.value(place))
		}
		switch {
		case len(columns) == 1 && down:
			s.Where(sql.LT(columns[0], values[0]))
		case len(columns) == 1:
			s.Where(sql.GT(columns[0], values[0]))
		case down:
			s.Where(sql.CompositeLT(columns, values...))
		default:
			s.Where(sql.CompositeGT(columns, values...))
		}
	}
}

// stretches are the rows of counters that hold matching machines, in the order
// of application and group.
func (s *Service) stretches(ctx context.Context, l *MachineList) ([]store.CountBucket, error) {
	where := []predicate.GroupCount{groupcount.MachinesGT(0)}
	snapshot := s.catalog.Catalog()
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
	if l.States != nil {
		where = append(where, groupcount.StateIn(l.States...))
	}
	if l.Versions != nil {
		where = append(where, groupcount.VersionIn(l.Versions...))
	}
	if l.Standings != nil {
		where = append(where, groupcount.StandingIn(l.Standings...))
	}
	if l.Reasons != nil {
		where = append(where, groupcount.ReasonIn(reasonCodes(l.Reasons)...))
	}
	if l.after != nil && l.By == ByVersion { // the database knows in which order it keeps text
		if l.Down {
			where = append(where, groupcount.VersionLTE(l.after.Version))
		} else {
			where = append(where, groupcount.VersionGTE(l.after.Version))
		}
	}
	rows, err := s.db().GroupCount.Query().Where(where...).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	all := make([]store.CountBucket, 0, len(rows))
	for _, row := range rows {
		g := snapshot.Group(row.GroupID)
		if g == nil || l.Application != nil && g.App.ID != *l.Application {
			continue // deleted this very moment, or of another application
		}
		if l.CountedAs != nil && !slices.Contains(l.CountedAs, catalog.PartOf(row.State, row.Standing, g.OnTarget(row.Version))) {
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
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.String()
	}
	return codes
}
