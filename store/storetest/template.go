package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/lib/pq"

	"github.com/coreroller/coreroller/store/migrations"
)

// deadline limits how long creating or dropping a database may take. Both need
// about 30 ms on an idle machine, but wait when many tests run at once.
const deadline = time.Minute

// migrated is an SQLite file without rows, made once in a process because the
// migrations take most of a second under the race detector.
type migrated struct {
	content []byte
	schema  string // a hash of the migrations' names
}

var migratedFile = sync.OnceValues(func() (m migrated, err error) {
	folder, err := os.MkdirTemp("", "storetest")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a file left in the system's temporary folder does no harm
	path := filepath.Join(folder, "migrated.db")
	ctx := context.Background()
	if err := migrations.Apply(ctx, path); err != nil {
		return m, err
	}
	all, err := migrations.List(ctx, path)
	if err != nil {
		return m, err
	}
	m.schema = fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, all)))[:16]
	m.content, err = os.ReadFile(path) //nolint:gosec // G304: the database that it made
	return m, err
})

// template returns newTemplate's result, which is the same for all tests of a process.
var template = sync.OnceValues(newTemplate)

// newTemplate creates the database that tests copy, with the current schema and
// no rows, unless another process has created it in this cluster. It returns the
// database's name. An advisory lock makes other test processes wait.
func newTemplate() (name string, err error) {
	cluster, err := url.Parse(os.Getenv(variable))
	if err != nil {
		return "", err
	}
	file, err := migratedFile()
	if err != nil {
		return "", err
	}
	name = "template_" + file.schema
	return name, onCluster(cluster.String(), func(ctx context.Context, c *sql.DB) error {
		const lock = 0x636f7265 // any number that no other program locks in the cluster's first database
		if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
			return err
		}
		var complete bool
		err := c.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)", name).Scan(&complete)
		if err != nil || complete {
			return err
		}
		// A database that is no template yet was left by a test process that was killed.
		quoted := pq.QuoteIdentifier(name)
		for _, statement := range []string{"DROP DATABASE IF EXISTS " + quoted + " WITH (FORCE)", "CREATE DATABASE " + quoted + " TEMPLATE template0"} {
			if _, err := c.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		if err := migrations.Apply(ctx, inDatabase(cluster, name)); err != nil {
			return err
		}
		_, err = c.ExecContext(ctx, "ALTER DATABASE "+quoted+" IS_TEMPLATE true")
		return err
	})
}

var notInName = regexp.MustCompile("[^a-z0-9]")

// databaseName makes a test's name into a database name that PostgreSQL does
// not cut off (63 bytes), so that its log and pg_stat_activity name the test.
func databaseName(test string) string {
	test = notInName.ReplaceAllString(strings.ToLower(test), "_")
	return fmt.Sprintf("%.40s_%s", test, strings.ToLower(rand.Text()[:12]))
}

// inDatabase returns the cluster's URL with another database.
func inDatabase(cluster *url.URL, name string) string {
	u := *cluster
	u.Path = "/" + name
	return u.String()
}

// execute runs one statement on its own connection.
func execute(cluster, statement string) error {
	return onCluster(cluster, func(ctx context.Context, c *sql.DB) error {
		_, err := c.ExecContext(ctx, statement)
		return err
	})
}

// onCluster calls f with one connection that is closed afterwards, because
// hundreds of tests share the cluster's connections.
func onCluster(cluster string, f func(context.Context, *sql.DB) error) error {
	// Not the test's context, which has ended when the database is dropped.
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	db, err := sql.Open("postgres", cluster)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // a lock belongs to its connection
	return f(ctx, db)
}
