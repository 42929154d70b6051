package storetest

import (
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/migrations"
)

func open(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	driver := "sqlite"
	if store.IsPostgres(databaseURL) {
		driver = "postgres"
	}
	db, err := sql.Open(driver, databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestDatabasesAreMigratedAndSeparate(t *testing.T) {
	Each(t, func(t *testing.T, databaseURL string) {
		other := SQLite
		if store.IsPostgres(databaseURL) {
			other = Postgres
		}
		for _, u := range []string{databaseURL, other(t)} {
			all, err := migrations.List(t.Context(), u)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range all {
				if !m.Applied {
					t.Errorf("migration %s is not applied", m.Name)
				}
			}
			if _, err := open(t, u).ExecContext(t.Context(), "CREATE TABLE in_no_other_database (id int)"); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestEmptyDatabasesHaveNoTable(t *testing.T) {
	EachEmpty(t, func(t *testing.T, databaseURL string) {
		if _, err := open(t, databaseURL).ExecContext(t.Context(), "CREATE TABLE applications (id int)"); err != nil {
			t.Error(err)
		}
	})
}

func TestDatabaseIsDroppedAfterTheTest(t *testing.T) {
	var name string
	t.Run("test", func(t *testing.T) {
		databaseURL := Postgres(t)
		// Left open on purpose, as a failing test would.
		db, err := sql.Open("postgres", databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "testdatabaseisdroppedafterthetest") {
			t.Errorf("the name of the database is %q, want it to begin with the test's name", name)
		}
	})
	if name == "" {
		t.Skip("no cluster, see the subtest")
	}
	var left int
	if err := open(t, os.Getenv(variable)).QueryRowContext(t.Context(), "SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d databases are named %s after the test, want 0: %v", left, name, err)
	}
}

func TestTemplateIsReused(t *testing.T) {
	cluster := clusterURL(t)
	first, err := newTemplate()
	if err != nil {
		t.Fatal(err)
	}
	var before, after int
	id := func() (n int) {
		if err := open(t, cluster.String()).QueryRowContext(t.Context(), "SELECT oid FROM pg_database WHERE datname = $1", first).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before = id()
	if second, err := newTemplate(); err != nil || second != first {
		t.Errorf("second template is %q, %v, want %q", second, err, first)
	}
	if after = id(); after != before {
		t.Errorf("the template was created twice")
	}
}

// ended is a test that records how it ended.
type ended struct {
	testing.TB
	how, message string
}

func (e *ended) Helper() {}

func (e *ended) Fatalf(format string, args ...any) { e.end("failed", format, args) }

func (e *ended) Skipf(format string, args ...any) { e.end("skipped", format, args) }

func (e *ended) end(how, format string, args []any) {
	e.how, e.message = how, fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestMissingClusterSkipsLocallyAndFailsInCI(t *testing.T) {
	t.Setenv(variable, "")
	for ci, want := range map[string]string{"": "skipped", "true": "failed"} {
		t.Setenv("CI", ci)
		e := &ended{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			Postgres(e)
		}()
		<-done
		if e.how != want {
			t.Errorf("with CI=%q the test %s, want %s", ci, e.how, want)
		}
		for _, part := range []string{variable, "make test-go", "scripts/with-postgres"} {
			if !strings.Contains(e.message, part) {
				t.Errorf("message %q does not contain %q", e.message, part)
			}
		}
	}
}
