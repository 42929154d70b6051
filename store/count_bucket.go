package store

import (
	"strconv"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/machinelabel"
	"github.com/coreroller/coreroller/rollout"
)

// CountBucket identifies machines of a group that share all counted attributes
// (one row of group_counts). An index of instances holds the machines of a
// bucket next to each other, in the order of their machine ids. So the counters
// show which buckets a list needs, for any filter by state, version, standing
// and reason.
type CountBucket struct {
	Application uuid.UUID // of the group
	Group       uuid.UUID
	Version     string
	State       rollout.State
	Reason      string
	Standing    rollout.Standing
	Machines    int // the counter
}

// Where limits a selection to the machines of the bucket.
func (t *CountBucket) Where(s *sql.Selector) {
	s.Where(sql.And(
		sql.EQ(instance.FieldGroupID, t.Group), sql.EQ(instance.FieldVersion, t.Version), sql.EQ(instance.FieldState, int8(t.State)),
		sql.EQ(instance.FieldReason, t.Reason), sql.EQ(instance.FieldStanding, int8(t.Standing)),
	))
}

// Head selects the first machines of several ranges of an index. Each range,
// such as a CountBucket, is in the order of machine ids.
type Head struct {
	Parts []func(*sql.Selector) // one condition for each range; at most MaxParts
	Each  int                   // machines read from each range
	// Order are the columns by which the machines of all ranges are sorted before
	// Skip and Limit apply. If it is empty, they are neither sorted nor limited.
	Order []string
	Down  bool // in descending order
	// Apart sorts the machines after reading them. Without it PostgreSQL may walk an
	// index in this order until it meets enough of a few machines at its end.
	Apart bool
	// Labeled sorts by the application and the machine id of the first joined table of
	// attributes and tags, LabelAlias with number 0, whose index has this order.
	Labeled bool
	Limit   int
	Skip    int // sorted machines left out before Limit; Each must include them
}

// LabelAlias begins the names of joined tables of attributes and tags.
const LabelAlias = "label"

// MaxParts is the most ranges in one statement. SQLite allows 500 SELECTs in a
// UNION.
const MaxParts = 400

// Among returns the condition that a machine is in the head. The database reads
// only the first Each entries of each range.
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
			part := b.Select(columns...).From(b.Table(instance.Table)).OrderBy(h.directed(instance.FieldMachineID)).Limit(h.Each)
			where(part)
			// SQLite allows ORDER BY in a member of a UNION only inside a subquery.
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
				ids.OrderBy(h.directed(c))
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
	for _, column := range h.Columns(s) {
		s.OrderBy(h.directed(column))
	}
}

// Columns returns what a selection is sorted by, also to compare with the values of a row.
func (h Head) Columns(s *sql.Selector) []string {
	columns := make([]string, len(h.Order))
	for i, c := range h.Order {
		columns[i] = s.C(c)
		if h.Labeled && (c == instance.FieldApplicationID || c == instance.FieldMachineID) {
			columns[i] = sql.Dialect(s.Dialect()).Table(machinelabel.Table).As(LabelAlias + "0").C(c)
		}
	}
	if h.Apart { // an expression that no index has
		columns[0] = "COALESCE(" + columns[0] + ", " + columns[0] + ")"
	}
	return columns
}

func (h Head) directed(column string) string {
	if h.Down {
		return sql.Desc(column)
	}
	return column
}
