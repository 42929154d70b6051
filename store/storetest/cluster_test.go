package storetest

import (
	"database/sql"
	"os"
	"runtime"
	"strings"
	"testing"
)

func open(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// names returns the databases of the cluster besides its own three.
func names(t *testing.T) []string {
	t.Helper()
	rows, err := open(t, os.Getenv(variable)).QueryContext(t.Context(),
		"SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		found = append(found, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPostgresDatabasesAreEmptyAndApart(t *testing.T) {
	for range 2 {
		db := open(t, Postgres(t))
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE apps (id int)"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPostgresDatabaseIsDroppedWithItsConnections(t *testing.T) {
	var name string
	t.Run("uses one", func(t *testing.T) {
		databaseURL := Postgres(t)
		// Left open on purpose, as a failing test would.
		db, err := sql.Open("postgres", databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "testpostgresdatabaseisdropped") {
			t.Errorf("the database is called %q: not after its test", name)
		}
	})
	for _, left := range names(t) {
		if left == name {
			t.Errorf("%s is still there after its test", name)
		}
	}
}

func TestEachRunsOnBoth(t *testing.T) {
	var urls []string
	Each(t, func(t *testing.T, databaseURL string) {
		urls = append(urls, databaseURL)
		if strings.HasPrefix(databaseURL, "postgres://") {
			if err := open(t, databaseURL).PingContext(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	if len(urls) != 2 || strings.HasPrefix(urls[0], "postgres://") || !strings.HasPrefix(urls[1], "postgres://") {
		t.Errorf("ran on %q, want an SQLite path and a PostgreSQL URL", urls)
	}
}

// fatal is a test that records how it was ended.
type fatal struct {
	testing.TB
	message string
}

func (f *fatal) Helper() {}

func (f *fatal) Fatalf(format string, args ...any) {
	f.message = format
	for _, arg := range args {
		if s, ok := arg.(string); ok {
			f.message = strings.Replace(f.message, "%s", s, 1)
		}
	}
	runtime.Goexit()
}

func TestMissingClusterFailsAndSaysWhatToRun(t *testing.T) {
	t.Setenv(variable, "")
	f := &fatal{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		Postgres(f)
	}()
	<-done
	for _, want := range []string{variable, "make test-go", "scripts/with-postgres"} {
		if !strings.Contains(f.message, want) {
			t.Errorf("ended with %q, want it to name %s", f.message, want)
		}
	}
}
