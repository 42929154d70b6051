package storetest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/lib/pq"
)

// Disconnect closes every connection to a test's PostgreSQL database, as a
// restart of the database server would.
func Disconnect(t testing.TB, databaseURL string) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	terminate := "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = " + pq.QuoteLiteral(name)
	if err := execute(inDatabase(u, "postgres"), terminate); err != nil {
		t.Fatal(err)
	}
}
