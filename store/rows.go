package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
)

// kind is how a column travels in an array to PostgreSQL.
type kind uint8

const (
	asText   kind = iota
	asNumber      // int64
	asTruth
	asID   // uuid.Nil is NULL
	asTime // the zero time is NULL
	asJSON // text
)

// column is one column of a bulk write.
type column struct {
	name string
	kind kind
}

// table is a set of rows written by one statement on PostgreSQL and by one
// prepared statement, once a row, on SQLite: there is no network in between.
type table struct {
	name    string
	columns []column
	// conflict is the ON CONFLICT clause, "" for none.
	conflict string
}

// insert writes rows, each with a value per column, and returns how many were
// written.
func (tx *Tx) insert(ctx context.Context, t *table, rows [][]any) (int64, error) {
	return tx.bulk(ctx, rows, t, "INSERT INTO "+t.name+" ("+names(t.columns)+") ", t.conflict)
}

// update sets all columns after the first by the first, which is the id.
func (tx *Tx) update(ctx context.Context, t *table, rows [][]any) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	var set []string
	if tx.store.postgres() {
		for _, c := range t.columns[1:] {
			set = append(set, c.name+" = r."+c.name)
		}
		head := "UPDATE " + t.name + " SET " + strings.Join(set, ", ") + " FROM ("
		tail := ") AS r WHERE " + t.name + "." + t.columns[0].name + " = r." + t.columns[0].name
		return tx.bulk(ctx, rows, t, head, tail)
	}
	for _, c := range t.columns[1:] {
		set = append(set, c.name+" = ?")
	}
	rotated := make([][]any, len(rows)) // the id is the last placeholder
	for i, row := range rows {
		rotated[i] = append(append(make([]any, 0, len(row)), row[1:]...), row[0])
	}
	return tx.eachRow(ctx, rotated, "UPDATE "+t.name+" SET "+strings.Join(set, ", ")+" WHERE "+t.columns[0].name+" = ?")
}

func (tx *Tx) bulk(ctx context.Context, rows [][]any, t *table, head, tail string) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	if !tx.store.postgres() {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ")
		return tx.eachRow(ctx, rows, head+"VALUES ("+marks+") "+tail)
	}
	var arrays, exprs []string
	args := make([]any, len(t.columns))
	for i, c := range t.columns {
		array, expr := c.postgres()
		arrays, exprs = append(arrays, "?::"+array), append(exprs, expr+" AS "+c.name)
		args[i] = c.array(rows, i)
	}
	result, err := tx.exec(ctx, head+"SELECT "+strings.Join(exprs, ", ")+" FROM unnest("+strings.Join(arrays, ", ")+
		") AS v("+names(t.columns)+") "+tail, args...)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", t.name, err)
	}
	return result.RowsAffected()
}

func (tx *Tx) eachRow(ctx context.Context, rows [][]any, text string) (written int64, err error) {
	stmt, err := tx.prepared(ctx, text)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	args := make([]any, len(rows[0]))
	for _, row := range rows {
		for i, v := range row {
			args[i] = null(v)
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

func names(columns []column) string {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.name)
	}
	return b.String()
}

// postgres is the array type a column travels as and the expression that turns
// one element into the stored value.
func (c column) postgres() (array, expr string) {
	switch c.kind {
	case asNumber:
		return "bigint[]", c.name
	case asTruth:
		return "boolean[]", c.name
	case asID:
		return "text[]", "NULLIF(" + c.name + ", '')::uuid"
	case asTime:
		return "text[]", "NULLIF(" + c.name + ", '')::timestamptz"
	case asJSON:
		return "text[]", c.name + "::jsonb"
	default:
		return "text[]", c.name
	}
}

// array is one column of all rows.
func (c column) array(rows [][]any, i int) any {
	switch c.kind {
	case asNumber:
		a := make(pq.Int64Array, len(rows))
		for k, row := range rows {
			a[k] = row[i].(int64)
		}
		return a
	case asTruth:
		a := make(pq.BoolArray, len(rows))
		for k, row := range rows {
			a[k] = row[i].(bool)
		}
		return a
	}
	a := make(pq.StringArray, len(rows))
	for k, row := range rows {
		switch v := row[i].(type) {
		case string:
			a[k] = v
		case uuid.UUID:
			if v != uuid.Nil {
				a[k] = v.String()
			}
		case time.Time:
			if !v.IsZero() {
				a[k] = v.UTC().Format("2006-01-02 15:04:05.999999Z07:00")
			}
		}
	}
	return a
}
