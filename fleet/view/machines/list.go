// Package machines lists machines by any combination of conditions, in groups of
// any size: it finds the count buckets that match, then merges one index range
// per bucket and stops when the page is full.
package machines

import (
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/rollout"
)

// Filter are conditions on machines; all must hold. A nil list is no condition,
// an empty one is never met.
type Filter struct {
	Application *uuid.UUID
	Group       *uuid.UUID
	States      []rollout.State
	Versions    []string
	Standings   []rollout.Standing
	Reasons     []rollout.Reason
	CountedAs   []catalog.Part // how the numbers of the group count it; excludes machines without a group
	OEM         *string
	Attributes  []job.Attribute // with these values, set by people
	Tags        []string
	SeenAfter   *time.Time
	SeenBefore  *time.Time
	Search      string // prefix of machine id, alias or address
	IDs         []uuid.UUID
}

// Empty reports whether there is no condition.
func (f *Filter) Empty() bool {
	return f.Application == nil && f.Group == nil && f.States == nil && f.Versions == nil && f.Standings == nil && f.Reasons == nil &&
		f.CountedAs == nil && f.OEM == nil && !f.labeled() && f.SeenAfter == nil && f.SeenBefore == nil && f.Search == "" && f.IDs == nil
}

// check returns Invalid for a list of values that is too long for a statement, and for an
// attribute that has no index.
func (f *Filter) check() error {
	if err := f.checkLabels(); err != nil {
		return err
	}
	return fault.Lengths("filter", map[string]int{
		"states": len(f.States), "versions": len(f.Versions), "standings": len(f.Standings), "reasons": len(f.Reasons), "countedAs": len(f.CountedAs), "ids": len(f.IDs),
	})
}

// Column is the column that a list is sorted by.
type Column uint8

// The columns. All but ByMachineID need a filter for one group.
const (
	ByMachineID Column = iota
	ByState
	ByVersion
)

// List is a page of machines to read.
type List struct {
	Filter
	By    Column
	Down  bool
	Limit int
	after *place // nil: from the start
	skip  int    // machines to leave out after that; lists of one group only
}

// place is the position of a machine in a list.
type place struct {
	Application uuid.UUID
	Group       uuid.UUID // zero: none
	State       rollout.State
	Version     string
	Machine     string
}

// layout is how a list is read. It determines the sort order.
type layout uint8

const (
	// inOrder reads an index of machine ids, of an application or all, and
	// filters. It is for lists without conditions, which stop when the page is
	// full, and for a search, for ids and for attributes and tags, which have their
	// own indexes.
	inOrder layout = iota
	// inGroup merges the count buckets of one group, see store.CountBucket.
	inGroup
	// groupWise reads one group after the other like inGroup, by application and
	// group. Machines without a group come last.
	groupWise
)

func (l *List) layout() layout {
	switch {
	case l.Search != "" || l.IDs != nil || l.labeled():
		return inOrder
	case l.Group != nil:
		return inGroup
	case !l.counted() && l.OEM == nil:
		return inOrder
	}
	return groupWise
}

// ordinal is one column of a sort order.
type ordinal struct {
	column string
	value  func(*place) any // a pointer into it
}

// order returns the sort order of the list.
func (l *List) order() []ordinal {
	machine := ordinal{instance.FieldMachineID, func(p *place) any { return &p.Machine }}
	application := ordinal{instance.FieldApplicationID, func(p *place) any { return &p.Application }}
	group := ordinal{instance.FieldGroupID, func(p *place) any { return &p.Group }}
	switch {
	case l.By == ByState:
		return []ordinal{{instance.FieldState, func(p *place) any { return &p.State }}, machine}
	case l.By == ByVersion:
		return []ordinal{{instance.FieldVersion, func(p *place) any { return &p.Version }}, machine}
	case l.layout() == groupWise:
		return []ordinal{application, group, machine}
	case l.Application == nil && l.Group == nil:
		return []ordinal{application, machine}
	}
	return []ordinal{machine}
}

// Place returns the position of a machine as values for a cursor.
func (l *List) Place(m *db.Instance) []any {
	return l.values(placeOf(m))
}

func placeOf(m *db.Instance) *place {
	p := &place{Application: m.ApplicationID, State: m.State, Version: m.Version, Machine: m.MachineID}
	if m.GroupID != nil {
		p.Group = *m.GroupID
	}
	return p
}

// After starts the list after a place. scan must store the values that Place
// returned in the pointers.
func (l *List) After(scan func(values ...any) error) error {
	l.after = &place{}
	return scan(l.values(l.after)...)
}

func (l *List) values(p *place) []any {
	var all []any
	for _, o := range l.order() {
		all = append(all, o.value(p))
	}
	return all
}
