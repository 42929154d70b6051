// Package sqlite opens a database file of SQLite: one connection that writes, a few
// that read, and a checkpointer that copies the write-ahead log to the file while
// other transactions commit. It knows no tables.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"

	_ "modernc.org/sqlite" // driver "sqlite"
)

// DB is an open database file.
type DB struct {
	Writer  *sql.DB // one connection
	Readers *sql.DB // they refuse to write

	checkpoints *checkpointer

	path string
	file os.FileInfo  // of path, when it was opened
	lost atomic.Value // a Lost, if the file must not be used any more
}

// Open opens the file at path and creates it if it is missing.
func Open(ctx context.Context, path string, log *slog.Logger) (_ *DB, err error) {
	d := &DB{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open %s: %w", path, err), d.Close())
		}
	}()
	if d.Writer, err = sql.Open("sqlite", dsn(path, readWrite)); err != nil {
		return nil, err
	}
	d.Writer.SetMaxOpenConns(1)
	if d.Readers, err = sql.Open("sqlite", dsn(path, readOnly)); err != nil {
		return nil, err
	}
	// A reader keeps a core busy. A few more readers than cores keep all cores busy
	// between statements.
	d.Readers.SetMaxOpenConns(2 + 2*runtime.NumCPU())
	d.Readers.SetMaxIdleConns(2 + 2*runtime.NumCPU())
	if err := d.Writer.PingContext(ctx); err != nil {
		return nil, err
	}
	if err := d.remember(path); err != nil {
		return nil, err
	}
	d.checkpoints, err = startCheckpointer(path, d.Writer, log)
	return d, err
}

// OpenToMigrate opens the file with one connection that does not enforce foreign
// keys: rebuilding a table drops it, which would delete its children.
func OpenToMigrate(path string) (*sql.DB, error) {
	d, err := sql.Open("sqlite", dsn(path, unchecked))
	if err == nil {
		d.SetMaxOpenConns(1)
	}
	return d, err
}

// OpenUntouched opens a file that no other process writes, and creates no file next to
// it. Nothing can be written.
func OpenUntouched(path string) (*sql.DB, error) {
	q := url.Values{"mode": {"ro"}, "immutable": {"1"}, "_inttotime": {"1"}, "_time_integer_format": {"unix_micro"}}
	d, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String())
	if err == nil {
		d.SetMaxOpenConns(1)
	}
	return d, err
}

// Committed notifies the checkpointer that the log has new pages.
func (d *DB) Committed() { d.checkpoints.committed.Store(true) }

// Close stops the checkpointer and closes all connections.
func (d *DB) Close() error {
	var errs []error
	if d.checkpoints != nil {
		errs = append(errs, d.checkpoints.close())
	}
	for _, pool := range []*sql.DB{d.Readers, d.Writer} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// access is what a connection may do.
type access int

const (
	readWrite access = iota
	readOnly
	unchecked // readWrite without foreign keys
)

// dsn is the data source name of a file.
//
//   - WAL: readers do not wait for the writer.
//   - synchronous FULL: an acknowledged commit survives a power cut. The lane
//     commits hundreds of check-ins at once, so they share one sync.
//   - immediate transactions: the writer takes its lock at the start and cannot
//     fail half-way. busy_timeout (10 s) covers a second process.
//   - wal_autocheckpoint (65,536 pages, 256 MiB): the checkpointer is faster. A
//     commit copies pages only if a reader held an old state for that long.
//   - cache_size: 24 MiB for the writer keep the hot pages of large indexes. They
//     take twice that, because the driver rounds each page up to a power of two.
//     More measured no faster, nor did mmap; the kernel caches the rest.
//   - times are stored as whole microseconds since 1970, which compare as numbers.
func dsn(path string, a access) string {
	cache := 24 << 20 // bytes
	if a == readOnly {
		cache = 2 << 20 // for each reader
	}
	q := url.Values{}
	q.Add("_pragma", "busy_timeout(10000)")
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", "synchronous(FULL)")
	q.Add("_pragma", "wal_autocheckpoint(65536)")
	q.Add("_pragma", "cache_size(-"+strconv.Itoa(cache>>10)+")")
	if a != unchecked {
		q.Add("_pragma", "foreign_keys(1)")
	}
	if a == readOnly {
		q.Add("_pragma", "query_only(1)")
	} else {
		q.Set("_txlock", "immediate")
	}
	q.Set("_inttotime", "1")
	q.Set("_time_integer_format", "unix_micro")
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String()
}
