package transfer

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"entgo.io/ent/dialect/sql/schema"
)

// Table is a table that was copied.
type Table struct {
	Name   string
	Rows   int64
	Digest string // of all rows, whatever their order
}

// copyAll copies all tables from one transaction to another, and compares what the
// target then has.
func copyAll(ctx context.Context, from, to *sql.Tx, toPostgres bool) ([]Table, error) {
	restore, err := acceptEarlierAudits(ctx, to, toPostgres)
	if err != nil {
		return nil, err
	}
	var all []Table
	for _, t := range tables() {
		read, err := copyTable(ctx, from, to, toPostgres, t)
		if err != nil {
			return nil, fmt.Errorf("copy %s: %w", t.Name, err)
		}
		written, err := digest(ctx, to, t, nil)
		if err != nil {
			return nil, fmt.Errorf("read the copy of %s: %w", t.Name, err)
		}
		if *read != *written {
			return nil, fmt.Errorf("the copy of %s differs: %d rows were read, and %d are there", t.Name, read.Rows, written.Rows)
		}
		all = append(all, Table{t.Name, read.Rows, read.String()})
	}
	return all, restore()
}

// acceptEarlierAudits switches the trigger off that refuses entries without a place in
// the chain, which older versions wrote. The result switches it on again.
func acceptEarlierAudits(ctx context.Context, to *sql.Tx, toPostgres bool) (restore func() error, err error) {
	run := func(text string) error {
		if _, err := to.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("prepare the audits: %w", err)
		}
		return nil
	}
	if toPostgres {
		return func() error { return run(`ALTER TABLE audits ENABLE TRIGGER audits_chained`) }, run(`ALTER TABLE audits DISABLE TRIGGER audits_chained`)
	}
	var text string
	if err := to.QueryRowContext(ctx, "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'audits_chained'").Scan(&text); err != nil {
		return nil, fmt.Errorf("prepare the audits: %w", err)
	}
	return func() error { return run(text) }, run("DROP TRIGGER audits_chained")
}

func copyTable(ctx context.Context, from, to *sql.Tx, toPostgres bool, t *schema.Table) (*sum, error) {
	text := `INSERT INTO "` + t.Name + `" (` + columns(t) + ") VALUES (" + strings.TrimSuffix(strings.Repeat("?, ", len(t.Columns)), ", ") + ")" //nolint:gosec // G202: names of tables, from this package
	if toPostgres {
		text = `COPY "` + t.Name + `" (` + columns(t) + ") FROM STDIN"
	}
	insert, err := to.PrepareContext(ctx, text) //nolint:sqlclosecheck // COPY ends when it is closed, which is below
	if err != nil {
		return nil, err
	}
	defer insert.Close()
	args := make([]any, len(t.Columns))
	read, err := digest(ctx, from, t, func(row []value) error {
		for i := range row {
			args[i] = row[i].argument()
		}
		_, err := insert.ExecContext(ctx, args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !toPostgres {
		return read, nil
	}
	if _, err := insert.ExecContext(ctx); err != nil { // sends what is buffered
		return nil, err
	}
	if err := insert.Close(); err != nil {
		return nil, err
	}
	if numbered(t) {
		_, err = to.ExecContext(ctx, fmt.Sprintf(`SELECT setval(pg_get_serial_sequence('%s', 'id'), COALESCE((SELECT MAX(id) FROM "%s"), 0) + 1, false)`, t.Name, t.Name))
	}
	return read, err
}

// digest reads all rows of a table, and calls f with each unless it is nil. A row is
// valid until f returns.
func digest(ctx context.Context, tx *sql.Tx, t *schema.Table, f func([]value) error) (*sum, error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+columns(t)+` FROM "`+t.Name+`"`) //nolint:gosec // G202: names of columns, from this package
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	row, into := make([]value, len(t.Columns)), make([]any, len(t.Columns))
	for i := range row {
		row[i].column = t.Columns[i]
		into[i] = &row[i]
	}
	total := &sum{}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		if err := total.add(row); err != nil {
			return nil, err
		}
		if f != nil {
			if err := f(row); err != nil {
				return nil, err
			}
		}
	}
	return total, rows.Err()
}
