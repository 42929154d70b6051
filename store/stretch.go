package store

import (
	"strconv"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/rollout"
)

// Stretch is the machines of a group that are alike in everything that is
// counted: those of one row of group_counts. They stand next to each other in
// one index of instances, in the order of their machine ids, so whatever
// combination of states, versions, standings and reasons a list asks for, the
// counters say which few stretches hold it.
type Stretch struct {
	Application uuid.UUID // of the group
	Group       uuid.UUID
	Version     string
	State       rollout.State
	Reason      string
	Standing    rollout.Standing
	Machines    int // as the counters have it
}

// Where is the condition that a machine is in the stretch.
func (t *Stretch) Where(s *sql.Selector) {
	s.Where(sql.And(
		sql.EQ(instance.FieldGroupID, t.Group), sql.EQ(instance.FieldVersion, t.Version), sql.EQ(instance.FieldState, int8(t.State)),
		sql.EQ(instance.FieldReason, t.Reason), sql.EQ(instance.FieldStanding, int8(t.Standing)),
	))
}

// Head is the first machines of several parts of an index that each are in the
// order of machine ids, such as stretches.
type Head struct {
	Parts []func(*sql.Selector) // conditions; at most MaxParts
	Each  int                   // how many of each part
	// Order is what they are sorted by before Limit cuts them off; without it
	// they are neither sorted nor cut off.
	Order []string
	Down  bool
	Limit int
	Skip  int // how many of the sorted are left out before; Each counts them too
}

// MaxParts is how many parts one statement can join: SQLite takes 500.
const MaxParts = 400

// Among is the condition that a machine is one of the head. Each part of the
// index is read from its beginning and left after its first machines.
func (h Head) Among() func(*sql.Selector) {
	return func(s *sql.Selector) {
		if len(h.Parts) == 0 {
			s.Where(sql.False())
			return
		}
		b := sql.Dialect(s.Dialect())
		columns := append([]string{instance.FieldID}, h.Order...)
		var all *sql.Selector
		for i, where := range h.Parts {
			part := b.Select(columns...).From(b.Table(instance.Table)).OrderBy(h.way(instance.FieldMachineID)).Limit(h.Each)
			where(part)
			// SQLite wants a member of a union that is sorted in brackets of its own.
			part = b.Select(columns...).From(part.As("p" + strconv.Itoa(i)))
			if all == nil {
				all = part
				continue
			}
			all.UnionAll(part)
		}
		ids := b.Select(instance.FieldID).From(all.As("head"))
		if len(h.Order) > 0 {
			for _, c := range h.Order {
				ids.OrderBy(h.way(c))
			}
			ids.Limit(h.Limit)
			if h.Skip > 0 {
				ids.Offset(h.Skip)
			}
		}
		s.Where(sql.In(s.C(instance.FieldID), ids))
	}
}

// Sort sorts a selection as the head is sorted.
func (h Head) Sort(s *sql.Selector) {
	for _, c := range h.Order {
		s.OrderBy(h.way(s.C(c)))
	}
}

func (h Head) way(column string) string {
	if h.Down {
		return sql.Desc(column)
	}
	return column
}
