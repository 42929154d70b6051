// Package bulk writes many rows with few statements: on PostgreSQL one for all
// tables of a batch, whose rows are sent as arrays; on SQLite one prepared
// statement, run once for each row, because there is no network in between. It
// knows no table itself.
package bulk

import (
	"slices"
	"strings"
)

// Table describes the columns that are written. A part is a group of columns
// that change together; a statement leaves out the parts that none of its rows
// changes.
type Table struct {
	Name    string
	columns []column
	begin   []int // first column of each part
	// conflict is the ON CONFLICT clause of insertions, "" for none.
	conflict string
	// sets limits PostgreSQL's statements to few texts: a statement writes the
	// first set that contains all its parts.
	sets []Parts
}

type column struct {
	name string
	kind kind
}

// Parts is a set of parts of a table; bit n is the part with index n.
type Parts uint8

// AllParts writes whole rows.
const AllParts = ^Parts(0)

// NewTable returns a table. Each part lists columns with their kinds: "id id,
// created_at time, name text". Kinds are id, time, text, number, bool and json. It
// panics on any other kind.
func NewTable(name, conflict string, parts ...string) *Table {
	t := &Table{Name: name, conflict: conflict}
	for _, part := range parts {
		t.begin = append(t.begin, len(t.columns))
		for c := range strings.SplitSeq(part, ",") {
			column, kind, _ := strings.Cut(strings.TrimSpace(c), " ")
			t.add(column, kind)
		}
	}
	return t
}

func (t *Table) add(name, kind string) {
	k, ok := kinds[kind]
	if !ok {
		panic("bulk: column " + t.Name + "." + name + " has no kind")
	}
	t.columns = append(t.columns, column{name, k})
}

// Again returns the same table with another clause for insertions.
func (t *Table) Again(conflict string) *Table {
	other := *t
	other.conflict = conflict
	return &other
}

// WithSets limits the sets of parts that PostgreSQL's statements write, smallest
// first.
func (t *Table) WithSets(sets ...Parts) *Table {
	t.sets = sets
	return t
}

// Width is the number of values in a row.
func (t *Table) Width() int { return len(t.columns) }

// Columns lists all columns for a SELECT.
func (t *Table) Columns() string { return t.names(t.indexes(AllParts), "") }

// Changed returns the parts in which two rows differ.
func (t *Table) Changed(a, b []Value) (p Parts) {
	for k, from := range t.begin {
		to := len(t.columns)
		if k+1 < len(t.begin) {
			to = t.begin[k+1]
		}
		if !slices.Equal(a[from:to], b[from:to]) {
			p |= 1 << k
		}
	}
	return p
}

// indexes returns the columns of some parts.
func (t *Table) indexes(p Parts) []int {
	indexes, k := make([]int, 0, len(t.columns)), 0
	for i := range t.columns {
		if k+1 < len(t.begin) && t.begin[k+1] == i {
			k++
		}
		if p&(1<<k) != 0 {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// rounded returns the first of the table's sets that contains p.
func (t *Table) rounded(p Parts) Parts {
	for _, set := range t.sets {
		if p&^set == 0 {
			return set
		}
	}
	return AllParts
}

// names lists columns, each followed by a suffix.
func (t *Table) names(indexes []int, suffix string) string {
	var b strings.Builder
	for k, i := range indexes {
		if k > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.columns[i].name + suffix)
	}
	return b.String()
}

// source is a SELECT of rows that PostgreSQL receives as one array for each
// column.
func (t *Table) source(indexes []int) string {
	arrays, exprs := make([]string, len(indexes)), make([]string, len(indexes))
	for k, i := range indexes {
		c := &t.columns[i]
		array, expr := c.kind.postgres(c.name)
		arrays[k], exprs[k] = "?::"+array, expr+" AS "+c.name
	}
	return "SELECT " + strings.Join(exprs, ", ") + " FROM unnest(" + strings.Join(arrays, ", ") + ") AS v(" + t.names(indexes, "") + ")"
}

// arrays appends the arguments of source.
func (t *Table) arrays(args []any, rows []Value, indexes []int) []any {
	for _, i := range indexes {
		args = append(args, t.array(rows, i))
	}
	return args
}

// array is one column of all rows as a PostgreSQL array literal.
func (t *Table) array(rows []Value, i int) string {
	if len(rows) == 0 {
		return "{}"
	}
	k, width := t.columns[i].kind, len(t.columns)
	b := make([]byte, 0, 2+len(rows)/width*16)
	b = append(b, '{')
	for ; i < len(rows); i += width {
		b = append(k.append(b, rows[i]), ',')
	}
	b[len(b)-1] = '}'
	return string(b)
}
