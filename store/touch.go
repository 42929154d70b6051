package store

import (
	"bytes"
	"context"
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// TouchMachines sets when machines were last seen, unless they were seen later
// meanwhile. They are written in the order of their ids, as by every other
// writer; it may be done again when that was not enough. A crash may lose it.
func (s *Store) TouchMachines(ctx context.Context, seen map[uuid.UUID]time.Time) error {
	if len(seen) == 0 {
		return nil
	}
	ids := slices.SortedFunc(maps.Keys(seen), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	rows := make(cells, 0, 2*len(seen))
	for _, id := range ids {
		rows = append(rows, inID(id), inTime(seen[id]))
	}
	var err error
	for range overtaken {
		err = s.writeSoon(ctx, func(tx *Tx) error {
			if s.postgres() {
				_, err := tx.bulk(ctx, lastSeen, rows, []int{0, 1}, "UPDATE instances SET last_seen_at = r.last_seen_at FROM (",
					") AS r WHERE instances.id = r.id AND instances.last_seen_at < r.last_seen_at")
				return err
			}
			_, err := tx.eachRow(ctx, lastSeen, rows, []int{1, 0, 1}, "UPDATE instances SET last_seen_at = ? WHERE id = ? AND last_seen_at < ?")
			return err
		})
		if !transient(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("touch machines: %w", err)
	}
	return nil
}

// writeSoon is Write for what a crash may lose: it does not wait for the disk.
// The next transaction that does takes it along.
func (s *Store) writeSoon(ctx context.Context, f func(tx *Tx) error) error {
	loose, strict := "PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"
	if s.postgres() {
		loose, strict = "SET synchronous_commit = off", "RESET synchronous_commit"
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	var tx *Tx
	if _, err = conn.ExecContext(ctx, loose); err == nil {
		tx, err = s.write(ctx, conn, time.Time{}, f)
	}
	if err == nil {
		_, err = conn.ExecContext(context.WithoutCancel(ctx), strict)
	}
	if err != nil {
		// Nobody else may get a connection that perhaps does not wait for the disk.
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = conn.Close() // fails when it was given up
	if err != nil {
		return err
	}
	tx.keep(ctx)
	return nil
}
