package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// ErrNewer says that a newer version of the program has written the database.
var ErrNewer = errors.New("the database was written by a newer version of coreroller: update the program, or restore the backup made before its upgrade")

// migrationDB opens a database for migrating: SQLite without foreign keys,
// because a table that is rebuilt is dropped, which would cascade.
func migrationDB(databaseURL string) (*sql.DB, goose.Dialect, string, error) {
	if IsPostgres(databaseURL) {
		d, err := sql.Open("postgres", databaseURL)
		return d, goose.DialectPostgres, "migrations/postgres", err
	}
	d, err := sql.Open("sqlite", sqliteDSN(databaseURL, false, false))
	if err == nil {
		d.SetMaxOpenConns(1)
	}
	return d, goose.DialectSQLite3, "migrations/sqlite", err
}

// Migration is the state of one migration.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Migrate applies the migrations a database lacks, each in a transaction,
// under a lock, so that any number of processes may start at once. It is the
// first thing Open does.
func Migrate(ctx context.Context, databaseURL string) error {
	return MigrateWith(ctx, databaseURL, migrations)
}

// MigrateWith is Migrate with other files: folders sqlite and postgres below
// the folder "migrations" of files.
func MigrateWith(ctx context.Context, databaseURL string, files fs.FS) error {
	return withProvider(ctx, databaseURL, files, func(d *sql.DB, p *goose.Provider) error {
		if err := refuseNewer(ctx, p); err != nil {
			return err
		}
		if IsPostgres(databaseURL) {
			_, err := p.Up(ctx)
			return err
		}
		return migrateSQLite(ctx, d, p)
	})
}

// Migrations lists all migrations and which are applied.
func Migrations(ctx context.Context, databaseURL string) (all []Migration, err error) {
	err = withProvider(ctx, databaseURL, migrations, func(_ *sql.DB, p *goose.Provider) error {
		if err := refuseNewer(ctx, p); err != nil {
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
	d, dialect, dir, err := migrationDB(databaseURL)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.PingContext(ctx); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if files, err = fs.Sub(files, dir); err != nil {
		return err
	}
	var options []goose.ProviderOption
	if dialect == goose.DialectPostgres {
		locker, err := lock.NewPostgresSessionLocker()
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

func refuseNewer(ctx context.Context, p *goose.Provider) error {
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return fmt.Errorf("%w (database %d, program %d)", ErrNewer, current, target)
	}
	return nil
}

// migrateSQLite applies what is missing and checks afterwards that no row lost
// its parent, since foreign keys are off meanwhile. Two processes that start
// at once meet at the file's write lock: whoever comes second finds the work
// done when it tries again.
func migrateSQLite(ctx context.Context, d *sql.DB, p *goose.Provider) error {
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
	return fmt.Errorf("row %s of %s points to a missing row of %s", rowid.String, table.String, parent.String)
}
