package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// column is one column of a bulk write.
type column struct {
	name string
	kind kind
}

// parts is a set of the parts of a table: columns that stand together and
// change together. A statement leaves out those that no row of it touches.
type parts uint8

// allParts is for rows that are written whole.
const allParts = ^parts(0)

// table is a set of rows written by one statement on PostgreSQL and by one
// prepared statement, once a row, on SQLite: there is no network in between.
type table struct {
	name    string
	columns []column
	// begin is where each part of the columns begins; nil is one part.
	begin []int
	// sets are the parts that PostgreSQL is given together, the first that fits.
	sets []parts
	// conflict is the ON CONFLICT clause, "" for none.
	conflict string
}

// touched are the parts in which two rows differ.
func (t *table) touched(a, b cells) (p parts) {
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

// used are the columns of some parts, by their places in a row.
func (t *table) used(p parts) []int {
	places, k := make([]int, 0, len(t.columns)), 0
	for i := range t.columns {
		if k+1 < len(t.begin) && t.begin[k+1] == i {
			k++
		}
		if p&(1<<k) != 0 {
			places = append(places, i)
		}
	}
	return places
}

// change is rows of one table on their way to the database.
type change struct {
	table *table
	rows  cells // each with a value for every column
	parts parts // that are written; what is left out of a new row gets the column's default
	// known is for rows that exist: the columns are set by the first one, the
	// id, which is in every statement with the rest of the first part.
	known bool
}

// insertion is new rows written whole.
func insertion(t *table, rows cells) change { return change{table: t, rows: rows, parts: allParts} }

func (c *change) places() []int {
	if c.known {
		return c.table.used(c.parts | 1)
	}
	return c.table.used(c.parts)
}

// write makes changes and returns how many rows of each were written. SQLite
// takes them in their order. PostgreSQL gets one statement, whatever rows there
// are, so that there are few texts to keep prepared, and looks at references
// when all is there.
func (tx *Tx) write(ctx context.Context, changes ...change) (written []int64, err error) {
	written = make([]int64, len(changes))
	some := 0
	for i := range changes {
		if len(changes[i].rows) > 0 {
			some++
		}
	}
	if some > 1 && tx.store.postgres() && len(changes) <= maxTogether {
		return written, tx.together(ctx, changes, written)
	}
	for i := range changes {
		c := &changes[i]
		if len(c.rows) == 0 {
			continue
		}
		if tx.store.postgres() {
			written[i], err = tx.bulk(ctx, c.table, c.rows, c.places(), c.head(), c.tail())
		} else {
			text, places := c.single()
			written[i], err = tx.eachRow(ctx, c.table, c.rows, places, text)
		}
		if err != nil {
			return nil, err
		}
	}
	return written, nil
}

// rounded is one of few sets of parts that has at least those of p.
func (t *table) rounded(p parts) parts {
	for _, set := range t.sets {
		if p&^set == 0 {
			return set
		}
	}
	return allParts
}

// head and tail are what stands before and behind the rows in PostgreSQL.
func (c *change) head() string {
	places := c.places()
	if !c.known {
		return "INSERT INTO " + c.table.name + " (" + c.table.names(places, "") + ") "
	}
	var set []string
	for _, i := range places[1:] {
		set = append(set, c.table.columns[i].name+" = r."+c.table.columns[i].name)
	}
	return "UPDATE " + c.table.name + " SET " + strings.Join(set, ", ") + " FROM ("
}

func (c *change) tail() string {
	if !c.known {
		return " " + c.table.conflict
	}
	key := c.table.columns[0].name
	return ") AS r WHERE " + c.table.name + "." + key + " = r." + key
}

// single is the statement of one row in SQLite, and the places of its values.
func (c *change) single() (text string, places []int) {
	places, name := c.places(), c.table.name
	if !c.known {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(places)), ", ")
		return "INSERT INTO " + name + " (" + c.table.names(places, "") + ") VALUES (" + marks + ") " + c.table.conflict, places
	}
	set := places[1:]
	return "UPDATE " + name + " SET " + c.table.names(set, " = ?") + " WHERE " + c.table.columns[0].name + " = ?", append(set, 0)
}

// source is rows as PostgreSQL reads them: one array for each column.
func (t *table) source(places []int) string {
	arrays, exprs := make([]string, len(places)), make([]string, len(places))
	for k, i := range places {
		c := &t.columns[i]
		array, expr := c.kind.postgres(c.name)
		arrays[k], exprs[k] = "?::"+array, expr+" AS "+c.name
	}
	return "SELECT " + strings.Join(exprs, ", ") + " FROM unnest(" + strings.Join(arrays, ", ") + ") AS v(" + t.names(places, "") + ")"
}

// arrays appends the arguments of source.
func (t *table) arrays(args []any, rows cells, places []int) []any {
	for _, i := range places {
		args = append(args, t.columns[i].array(rows, i, len(t.columns)))
	}
	return args
}

// bulk sends rows of one table to PostgreSQL.
func (tx *Tx) bulk(ctx context.Context, t *table, rows cells, places []int, head, tail string) (int64, error) {
	result, err := tx.exec(ctx, head+t.source(places)+tail, t.arrays(nil, rows, places)...)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", t.name, err)
	}
	return result.RowsAffected()
}

// array is one column of all rows, as PostgreSQL reads an array.
func (c *column) array(rows cells, i, width int) string {
	b := make([]byte, 0, 2+len(rows)/width*16)
	b = append(b, '{')
	if len(rows) == 0 {
		return "{}"
	}
	for ; i < len(rows); i += width {
		b = append(c.kind.append(b, rows[i]), ',')
	}
	b[len(b)-1] = '}'
	return string(b)
}

func (tx *Tx) eachRow(ctx context.Context, t *table, rows cells, places []int, text string) (written int64, err error) {
	stmt, err := tx.prepared(ctx, text)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	args := make([]any, len(places))
	for ; len(rows) > 0; rows = rows[len(t.columns):] {
		for k, i := range places {
			args[k] = t.columns[i].kind.sqlite(rows[i])
		}
		result, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return 0, fmt.Errorf("%.40s: %w", text, err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		written += n
	}
	return written, nil
}

// names lists columns by their places, each with something behind it.
func (t *table) names(places []int, with string) string {
	var b strings.Builder
	for k, i := range places {
		if k > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.columns[i].name + with)
	}
	return b.String()
}
