package store

import (
	"strconv"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"coreroller/ent/db/instance"
	"coreroller/rollout"
)

// Stretch is the machines of a group that are alike in everything that is
// counted: those of one row of group_counts. They stand next to each other in
// one index of instances, in the order of their machine ids, so whatever
// combination of states, versions, standings and reasons a list asks for, the
// counters say which few stretches hold it.
type Stretch struct {
	Group    uuid.UUID
	Version  string
	State    rollout.State
	Reason   string
	Standing rollout.Standing
	Machines int // as the counters have it
}

// Head is the first machines of some stretches.
type Head struct {
	Stretches []Stretch // at most maxStretches are looked at
	Each      int       // how many of each stretch
	// Order is what all of them are sorted by before Limit cuts them off, ""
	// for nothing: then Each alone limits.
	Order []string
	Down  bool
	Limit int
	// More conditions on the machines of a stretch; nil for none.
	More func(Stretch, *sql.Selector)
}

// MaxStretches is how many stretches one statement can join: SQLite takes 500.
const MaxStretches = 400

// Among is the condition that a machine is one of the head: an index is read
// for each stretch and left after its first machines.
func (h Head) Among() func(*sql.Selector) {
	return func(s *sql.Selector) {
		if len(h.Stretches) == 0 {
			s.Where(sql.False())
			return
		}
		var all *sql.Selector
		for i, stretch := range h.Stretches[:min(len(h.Stretches), MaxStretches)] {
			part := sql.Dialect(s.Dialect()).Select(h.columns()...).From(h.first(s.Dialect(), stretch).As("s" + strconv.Itoa(i)))
			if all == nil {
				all = part
				continue
			}
			all.UnionAll(part)
		}
		ids := sql.Dialect(s.Dialect()).Select(instance.FieldID).From(all.As("head"))
		if len(h.Order) > 0 {
			ids.OrderBy(h.ordered(h.Order)...).Limit(h.Limit)
		}
		s.Where(sql.In(s.C(instance.FieldID), ids))
	}
}

// columns are what is carried from the index: the id and what it is sorted by.
func (h Head) columns() []string { return append([]string{instance.FieldID}, h.Order...) }

func (h Head) ordered(columns []string) []string {
	if !h.Down {
		return columns
	}
	down := make([]string, len(columns))
	for i, c := range columns {
		down[i] = sql.Desc(c)
	}
	return down
}

// first is the first machines of a stretch.
func (h Head) first(dialect string, stretch Stretch) *sql.Selector {
	b := sql.Dialect(dialect)
	q := b.Select(h.columns()...).From(b.Table(instance.Table)).Where(sql.And(
		sql.EQ(instance.FieldGroupID, stretch.Group), sql.EQ(instance.FieldVersion, stretch.Version),
		sql.EQ(instance.FieldState, int8(stretch.State)), sql.EQ(instance.FieldReason, stretch.Reason),
		sql.EQ(instance.FieldStanding, int8(stretch.Standing)),
	))
	if h.More != nil {
		h.More(stretch, q)
	}
	return q.OrderBy(h.ordered([]string{instance.FieldMachineID})...).Limit(h.Each)
}
