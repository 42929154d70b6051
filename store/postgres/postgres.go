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

	"github.com/lib/pq" // driver "postgres"

	"github.com/coreroller/coreroller/event"
)

// DB is an open database.
type DB struct {
	Writer  *sql.DB
	Readers *sql.DB

	notifier *notifier
}

// IsURL reports whether a database URL names PostgreSQL.
func IsURL(databaseURL string) bool {
	return strings.HasPrefix(databaseURL, "postgres://") || strings.HasPrefix(databaseURL, "postgresql://")
}

// Open connects and starts to publish the events of other processes on bus.
func Open(ctx context.Context, databaseURL string, bus *event.Memory, log *slog.Logger) (_ *DB, err error) {
	d := &DB{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open the database: %w", err), d.Close())
		}
	}()
	writing, err := genericPlans(databaseURL)
	if err != nil {
		return nil, err
	}
	if d.Writer, err = sql.Open("postgres", writing); err != nil {
		return nil, err
	}
	if d.Readers, err = sql.Open("postgres", databaseURL); err != nil {
		return nil, err
	}
	// The writers are the lane, the worker and operators. 16 connections leave
	// room for several processes within PostgreSQL's default limit of 100.
	for pool, most := range map[*sql.DB]int{d.Writer: 6, d.Readers: 10} {
		pool.SetMaxOpenConns(most)
		pool.SetMaxIdleConns(most)
	}
	if err := d.Writer.PingContext(ctx); err != nil {
		return nil, err
	}
	d.notifier, err = startNotifier(databaseURL, d.Writer, bus, log)
	return d, err
}

// genericPlans is the URL for connections that plan a prepared statement once.
// By default PostgreSQL plans some statements of the lane each time: for the few
// groups in a list of ids it estimates a custom plan to be slightly cheaper.
func genericPlans(databaseURL string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("options", strings.TrimSpace(q.Get("options")+" -c plan_cache_mode=force_generic_plan"))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Notify queues events for the other processes. It never blocks.
func (d *DB) Notify(events []event.Event) { d.notifier.out.Publish(events...) }

// Close sends the queued events and closes all connections.
func (d *DB) Close() error {
	if d.notifier != nil {
		d.notifier.close()
	}
	var errs []error
	for _, pool := range []*sql.DB{d.Readers, d.Writer} {
		if pool != nil {
			errs = append(errs, pool.Close())
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
