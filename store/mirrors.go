package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/store/bulk"
)

// MaxMirrors bounds the stored mirrors. Those seen longest ago are deleted.
const MaxMirrors = 1000

// Mirror is a client that asked as a mirror since the last write.
type Mirror struct {
	GroupID   uuid.UUID
	MachineID string
	Address   string
	Version   string // as sent
	Fetched   string // versions of the last offer, in order; "": none
	Served    bool   // the last request was answered as that of a mirror
	Requests  int
	FirstAt   time.Time // of these requests
	LastAt    time.Time
}

var mirrors = bulk.NewTable("mirrors", `ON CONFLICT (group_id, machine_id) DO UPDATE SET address = EXCLUDED.address, version = EXCLUDED.version,
		fetched = CASE WHEN EXCLUDED.fetched = '' THEN mirrors.fetched ELSE EXCLUDED.fetched END, served = EXCLUDED.served,
		requests = mirrors.requests + EXCLUDED.requests, last_seen_at = EXCLUDED.last_seen_at`,
	`group_id id, machine_id text, address text, version text, fetched text, served bool, requests number,
	first_seen_at time, last_seen_at time`)

// AddMirrors stores what was seen of mirrors. Rows are written in the order of their
// keys, as every process does, so that processes do not deadlock.
func (s *Store) AddMirrors(ctx context.Context, now time.Time, all []Mirror) error {
	if len(all) == 0 {
		return nil
	}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Mirror) int {
		return cmp.Or(bytes.Compare(a.GroupID[:], b.GroupID[:]), cmp.Compare(a.MachineID, b.MachineID))
	})
	err := s.Write(ctx, now, func(tx *Tx) error {
		var rows []bulk.Value
		for _, m := range all {
			rows = append(rows, bulk.ID(m.GroupID), bulk.Text(m.MachineID), bulk.Text(m.Address), bulk.Text(m.Version), bulk.Text(m.Fetched),
				bulk.Bool(m.Served), bulk.Number(m.Requests), bulk.Time(m.FirstAt), bulk.Time(m.LastAt))
		}
		_, err := tx.write(ctx, bulk.Insert(mirrors, rows))
		return err
	})
	if err != nil {
		return fmt.Errorf("write mirrors: %w", err)
	}
	const text = "DELETE FROM mirrors WHERE last_seen_at < ? OR id NOT IN (SELECT id FROM mirrors ORDER BY last_seen_at DESC, id LIMIT "
	if _, err := s.writer.ExecContext(ctx, s.readers.SQL(text+strconv.Itoa(MaxMirrors)+")"), now.Add(-s.Keep(KeepMirrors)).UTC()); err != nil {
		return fmt.Errorf("delete mirrors: %w", err)
	}
	return nil
}
