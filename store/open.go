package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"

	_ "github.com/lib/pq"  // driver "postgres"
	_ "modernc.org/sqlite" // driver "sqlite"
)

// IsPostgres reports whether a database URL names PostgreSQL.
func IsPostgres(databaseURL string) bool {
	return strings.HasPrefix(databaseURL, "postgres://") || strings.HasPrefix(databaseURL, "postgresql://")
}

// sqliteDSN is the data source name of an SQLite file.
//
//   - WAL: readers do not wait for the writer.
//   - synchronous FULL: what is acknowledged survives a power cut; the lane
//     commits hundreds of check-ins at once, so the sync is shared.
//   - immediate transactions: the writer takes its lock at the start instead of
//     failing half-way; busy_timeout covers a second process.
//   - a checkpoint within a commit after 256 MiB of log only: the checkpointer is
//     before that, unless somebody reads an old state for that long.
//   - 24 MiB of cache keep the busy pages of large indexes at hand; they take
//     twice that, because the driver gives each page a power of two, and as much
//     again measured no faster. The kernel's cache has the rest. No mapped memory:
//     it measured no faster either, and tools count it as ours.
//   - times are whole microseconds since 1970, which compare as numbers.
func sqliteDSN(path string, readOnly, foreignKeys bool) string {
	cache := 24 << 20 // bytes; the one writer
	if readOnly {
		cache = 2 << 20 // each of the readers
	}
	q := url.Values{}
	q.Add("_pragma", "busy_timeout(10000)")
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", "synchronous(FULL)")
	q.Add("_pragma", "wal_autocheckpoint(65536)")
	q.Add("_pragma", "cache_size(-"+strconv.Itoa(cache>>10)+")")
	if foreignKeys {
		q.Add("_pragma", "foreign_keys(1)")
	}
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	} else {
		q.Set("_txlock", "immediate")
	}
	q.Set("_inttotime", "1")
	q.Set("_time_integer_format", "unix_micro")
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String()
}

func (s *Store) openSQLite(ctx context.Context, path string) error {
	s.dialect = dialect.SQLite
	var err error
	if s.writer, err = sql.Open("sqlite", sqliteDSN(path, false, true)); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	s.writer.SetMaxOpenConns(1)
	if s.readers, err = sql.Open("sqlite", sqliteDSN(path, true, true)); err != nil {
		return fmt.Errorf("open %s for reading: %w", path, err)
	}
	// A reader is busy on a core or waits for nothing: a few more than cores.
	s.readers.SetMaxOpenConns(2 + 2*runtime.NumCPU())
	s.readers.SetMaxIdleConns(2 + 2*runtime.NumCPU())
	if err := s.writer.PingContext(ctx); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	s.checkpoints, err = startCheckpointer(path, s.writer, s.log)
	return err
}

// generic is the address for connections that plan a prepared statement once.
// Left to itself PostgreSQL plans some statements of the lane each time, because
// with the few groups that lock first it expects a little more of another plan.
func generic(dsn string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", fmt.Errorf("read the address of the database: %w", err)
	}
	q := u.Query()
	q.Set("options", strings.TrimSpace(q.Get("options")+" -c plan_cache_mode=force_generic_plan"))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func (s *Store) openPostgres(ctx context.Context, dsn string) error {
	s.dialect = dialect.Postgres
	var err error
	writing, err := generic(dsn)
	if err != nil {
		return err
	}
	if s.writer, err = sql.Open("postgres", writing); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if s.readers, err = sql.Open("postgres", dsn); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	// One lane, one worker, operators and pages; PostgreSQL's default limit of
	// 100 connections leaves room for several processes.
	for pool, most := range map[*sql.DB]int{s.writer: 6, s.readers: 10} {
		pool.SetMaxOpenConns(most)
		pool.SetMaxIdleConns(most)
	}
	if err := s.writer.PingContext(ctx); err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	if s.notify, err = startNotifier(dsn, s.writer, s.bus, s.log); err != nil {
		return err
	}
	return nil
}
