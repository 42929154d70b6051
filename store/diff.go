package store

import (
	"context"
	"database/sql"
	"fmt"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"coreroller/ent/db/migrate"
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
	return migrate.NewSchema(entsql.OpenDB(kind, d)).NamedDiff(ctx, name, options...)
}
