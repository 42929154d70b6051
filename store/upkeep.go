package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/statement"
)

// workLock is the key of PostgreSQL's advisory lock for background work ("core" in
// ASCII).
const workLock = 0x636f7265

// Exclusive runs f unless this or another process on the same database is running it. In
// that case it returns nil. With SQLite there is only one process.
func (s *Store) Exclusive(ctx context.Context, f func(ctx context.Context) error) error {
	if !s.exclusive.TryLock() {
		return nil
	}
	defer s.exclusive.Unlock()
	if s.postgres == nil {
		return f(ctx)
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close() //nolint:errcheck // returns it to the pool
	var locked bool
	if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", workLock).Scan(&locked); err != nil {
		return fmt.Errorf("lock background work: %w", err)
	}
	if !locked {
		return nil
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", workLock) //nolint:errcheck // a broken connection has released it already
	return f(ctx)
}

// GroupsDue lists the groups with an open lease, which can have expired or end too
// late, or an active rollout. It reads ledgers and current rollouts, never machines.
func (s *Store) GroupsDue(ctx context.Context) ([]uuid.UUID, error) {
	rows, err := s.readers.QueryContext(ctx, s.readers.SQL(`SELECT l.group_id FROM ledgers l LEFT JOIN rollouts r ON r.id = l.rollout_id
		WHERE l.next_lease_at IS NOT NULL OR r.state = ? ORDER BY l.group_id`), int64(rollout.RolloutActive))
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

// Sweep reads the next limit machines after the cursor, in the order of their
// instance ids, and advances the cursor. At the end it resets the cursor to zero.
// It returns those that are in a group and were last seen before a given time, or in
// the future, by group.
func (s *Store) Sweep(ctx context.Context, cursor *uuid.UUID, now, before time.Time, limit int) (map[uuid.UUID][]uuid.UUID, error) {
	rows, err := s.readers.QueryContext(ctx, s.readers.SQL("SELECT id, group_id, standing, last_seen_at FROM instances WHERE id > ? ORDER BY id LIMIT ?"),
		cursor.String(), limit)
	if err != nil {
		return nil, fmt.Errorf("read machines: %w", err)
	}
	defer rows.Close()
	found, n := map[uuid.UUID][]uuid.UUID{}, 0
	last := *cursor
	for rows.Next() {
		var id, group uuid.UUID
		var standing rollout.Standing
		var seen time.Time
		if err := rows.Scan(&id, statement.ID(&group), &standing, statement.Time(&seen)); err != nil {
			return nil, fmt.Errorf("read machines: %w", err)
		}
		n, last = n+1, id
		if group != uuid.Nil && (seen.Before(before) || seen.After(now.Add(rollout.Skew))) {
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

// pointVersions are the most versions of a group that a point of the statistics has,
// those with the most machines. Others are added up. A group has 2,300 points at a
// time, so each version takes 100 kB or more.
const pointVersions = 50

// OtherVersions is the version of a point that adds up the others.
const OtherVersions = "other"

// KeepPoint stores a point of the statistics: the machines of every group by
// version and state, without the silent ones. It does nothing for a group whose
// point exists, from another process or from before a restart. It reads the
// groups' counters.
func (s *Store) KeepPoint(ctx context.Context, now time.Time, resolution int, at time.Time) error {
	return s.Write(ctx, now, func(tx *Tx) error {
		_, err := tx.sql.Change(ctx, fmt.Sprintf(`INSERT INTO stat_points (group_id, resolution, at, version, state, machines)
			SELECT s.group_id, %[1]d, ?, CASE WHEN v.place <= %[3]d THEN s.version ELSE '%[4]s' END, s.state, SUM(s.machines)
			FROM group_counts s JOIN (
				SELECT group_id, version, ROW_NUMBER() OVER (PARTITION BY group_id ORDER BY SUM(machines) DESC, version) AS place
				FROM group_counts c WHERE standing <> %[2]d AND machines > 0
				AND NOT EXISTS (SELECT 1 FROM stat_points p WHERE p.group_id = c.group_id AND p.resolution = %[1]d AND p.at = ?)
				GROUP BY group_id, version
			) v ON v.group_id = s.group_id AND v.version = s.version
			WHERE s.standing <> %[2]d AND s.machines > 0
			GROUP BY 1, 4, 5`, resolution, rollout.StandingSilent, pointVersions, OtherVersions), at.UTC(), at.UTC())
		if err != nil {
			return fmt.Errorf("write statistics: %w", err)
		}
		return nil
	})
}
