package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
)

// workLock is the advisory lock of background work ("core" in ASCII).
const workLock = 0x636f7265

// Exclusive runs f unless another process on the same database is running it;
// it returns nil then. SQLite has one process.
func (s *Store) Exclusive(ctx context.Context, f func(ctx context.Context) error) error {
	if !s.postgres() {
		return f(ctx)
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	var mine bool
	if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", workLock).Scan(&mine); err != nil {
		return fmt.Errorf("lock background work: %w", err)
	}
	if !mine {
		return nil
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", workLock) //nolint:errcheck // a broken connection has let go already
	return f(ctx)
}

// GroupsDue lists the groups in which a lease ended, or whose rollout may move
// by itself. It reads ledgers and current rollouts, never machines.
func (s *Store) GroupsDue(ctx context.Context, now time.Time) ([]uuid.UUID, error) {
	rows, err := s.readers.QueryContext(ctx, s.q(`SELECT l.group_id FROM ledgers l LEFT JOIN rollouts r ON r.id = l.rollout_id
		WHERE l.next_lease_at <= ? OR r.state = ? ORDER BY l.group_id`), now.UTC(), int64(rollout.RolloutActive))
	if err != nil {
		return nil, fmt.Errorf("list due groups: %w", err)
	}
	defer rows.Close()
	var ids []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list due groups: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Sweep walks the next stretch of all machines, in the order of their ids from
// the cursor on, and returns those of a group that were last seen before a
// moment, by group. The cursor goes back to zero at the end.
func (s *Store) Sweep(ctx context.Context, cursor *uuid.UUID, before time.Time, limit int) (map[uuid.UUID][]uuid.UUID, error) {
	rows, err := s.readers.QueryContext(ctx, s.q("SELECT id, group_id, standing, last_seen_at FROM instances WHERE id > ? ORDER BY id LIMIT ?"),
		cursor.String(), limit)
	if err != nil {
		return nil, fmt.Errorf("walk machines: %w", err)
	}
	defer rows.Close()
	found, n := map[uuid.UUID][]uuid.UUID{}, 0
	last := *cursor
	for rows.Next() {
		var id, group uuid.UUID
		var standing rollout.Standing
		var seen time.Time
		if err := rows.Scan(&id, nullID{&group}, &standing, nullTime{&seen}); err != nil {
			return nil, fmt.Errorf("walk machines: %w", err)
		}
		n, last = n+1, id
		if group != uuid.Nil && seen.Before(before) {
			found[group] = append(found[group], id)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if *cursor = last; n < limit {
		*cursor = uuid.Nil
	}
	return found, nil
}

// KeepPoint adds up the active machines of every group by version and state, as
// one point of the statistics, unless that was done before (by another process,
// or before a restart). It reads the groups' counters.
func (s *Store) KeepPoint(ctx context.Context, now time.Time, resolution int, at time.Time) error {
	return s.Write(ctx, now, func(tx *Tx) error {
		_, err := tx.exec(ctx, fmt.Sprintf(`INSERT INTO stat_points (group_id, resolution, at, version, state, machines)
			SELECT group_id, %[1]d, ?, version, state, SUM(machines) FROM group_counts c
			WHERE standing <> %[2]d AND machines > 0
			AND NOT EXISTS (SELECT 1 FROM stat_points p WHERE p.group_id = c.group_id AND p.resolution = %[1]d AND p.at = ?)
			GROUP BY group_id, version, state`, resolution, rollout.StandingSilent), at.UTC(), at.UTC())
		if err != nil {
			return fmt.Errorf("write statistics: %w", err)
		}
		return nil
	})
}

// DropPoints deletes the points of a resolution from before a moment.
func (s *Store) DropPoints(ctx context.Context, resolution int, before time.Time) error {
	for _, table := range []string{"stat_points", "pace_points"} {
		if _, err := s.writer.ExecContext(ctx, s.q("DELETE FROM "+table+" WHERE resolution = ? AND at < ?"), resolution, before.UTC()); err != nil {
			return fmt.Errorf("drop statistics: %w", err)
		}
	}
	return nil
}

// retainRows is how many rows one statement deletes, so that nobody waits long.
const retainRows = 5000

// Retain deletes sessions that ended, and journals and machines
// out of count from before a moment. Ids of version 7 sort by time.
func (s *Store) Retain(ctx context.Context, now, before time.Time) error {
	for _, d := range []struct {
		text string
		arg  any
	}{
		{"sessions WHERE token_hash IN (SELECT token_hash FROM sessions WHERE expires_at < ? LIMIT @rows)", now.UTC()},
		{"history_entries WHERE id IN (SELECT id FROM history_entries WHERE id < ? ORDER BY id LIMIT @rows)", firstID(before).String()},
		{"attempts WHERE id IN (SELECT id FROM attempts WHERE id < ? ORDER BY id LIMIT @rows)", firstID(before).String()},
		{"activities WHERE id IN (SELECT id FROM activities WHERE id < ? ORDER BY id LIMIT @rows)", firstID(before).String()},
		{"instances WHERE id IN (SELECT id FROM instances WHERE group_id IS NULL AND last_seen_at < ? LIMIT @rows)", before.UTC()},
	} {
		text := s.q("DELETE FROM " + strings.ReplaceAll(d.text, "@rows", strconv.Itoa(retainRows)))
		for {
			result, err := s.writer.ExecContext(ctx, text, d.arg)
			if err != nil {
				return fmt.Errorf("retain: %w", err)
			}
			if n, err := result.RowsAffected(); err != nil || n < retainRows {
				break
			}
		}
	}
	return nil
}
