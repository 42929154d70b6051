package sqlite_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a new database with an empty table, and the path of its file.
func open(t *testing.T) (*sqlite.DB, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "coreroller.db")
	d, err := sqlite.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	exec(t, d, "CREATE TABLE pages (content BLOB)")
	return d, path
}

func exec(t *testing.T, d *sqlite.DB, text string, args ...any) {
	t.Helper()
	if _, err := d.Writer.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatal(err)
	}
	d.Committed()
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

const pageSize = 4096

// insertPages commits n pages of content.
func insertPages(t *testing.T, d *sqlite.DB, n int) {
	t.Helper()
	exec(t, d, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO pages SELECT zeroblob(?) FROM n", n, pageSize)
}

// The log has far fewer pages than the size at which a commit copies them.
func TestCommittedPagesAreCopiedToTheFile(t *testing.T) {
	d, path := open(t)
	const pages = 100
	before := size(t, path)
	insertPages(t, d, pages)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(time.Minute)
	for size(t, path) < before+pages*pageSize {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("the file still has %d bytes, want %d more", size(t, path), pages*pageSize)
		}
	}
}

// Commits follow each other without a gap, so SQLite alone would never restart
// its log.
func TestTheLogIsRestartedUnderLoad(t *testing.T) {
	d, path := open(t)
	const allowed = 2 * sqlite.RestartPages * pageSize
	insertPages(t, d, 100)
	for written := 0; written < 2*allowed; written += 100 * pageSize {
		exec(t, d, "UPDATE pages SET content = zeroblob(?)", pageSize)
		if n := size(t, path+"-wal"); n > allowed {
			t.Fatalf("the log has %d bytes, want at most %d", n, allowed)
		}
	}
}
