// Package storetest creates databases for tests: SQLite files, and PostgreSQL
// databases in the throwaway cluster that scripts/with-postgres starts. A
// database has the current schema and no rows, unless the test asks for an
// empty one.
package storetest

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/lib/pq"
)

// scripts/with-postgres sets these.
const (
	variable       = "COREROLLER_TEST_POSTGRES" // URL of the cluster, for its superuser
	folderVariable = "COREROLLER_TEST_FOLDER"   // parent folder of SQLite files
)

// Each runs f as the subtests "sqlite" and "postgres", each on a new database
// with the current schema.
func Each(t *testing.T, f func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// EachEmpty is Each without a schema, for tests of migrations.
func EachEmpty(t *testing.T, f func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, sqlitePath(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, newDatabase(t, clusterURL(t), "template0")) })
}

// SQLite returns the path of a database file that is removed after the test.
func SQLite(t testing.TB) string {
	t.Helper()
	file, err := migratedFile()
	if err != nil {
		t.Fatalf("create an SQLite file with the current schema: %v", err)
	}
	path := sqlitePath(t)
	if err := os.WriteFile(path, file.content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sqlitePath returns the path of a file in a new folder. scripts/with-postgres
// names a folder in memory, where the sync of each commit takes no time.
func sqlitePath(t testing.TB) string {
	t.Helper()
	parent := os.Getenv(folderVariable)
	if parent == "" {
		return filepath.Join(t.TempDir(), "coreroller.db")
	}
	folder, err := os.MkdirTemp(parent, databaseName(t.Name())) //nolint:usetesting // t.TempDir cannot be moved for databases alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil { //nolint:gosec // G703: the folder that it made
			t.Error(err)
		}
	})
	return filepath.Join(folder, "coreroller.db")
}

// Postgres returns the URL of a database that is dropped after the test,
// even if it still has connections. Each test has its own database instead of
// a schema, because NOTIFY and advisory locks reach the whole database.
func Postgres(t testing.TB) string {
	t.Helper()
	cluster := clusterURL(t)
	name, err := template()
	if err != nil {
		t.Fatalf("create the template database in %s: %v", cluster.Redacted(), err)
	}
	return newDatabase(t, cluster, name)
}

// EmptyPostgres is Postgres without a schema.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	return newDatabase(t, clusterURL(t), "template0")
}

// clusterURL returns the cluster's URL. Without a cluster it skips the test; in CI
// it fails the test, so that PostgreSQL tests always run there.
func clusterURL(t testing.TB) *url.URL {
	t.Helper()
	cluster := os.Getenv(variable)
	if cluster == "" {
		const missing = "needs PostgreSQL: run `make test-go` or `scripts/with-postgres go test ./...`, which set %s"
		if os.Getenv("CI") != "" {
			t.Fatalf(missing, variable)
		}
		t.Skipf(missing, variable)
	}
	u, err := url.Parse(cluster)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return u
}

// newDatabase copies a template database for one test.
func newDatabase(t testing.TB, cluster *url.URL, template string) string {
	t.Helper()
	name := databaseName(t.Name())
	// Copying files takes half the time of the default, which writes all pages to the log.
	create := fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY FILE_COPY", pq.QuoteIdentifier(name), pq.QuoteIdentifier(template))
	if err := execute(cluster.String(), create); err != nil {
		t.Fatalf("create a database in %s: %v", cluster.Redacted(), err)
	}
	t.Cleanup(func() {
		if err := execute(cluster.String(), "DROP DATABASE "+pq.QuoteIdentifier(name)+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return inDatabase(cluster, name)
}
