package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	atlas "ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/coreroller/coreroller/ent/db/migrate"
)

// Diff compares the ent schema with the migrations replayed on an empty
// development database and writes what is missing as a new migration. url ""
// is an SQLite database in memory. With schema.WithErrNoPlan it tells whether
// the two agree.
func Diff(ctx context.Context, url, name string, options ...schema.MigrateOption) error {
	driver, kind, source := "sqlite", dialect.SQLite, "file::memory:?_pragma=foreign_keys(1)"
	if IsPostgres(url) {
		driver, kind, source = "postgres", dialect.Postgres, url
	}
	d, err := sql.Open(driver, source)
	if err != nil {
		return fmt.Errorf("open development database: %w", err)
	}
	defer d.Close()
	d.SetMaxOpenConns(1) // a database in memory belongs to one connection
	options = append(options, schema.WithDiffHook(looseJournals))
	return migrate.NewSchema(entsql.OpenDB(kind, d)).NamedDiff(ctx, name, options...)
}

// looseJournals leaves out the references of the journals to their machines: to
// look for the machine again with each line of its story was an eighth of what a
// step of an update costs PostgreSQL. The batch that writes a line holds the
// machine, and Tx.DropJournals deletes them with an application.
func looseJournals(next schema.Differ) schema.Differ {
	return schema.DiffFunc(func(current, desired *atlas.Schema) ([]atlas.Change, error) {
		for _, t := range desired.Tables {
			if slices.Contains(journals(), t.Name) {
				t.ForeignKeys = nil
			}
		}
		return next.Diff(current, desired)
	})
}

// journals are the tables that tell what machines did. Their rows go by age.
func journals() []string { return []string{historyEntries.name, attempts.name} }
