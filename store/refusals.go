package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/store/bulk"
)

// Refusal is a number of requests or values of one kind that were refused.
type Refusal struct {
	Kind    string
	GroupID uuid.UUID // zero: none
	Refused int64
}

var refusals = bulk.NewTable("refusals",
	"ON CONFLICT (kind, group_id) DO UPDATE SET refused = refusals.refused + EXCLUDED.refused, last_at = EXCLUDED.last_at",
	"kind text, group_id text, refused number, first_at time, last_at time")

// AddRefusals adds to the counts. Rows are written in the order of their keys, as
// every process does, so that processes do not deadlock.
func (s *Store) AddRefusals(ctx context.Context, now time.Time, all []Refusal) error {
	if len(all) == 0 {
		return nil
	}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.GroupID[:], b.GroupID[:]))
	})
	if err := s.dropRefusals(ctx, now); err != nil {
		return err
	}
	err := s.Write(ctx, now, func(tx *Tx) error {
		var rows []bulk.Value
		for _, r := range all {
			rows = append(rows, bulk.Text(r.Kind), bulk.Text(groupText(r.GroupID)), bulk.Number(r.Refused), bulk.Time(now), bulk.Time(now))
		}
		_, err := tx.write(ctx, bulk.Insert(refusals, rows))
		return err
	})
	if err != nil {
		return fmt.Errorf("write refusals: %w", err)
	}
	return nil
}

// dropRefusals deletes the counts of incidents that are over: a later request starts a
// new count.
func (s *Store) dropRefusals(ctx context.Context, now time.Time) error {
	if _, err := s.writer.ExecContext(ctx, s.readers.SQL("DELETE FROM refusals WHERE last_at < ?"), now.Add(-s.Keep(KeepRefusals)).UTC()); err != nil {
		return fmt.Errorf("delete refusals: %w", err)
	}
	return nil
}

// groupText returns the text of a group's id, "" for none.
func groupText(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}
