package store_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/migrations"
	"github.com/coreroller/coreroller/store/storetest"
)

// If this fails, run `make migration`.
func TestMigrationsEqualTheSchema(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		folder, name := "sqlite", dialect.SQLite
		if store.IsPostgres(url) {
			folder, name = "postgres", dialect.Postgres
		} else {
			url = ""
		}
		copied := t.TempDir() // Diff writes a migration if there is a difference
		if err := os.CopyFS(copied, os.DirFS(filepath.Join("migrations", folder))); err != nil {
			t.Fatal(err)
		}
		dir, err := sqltool.NewGooseDir(copied)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := fs.Glob(os.DirFS(copied), "*.sql")
		err = migrations.Diff(t.Context(), url, "missing", schema.WithDir(dir), schema.WithMigrationMode(schema.ModeReplay),
			schema.WithDialect(name), schema.WithFormatter(sqltool.GooseFormatter), schema.WithDropColumn(true), schema.WithDropIndex(true), schema.WithErrNoPlan(true))
		if errors.Is(err, migrate.ErrNoPlan) {
			return
		}
		after, _ := fs.Glob(os.DirFS(copied), "*.sql")
		for _, f := range slices.DeleteFunc(after, func(f string) bool { return slices.Contains(before, f) }) {
			text, _ := os.ReadFile(filepath.Join(copied, f))
			t.Errorf("the migrations lack this difference to the schema:\n%s", text)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// The migration rebuilds a table that machines reference. With foreign keys on,
// dropping the old table would delete the machines.
func TestAMigrationKeepsEveryRow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		f := fill(t, open(t, url))
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
			groups, err := tx.LockGroups(ctx, f.groups[:])
			if err != nil {
				return err
			}
			m := f.machine(0, "a", "1.0.0")
			return tx.Save(ctx, &store.Batch{Groups: groups, Machines: []*store.Machine{m},
				History: []store.HistoryEntry{{InstanceID: m.InstanceID, Entry: rollout.Entry{Machine: "a", Version: "1.0.0"}}}})
		})
		before := rows(t, url)
		// The existing migrations and another one.
		folder := t.TempDir()
		name := map[bool]string{true: "postgres", false: "sqlite"}[store.IsPostgres(url)]
		check(t, os.CopyFS(folder, os.DirFS("migrations")))
		text, err := os.ReadFile("testdata/rebuild/" + name + ".sql")
		check(t, err)
		check(t, os.WriteFile(filepath.Join(folder, name, "29990101000000_rebuild.sql"), text, 0o600))
		if err := migrations.ApplyFrom(t.Context(), url, os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
		after := rows(t, url)
		for table, n := range before {
			if after[table] != n {
				t.Errorf("%s had %d rows, now %d", table, n, after[table])
			}
		}
		if before["instances"] != 1 || before["history_entries"] != 1 || before["ledgers"] != 2 {
			t.Errorf("the database was not filled: %v", before)
		}
	})
}

func TestProcessesCanMigrateAtOnce(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		var g sync.WaitGroup
		for range 4 {
			g.Go(func() { check(t, migrations.Apply(context.Background(), url)) })
		}
		g.Wait()
		all, err := migrations.List(t.Context(), url)
		if err != nil || len(all) == 0 {
			t.Fatal(all, err)
		}
		for _, m := range all {
			if !m.Applied {
				t.Errorf("%s is not applied", m.Name)
			}
		}
	})
}

func TestADatabaseOfANewerProgramIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		if err := migrations.Apply(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		d := raw(t, url)
		if _, err := d.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99990101000000, " + map[bool]string{true: "TRUE", false: "1"}[store.IsPostgres(url)] + ")"); err != nil {
			t.Fatal(err)
		}
		if store.IsPostgres(url) { // a newer program that only added to it is no reason; see compatible_test.go
			if _, err := d.Exec("COMMENT ON TABLE goose_db_version IS 'oldest program: 99990101000000'"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := store.Open(t.Context(), store.Options{URL: url}); !errors.Is(err, migrations.ErrNewer) {
			t.Errorf("Open returned %v", err)
		}
	})
}

func raw(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver := "sqlite"
	if store.IsPostgres(url) {
		driver = "postgres"
	}
	d, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, d.Close()) })
	return d
}

// rows returns the number of rows of each table.
func rows(t *testing.T, url string) map[string]int {
	t.Helper()
	d := raw(t, url)
	list := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if store.IsPostgres(url) {
		list = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	}
	found, err := d.Query(list)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var tables []string
	for found.Next() {
		var name string
		if err := found.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "sqlite_") && !strings.HasPrefix(name, "goose_") {
			tables = append(tables, name)
		}
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, name := range tables {
		var n int
		if err := d.QueryRow("SELECT COUNT(*) FROM " + name).Scan(&n); err != nil {
			t.Fatal(err)
		}
		counts[name] = n
	}
	return counts
}
