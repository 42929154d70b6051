// Package transfer copies whole databases: from SQLite to PostgreSQL and back, into a
// backup file and out of it. It knows no table but those that ent generates, and copies
// rows as they are, with their ids. The copy is one transaction on each side, and is read
// again and compared before it is committed.
package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	"github.com/coreroller/coreroller/ent/db/migrate"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/migrations"
	"github.com/coreroller/coreroller/store/sqlite"
)

// ErrNotEmpty means that the target already contains data.
var ErrNotEmpty = errors.New("the target database already contains data: choose an empty one")

// database is one side of a copy.
type database struct {
	url      string
	postgres bool
	pool     *sql.DB
	close    func() error
}

// openSource opens a database that exists and has the schema of this program.
func openSource(ctx context.Context, url string) (*database, error) {
	if !store.IsPostgres(url) {
		if _, err := os.Stat(url); err != nil {
			return nil, fmt.Errorf("open the source: %w", err)
		}
	}
	all, err := migrations.List(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open the source: %w", err)
	}
	for _, m := range all {
		if !m.Applied {
			return nil, fmt.Errorf("the source was written by an older version of coreroller (it misses %s): use that version, or run coreroller migrate up on it first", m.Name)
		}
	}
	return open(ctx, url, false)
}

// openTarget creates and migrates the target.
func openTarget(ctx context.Context, url string) (*database, error) {
	if !store.IsPostgres(url) {
		if err := sqlite.MakePrivate(url, slog.New(slog.DiscardHandler)); err != nil {
			return nil, err
		}
	}
	if err := migrations.Apply(ctx, url); err != nil {
		return nil, fmt.Errorf("open the target: %w", err)
	}
	return open(ctx, url, true)
}

func open(ctx context.Context, url string, write bool) (*database, error) {
	if store.IsPostgres(url) {
		pool, err := sql.Open("postgres", url)
		if err != nil {
			return nil, err
		}
		return &database{url: url, postgres: true, pool: pool, close: pool.Close}, pool.PingContext(ctx)
	}
	d, err := sqlite.Open(ctx, url, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	pool := d.Readers
	if write {
		pool = d.Writer
	}
	return &database{url: url, pool: pool, close: d.Close}, nil
}

// begin starts a transaction that sees one state of the database.
func (d *database) begin(ctx context.Context, readOnly bool) (*sql.Tx, error) {
	o := &sql.TxOptions{}
	if d.postgres {
		o.Isolation, o.ReadOnly = sql.LevelRepeatableRead, readOnly
	}
	return d.pool.BeginTx(ctx, o)
}

// tables returns all tables, each after those that it refers to.
func tables() []*schema.Table {
	var sorted []*schema.Table
	var add func(t *schema.Table)
	add = func(t *schema.Table) {
		if slices.Contains(sorted, t) {
			return
		}
		for _, key := range t.ForeignKeys {
			if key.RefTable != t {
				add(key.RefTable)
			}
		}
		sorted = append(sorted, t)
	}
	all := slices.Clone(migrate.Tables)
	slices.SortFunc(all, func(a, b *schema.Table) int { return strings.Compare(a.Name, b.Name) })
	for _, t := range all {
		add(t)
	}
	return sorted
}

func columns(t *schema.Table) string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = `"` + c.Name + `"`
	}
	return strings.Join(names, ", ")
}

// numbered reports whether the database numbers the rows of a table.
func numbered(t *schema.Table) bool {
	id := t.PrimaryKey[0]
	return len(t.PrimaryKey) == 1 && id.Increment && id.Type == field.TypeInt
}

// empty reports whether no table has rows.
func empty(ctx context.Context, tx *sql.Tx) error {
	for _, t := range tables() {
		var some bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM "`+t.Name+`")`).Scan(&some); err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
		if some {
			return fmt.Errorf("%w (rows in the table %s)", ErrNotEmpty, t.Name)
		}
	}
	return nil
}

func closeAll(err *error, all ...io.Closer) {
	for _, c := range all {
		*err = errors.Join(*err, c.Close())
	}
}

// Close closes the connections.
func (d *database) Close() error { return d.close() }
