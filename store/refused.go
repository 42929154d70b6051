package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/store/bulk"
)

// RefusedKey is what refused requests have in common: the reason and what they
// named.
type RefusedKey struct{ Reason, App, Track, Version, Board string }

// RefusedRequests counts the requests with one key.
type RefusedRequests struct {
	RefusedKey
	Requests              int
	FirstSeenAt, LastSeen time.Time
	Address               string // of the last request
}

// id is derived from the key, so that several processes count in the same row.
func (k *RefusedKey) id() (id uuid.UUID) {
	sum := sha256.Sum256([]byte(strings.Join([]string{k.Reason, k.App, k.Track, k.Version, k.Board}, "\x00")))
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x80 // version 8 (RFC 9562, custom)
	id[8] = id[8]&0x3f | 0x80
	return id
}

var refusedRequests = bulk.NewTable("refused_requests", `ON CONFLICT (id) DO UPDATE SET
		requests = refused_requests.requests + EXCLUDED.requests, last_seen_at = EXCLUDED.last_seen_at, address = EXCLUDED.address`,
	`id id, reason text, app text, track text, version text, board text, requests number, first_seen_at time, last_seen_at time, address text`)

// AddRefused adds counts to refused_requests, then deletes all but the keep rows
// that were seen last. Both lock rows in the order of their ids, so that processes
// do not deadlock.
func (s *Store) AddRefused(ctx context.Context, all []RefusedRequests, keep int) error {
	if len(all) == 0 {
		return nil
	}
	type row struct {
		id uuid.UUID
		RefusedRequests
	}
	sorted := make([]row, len(all))
	for i, r := range all {
		sorted[i] = row{r.id(), r}
	}
	slices.SortFunc(sorted, func(a, b row) int { return bytes.Compare(a.id[:], b.id[:]) })
	var values []bulk.Value
	for _, r := range sorted {
		values = append(values, bulk.ID(r.id), bulk.Text(r.Reason), bulk.Text(r.App), bulk.Text(r.Track), bulk.Text(r.Version), bulk.Text(r.Board),
			bulk.Number(r.Requests), bulk.Time(r.FirstSeenAt), bulk.Time(r.LastSeen), bulk.Text(r.Address))
	}
	err := s.Write(ctx, time.Time{}, func(tx *Tx) error {
		_, err := tx.write(ctx, bulk.Insert(refusedRequests, values))
		return err
	})
	if err != nil {
		return fmt.Errorf("write refused requests: %w", err)
	}
	err = s.Write(ctx, time.Time{}, func(tx *Tx) error { return tx.trimRefused(ctx, keep) })
	if err != nil {
		return fmt.Errorf("delete refused requests: %w", err)
	}
	return nil
}

func (tx *Tx) trimRefused(ctx context.Context, keep int) error {
	rows, err := tx.query(ctx, `SELECT id FROM refused_requests WHERE id NOT IN
		(SELECT id FROM refused_requests ORDER BY last_seen_at DESC, id DESC LIMIT ?) ORDER BY id @lock`, keep)
	if err != nil {
		return err
	}
	defer rows.Close()
	var old []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return err
		}
		old = append(old, id)
	}
	if err := rows.Err(); err != nil || len(old) == 0 {
		return err
	}
	if err := rows.Close(); err != nil {
		return err
	}
	_, err = tx.sql.ExecContext(ctx, tx.sql.SQL("DELETE FROM refused_requests WHERE id @in"), tx.sql.List(old))
	return err
}
