// Package migrations brings the schema of a database up to date from the files
// in sqlite and postgres. A released file is never edited: goose records that
// it was applied, and atlas.sum holds its checksum.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/coreroller/coreroller/store/postgres"
	"github.com/coreroller/coreroller/store/sqlite"
)

//go:embed sqlite postgres contracts.txt
var embedded embed.FS

// ErrNewer means that a newer version of the program migrated the database.
var ErrNewer = errors.New("the database was written by a newer version of coreroller: update the program, or restore the backup made before its upgrade")

// Migration is the state of one migration.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Apply applies the missing migrations of a database, each in a transaction. A
// lock makes it safe that several processes start at once. A database newer than
// this program is refused with ErrNewer.
func Apply(ctx context.Context, databaseURL string) error {
	return ApplyFrom(ctx, databaseURL, embedded)
}

// ApplyFrom is Apply with other files, in folders sqlite and postgres.
func ApplyFrom(ctx context.Context, databaseURL string, files fs.FS) error {
	return withProvider(ctx, databaseURL, files, func(d *sql.DB, p *goose.Provider) error {
		return up(ctx, databaseURL, files, d, p, nil)
	})
}

// up applies the missing migrations. before is called for SQLite, if it is not nil.
func up(ctx context.Context, databaseURL string, files fs.FS, d *sql.DB, p *goose.Provider, before func(current, target int64) error) error {
	current, target, err := versions(ctx, databaseURL, d, p)
	if err != nil {
		return err
	}
	if postgres.IsURL(databaseURL) {
		if current > target {
			return nil // a newer program has only added to it
		}
		return upPostgres(ctx, files, d, p, target)
	}
	if before != nil {
		if err := before(current, target); err != nil {
			return err
		}
	}
	return applySQLite(ctx, d, p)
}

// List returns all migrations in order.
func List(ctx context.Context, databaseURL string) (all []Migration, err error) {
	err = withProvider(ctx, databaseURL, embedded, func(d *sql.DB, p *goose.Provider) error {
		if _, _, err := versions(ctx, databaseURL, d, p); err != nil {
			return err
		}
		status, err := p.Status(ctx)
		for _, m := range status {
			all = append(all, Migration{m.Source.Version, m.Source.Path, m.State == goose.StateApplied})
		}
		return err
	})
	return all, err
}

func withProvider(ctx context.Context, databaseURL string, files fs.FS, f func(*sql.DB, *goose.Provider) error) (err error) {
	d, dialect, folder, err := open(databaseURL)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.PingContext(ctx); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if files, err = fs.Sub(files, folder); err != nil {
		return err
	}
	var options []goose.ProviderOption
	if dialect == goose.DialectPostgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600)) // asks every second, for ten minutes
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, d, files, options...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if err := f(d, p); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func open(databaseURL string) (*sql.DB, goose.Dialect, string, error) {
	if postgres.IsURL(databaseURL) {
		d, err := postgres.OpenToMigrate(databaseURL)
		return d, goose.DialectPostgres, "postgres", err
	}
	d, err := sqlite.OpenToMigrate(databaseURL)
	return d, goose.DialectSQLite3, "sqlite", err
}

// versions returns the newest migration of the database and that of this program. A
// PostgreSQL may be newer if the programs since have only added to it.
func versions(ctx context.Context, databaseURL string, d *sql.DB, p *goose.Provider) (current, target int64, err error) {
	if current, target, err = p.GetVersions(ctx); err != nil || current <= target {
		return current, target, err
	}
	if postgres.IsURL(databaseURL) {
		if needed, err := oldest(ctx, d); err != nil || needed > 0 && needed <= target {
			return current, target, err
		}
	}
	return current, target, fmt.Errorf("%w (database %d, program %d)", ErrNewer, current, target)
}

// applySQLite retries, because goose has no lock for SQLite: if two processes
// start at once, the second fails at the file's write lock and finds the work
// done when it tries again. Foreign keys are off until then, so they are checked
// at the end.
func applySQLite(ctx context.Context, d *sql.DB, p *goose.Provider) error {
	var err error
	for range 3 {
		if _, err = p.Up(ctx); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	var table, rowid, parent, key sql.NullString
	err = d.QueryRowContext(ctx, "SELECT * FROM pragma_foreign_key_check LIMIT 1").Scan(&table, &rowid, &parent, &key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("check foreign keys: %w", err)
	}
	return fmt.Errorf("row %s of %s references a missing row of %s", rowid.String, table.String, parent.String)
}
