// Package postgres opens a PostgreSQL database, carries events between the
// processes that share it, and classifies its errors. It knows no tables.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/lib/pq" // driver "postgres"

	"github.com/coreroller/coreroller/event"
)

// DB is an open database.
type DB struct {
	Writer  *sql.DB
	Readers *sql.DB

	notifier *notifier
	conns    conns
}

// IsURL reports whether a database URL names PostgreSQL.
func IsURL(databaseURL string) bool {
	return strings.HasPrefix(databaseURL, "postgres://") || strings.HasPrefix(databaseURL, "postgresql://")
}

// Open connects and starts to publish the events of other processes on bus. limit is how
// long an answer may take.
func Open(ctx context.Context, databaseURL string, limit time.Duration, bus *event.Memory, log *slog.Logger) (_ *DB, err error) {
	d := &DB{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open the database: %w", err), d.Close())
		}
	}()
	writing, err := forWriters(databaseURL, limit)
	if err != nil {
		return nil, err
	}
	if d.Writer, err = open(writing, limit, &d.conns); err != nil {
		return nil, err
	}
	if d.Readers, err = open(databaseURL, readersFactor*limit, &d.conns); err != nil {
		return nil, err
	}
	// The writers are the lane, the worker and operators. 16 connections leave
	// room for several processes within PostgreSQL's default limit of 100.
	for _, p := range d.pools() {
		p.SetMaxOpenConns(p.most)
		p.SetMaxIdleConns(p.most)
	}
	if err := d.Writer.PingContext(ctx); err != nil {
		return nil, err
	}
	d.notifier, err = startNotifier(databaseURL, d.Writer, bus, log)
	return d, err
}

// pool is one of the pools with the most connections that it opens.
type pool struct {
	*sql.DB
	most int
}

func (d *DB) pools() []pool { return []pool{{d.Writer, 6}, {d.Readers, 10}} }

// forWriters is the URL for connections that write. They plan a prepared statement once: by
// default PostgreSQL plans some statements of the lane each time, because for the few groups
// in a list of ids it estimates a custom plan to be slightly cheaper. The server ends a
// transaction in which this process is silent for the limit: it may hold the locks of groups.
func forWriters(databaseURL string, limit time.Duration) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("options", strings.TrimSpace(fmt.Sprintf("%s -c plan_cache_mode=force_generic_plan -c idle_in_transaction_session_timeout=%d", q.Get("options"), limit.Milliseconds())))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Notify queues events for the other processes. It never blocks.
func (d *DB) Notify(events []event.Event) { d.notifier.out.Publish(events...) }

// Listened is when the connection that receives the events of other processes answered
// last; zero: not yet.
func (d *DB) Listened() time.Time {
	if at := d.notifier.answered.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// Close sends the queued events and closes all connections.
func (d *DB) Close() error {
	if d.notifier != nil {
		d.notifier.close()
	}
	var errs []error
	for _, pool := range []*sql.DB{d.Readers, d.Writer} {
		if pool == nil {
			continue
		}
		// A lost connection cannot say goodbye, which changes nothing.
		if err := pool.Close(); err != nil && !IsLost(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Retryable reports whether a transaction failed only because of another one: a
// deadlock (40P01) or a serialization failure (40001).
func Retryable(err error) bool {
	e, ok := errors.AsType[*pq.Error](err)
	return ok && (e.Code == "40P01" || e.Code == "40001")
}
