package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	atlas "ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/coreroller/coreroller/ent/db/attempt"
	"github.com/coreroller/coreroller/ent/db/historyentry"
	"github.com/coreroller/coreroller/ent/db/migrate"
	"github.com/coreroller/coreroller/store/postgres"
)

// Diff compares the ent schema with the migrations, which it replays on an empty
// development database, and writes the difference as a new migration. The URL ""
// means SQLite in memory. With schema.WithErrNoPlan it returns
// migrate.ErrNoPlan if there is no difference.
func Diff(ctx context.Context, databaseURL, name string, options ...schema.MigrateOption) error {
	driver, kind, source := "sqlite", dialect.SQLite, "file::memory:?_pragma=foreign_keys(1)"
	if postgres.IsURL(databaseURL) {
		driver, kind, source = "postgres", dialect.Postgres, databaseURL
	}
	d, err := sql.Open(driver, source)
	if err != nil {
		return fmt.Errorf("open development database: %w", err)
	}
	defer d.Close()
	d.SetMaxOpenConns(1) // a database in memory belongs to one connection
	options = append(options, schema.WithDiffHook(dropJournalForeignKeys))
	return migrate.NewSchema(entsql.OpenDB(kind, d)).NamedDiff(ctx, name, options...)
}

// Journals are the tables with the history of machines. Retention deletes their
// rows by age.
func Journals() []string { return []string{historyentry.Table, attempt.Table} }

// dropJournalForeignKeys keeps the journals free of foreign keys to instances.
// Checking them for each row cost PostgreSQL an eighth of an update step. They
// are not needed: a batch locks the machine's group before it writes a row, and
// store.DropApplication deletes the rows of an application with it.
func dropJournalForeignKeys(next schema.Differ) schema.Differ {
	return schema.DiffFunc(func(current, desired *atlas.Schema) ([]atlas.Change, error) {
		for _, t := range desired.Tables {
			if slices.Contains(Journals(), t.Name) {
				t.ForeignKeys = nil
			}
		}
		return next.Diff(current, desired)
	})
}
