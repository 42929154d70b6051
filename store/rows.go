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

// insert writes rows, each with a value for every column, and returns how many
// were written. What is left out gets the column's default.
func (tx *Tx) insert(ctx context.Context, t *table, rows cells, p parts) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	places := t.used(p)
	head := "INSERT INTO " + t.name + " (" + t.names(places, "") + ") "
	if tx.store.postgres() {
		return tx.bulk(ctx, t, rows, places, head, " "+t.conflict)
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(places)), ", ")
	return tx.eachRow(ctx, t, rows, places, head+"VALUES ("+marks+") "+t.conflict)
}

// update sets the columns of some parts by the first column, the id, which is
// in every statement with the rest of the first part.
func (tx *Tx) update(ctx context.Context, t *table, rows cells, p parts) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	places, key := t.used(p|1), t.columns[0].name
	if tx.store.postgres() {
		var set []string
		for _, i := range places[1:] {
			set = append(set, t.columns[i].name+" = r."+t.columns[i].name)
		}
		return tx.bulk(ctx, t, rows, places, "UPDATE "+t.name+" SET "+strings.Join(set, ", ")+" FROM (",
			") AS r WHERE "+t.name+"."+key+" = r."+key)
	}
	places = append(places[1:], 0) // the id is the last placeholder
	return tx.eachRow(ctx, t, rows, places, "UPDATE "+t.name+" SET "+t.names(places[:len(places)-1], " = ?")+" WHERE "+key+" = ?")
}

// bulk sends rows to PostgreSQL as one array for each column.
func (tx *Tx) bulk(ctx context.Context, t *table, rows cells, places []int, head, tail string) (int64, error) {
	arrays, exprs, args := make([]string, len(places)), make([]string, len(places)), make([]any, len(places))
	for k, i := range places {
		c := &t.columns[i]
		array, expr := c.kind.postgres(c.name)
		arrays[k], exprs[k] = "?::"+array, expr+" AS "+c.name
		args[k] = c.array(rows, i, len(t.columns))
	}
	result, err := tx.exec(ctx, head+"SELECT "+strings.Join(exprs, ", ")+" FROM unnest("+strings.Join(arrays, ", ")+
		") AS v("+t.names(places, "")+")"+tail, args...)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", t.name, err)
	}
	return result.RowsAffected()
}

// array is one column of all rows, as PostgreSQL reads an array.
func (c *column) array(rows cells, i, width int) string {
	b := make([]byte, 0, 2+len(rows)/width*16)
	b = append(b, '{')
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
