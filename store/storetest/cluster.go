// Package storetest gives tests databases of their own: SQLite files, and
// PostgreSQL databases in the throwaway cluster that scripts/with-postgres
// starts. It knows nothing about what is kept in them.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
)

// variable names the cluster: a lib/pq URL of a superuser.
const variable = "COREROLLER_TEST_POSTGRES"

// deadline bounds making and dropping one database. Both take some 30 ms on an
// idle machine; a parallel run of all packages can make them wait in a queue.
const deadline = time.Minute

// Each runs f as the subtests "sqlite" and "postgres", each with an empty
// database. It is how a test says that its promise holds on both.
func Each(t *testing.T, f func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// SQLite returns the path of a database file that does not exist yet, in a
// folder that goes with the test.
func SQLite(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "coreroller.db")
}

// Postgres returns the URL of an empty database, dropped with whatever is still
// connected to it when the test ends. Each test has a whole database and not a
// schema, because NOTIFY and advisory locks are seen throughout a database.
// A missing cluster fails the test: it is never skipped.
func Postgres(t testing.TB) string {
	t.Helper()
	cluster := os.Getenv(variable)
	if cluster == "" {
		t.Fatalf("%s is not set: run the tests with `make test-go` or `scripts/with-postgres go test ./...`", variable)
	}
	u, err := url.Parse(cluster)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}

	name := databaseName(t.Name())
	if err := execute(cluster, "CREATE DATABASE "+pq.QuoteIdentifier(name)+" TEMPLATE template0"); err != nil {
		t.Fatalf("create a database in %s: %v", u.Redacted(), err)
	}
	t.Cleanup(func() {
		if err := execute(cluster, "DROP DATABASE "+pq.QuoteIdentifier(name)+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

// databaseName makes a test's name into one that PostgreSQL takes whole (63
// bytes), so that its log and pg_stat_activity can be read.
func databaseName(test string) string {
	test = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return '_'
		}
	}, test)
	return fmt.Sprintf("%.40s_%s", test, strings.ToLower(rand.Text()[:12]))
}

// execute runs one statement on a connection of its own, which is closed at
// once: hundreds of tests share the cluster's connections.
func execute(cluster, statement string) error {
	// Not the test's context: that has ended when the database is dropped.
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	db, err := sql.Open("postgres", cluster)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}
