// Command makemigration writes the next migration of both databases: the
// difference between store/migrations and the ent schema. It empties the
// PostgreSQL database that COREROLLER_TEST_POSTGRES names; scripts/with-postgres
// sets it.
//
//	scripts/with-postgres go run ./store/makemigration add_webhooks
//
// After a migration was edited by hand, before its release, update its checksum:
//
//	go run ./store/makemigration -rehash
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/coreroller/coreroller/store/migrations"
)

func main() {
	if len(os.Args) != 2 {
		fail(errors.New("usage: makemigration NAME | -rehash"))
	}
	for _, d := range []struct{ name, dialect, url string }{
		{"sqlite", dialect.SQLite, ""},
		{"postgres", dialect.Postgres, os.Getenv("COREROLLER_TEST_POSTGRES")},
	} {
		if err := write(d.name, d.dialect, d.url, os.Args[1]); err != nil {
			fail(fmt.Errorf("%s: %w", d.name, err))
		}
	}
}

func write(folder, name, url, migration string) error {
	dir, err := sqltool.NewGooseDir("store/migrations/" + folder)
	if err != nil {
		return err
	}
	if migration == "-rehash" {
		sum, err := dir.Checksum()
		if err != nil {
			return err
		}
		return migrate.WriteSumFile(dir, sum)
	}
	err = migrations.Diff(context.Background(), url, migration,
		schema.WithDir(dir), schema.WithMigrationMode(schema.ModeReplay), schema.WithDialect(name),
		schema.WithFormatter(sqltool.GooseFormatter), schema.WithDropColumn(true), schema.WithDropIndex(true),
		schema.WithErrNoPlan(true))
	if errors.Is(err, migrate.ErrNoPlan) {
		fmt.Println(folder, "is up to date")
		return nil
	}
	return err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "makemigration:", err)
	os.Exit(1)
}
