package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/migrations"
	"github.com/coreroller/coreroller/store/statement"
)

const (
	// BeatEvery is the time between two beats of a process.
	BeatEvery = 3 * time.Second
	// defaultOutageAfter is the time without a beat of any process that counts as an outage.
	defaultOutageAfter = 8 * time.Second
	// futureAfter is how far ahead of now a record is removed. A beat can wait long
	// for its connection, so that those of other processes are later than its time.
	futureAfter = time.Minute
	// knownOutages bounds how many of the newest outages extend a lease.
	knownOutages = 100
)

// beat records that a server runs and that the database responds. The first beat
// after an outage begins a new row of uptimes: the time between two rows is an
// outage. Every process beats, before it serves and every BeatEvery.
func (s *Store) beat(ctx context.Context, now time.Time) error {
	now = now.UTC().Truncate(time.Microsecond)
	if s.postgres != nil {
		if err := migrations.Usable(ctx, s.readers.DB); err != nil {
			return fmt.Errorf("use the database: %w", err)
		}
	}
	if err := s.dropFutureUptimes(ctx, now); err != nil {
		return err
	}
	result, err := s.writer.ExecContext(ctx, s.readers.SQL(`UPDATE uptimes SET ended_at = CASE WHEN ended_at < ? THEN ? ELSE ended_at END
		WHERE id = (SELECT id FROM uptimes ORDER BY ended_at DESC LIMIT 1) AND ended_at > ?`), now, now, now.Add(-s.outageAfter))
	if err != nil {
		return fmt.Errorf("record uptime: %w", err)
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		_, err = s.writer.ExecContext(ctx, s.readers.SQL("INSERT INTO uptimes (id, started_at, ended_at) VALUES (?, ?, ?)"), NewID(now).String(), now, now)
	}
	if err != nil {
		return fmt.Errorf("record uptime: %w", err)
	}
	_, outages, err := uptimes(ctx, func(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
		return s.readers.QueryContext(ctx, s.readers.SQL(text), args...)
	})
	if err == nil {
		s.outages.Store(&outages)
	}
	return err
}

// dropFutureUptimes removes what a server with a wrong clock recorded after now, and
// the outage that it seemed to end. Else no outage would be recorded before then.
func (s *Store) dropFutureUptimes(ctx context.Context, now time.Time) error {
	limit, changed := now.Add(futureAfter), int64(0)
	for _, change := range []struct {
		text string
		args []any
	}{
		{"DELETE FROM uptimes WHERE started_at > ?", []any{limit}},
		{"UPDATE uptimes SET ended_at = ? WHERE ended_at > ?", []any{now, limit}},
	} {
		result, err := s.writer.ExecContext(ctx, s.readers.SQL(change.text), change.args...)
		if err != nil {
			return fmt.Errorf("repair uptimes: %w", err)
		}
		n, _ := result.RowsAffected()
		changed += n
	}
	if changed > 0 {
		s.log.Warn("removed uptimes from the future: a server's clock was wrong", "rows", changed)
	}
	return nil
}

// Outages returns the outages that this process knows of, oldest first.
func (s *Store) Outages() []rollout.Outage {
	if all := s.outages.Load(); all != nil {
		return *all
	}
	return nil
}

// Served reports whether a server process uses the database now.
func (s *Store) Served(ctx context.Context, now time.Time) (bool, error) {
	last, err := s.LastBeat(ctx)
	return !last.IsZero() && now.Sub(last) < s.outageAfter, err
}

// LastBeat returns when a server process used the database last, zero for never.
func (s *Store) LastBeat(ctx context.Context) (time.Time, error) {
	last, _, err := uptimes(ctx, func(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
		return s.readers.QueryContext(ctx, s.readers.SQL(text), args...)
	})
	return last, err
}

// Serving returns the outages, oldest first, and whether another one is not
// recorded yet. Without any beat there are none.
func (tx *Tx) Serving(ctx context.Context) (outages []rollout.Outage, unserved bool, err error) {
	last, outages, err := uptimes(ctx, tx.sql.Run)
	return outages, !last.IsZero() && tx.now.Sub(last) > tx.store.outageAfter, err
}

// uptimes reads the time of the last beat and the outages, oldest first.
func uptimes(ctx context.Context, run func(ctx context.Context, text string, args ...any) (*sql.Rows, error)) (last time.Time, outages []rollout.Outage, err error) {
	rows, err := run(ctx, "SELECT started_at, ended_at FROM uptimes ORDER BY ended_at DESC LIMIT ?", knownOutages+1)
	if err != nil {
		return last, nil, fmt.Errorf("read uptimes: %w", err)
	}
	defer rows.Close()
	var up time.Time // start of the later row
	for rows.Next() {
		var from, to time.Time
		if err := rows.Scan(statement.Time(&from), statement.Time(&to)); err != nil {
			return last, nil, fmt.Errorf("read uptimes: %w", err)
		}
		if last.IsZero() {
			last = to
		} else if to.Before(up) {
			outages = append(outages, rollout.Outage{From: to, To: up})
		}
		up = from
	}
	slices.Reverse(outages)
	return last, outages, rows.Err()
}
