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

	"github.com/coreroller/coreroller/store/bulk"
)

// lastSeen is the part of instances that TouchMachines writes.
var lastSeen = bulk.NewTable("instances", "", "id id, last_seen_at time")

// TouchMachines sets when machines were last seen, except where a later time is
// stored. A crash may lose it. Rows are written in the order of their ids, as
// every writer does, so that writers do not deadlock.
func (s *Store) TouchMachines(ctx context.Context, seen map[uuid.UUID]time.Time) error {
	if len(seen) == 0 {
		return nil
	}
	ids := slices.SortedFunc(maps.Keys(seen), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	rows := make([]bulk.Value, 0, 2*len(seen))
	for _, id := range ids {
		rows = append(rows, bulk.ID(id), bulk.Time(seen[id]))
	}
	err := retry(func() error {
		return s.writeUnsynced(ctx, func(tx *Tx) error {
			_, err := tx.write(ctx, bulk.Change{Table: lastSeen, Rows: rows, Parts: bulk.AllParts, Update: true, Rising: true})
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("touch machines: %w", err)
	}
	return nil
}

// writeUnsynced is Write without waiting for the disk, for what a crash may
// lose. The next transaction that waits for the disk makes it durable.
func (s *Store) writeUnsynced(ctx context.Context, f func(tx *Tx) error) error {
	async, sync := "PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"
	if s.postgres != nil {
		async, sync = "SET synchronous_commit = off", "RESET synchronous_commit"
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	var tx *Tx
	if _, err = conn.ExecContext(ctx, async); err == nil {
		tx, err = s.write(ctx, conn, time.Time{}, f)
	}
	if err == nil {
		_, err = conn.ExecContext(context.WithoutCancel(ctx), sync)
	}
	if err != nil {
		// Discard the connection: it may still commit without waiting for the disk.
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = conn.Close() // fails for a discarded connection
	if err != nil {
		return err
	}
	tx.sql.PrepareOnPool(ctx)
	return nil
}
