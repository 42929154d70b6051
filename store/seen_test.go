package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"

	"coreroller/store"
	"coreroller/store/storetest"
)

// PostgreSQL writes when a machine was last seen without touching an index
// (HOT), again and again: there is room on the page and no index holds it. Room
// is made when nobody can still see the old row; a busy cluster may delay that
// for a while, so some cycle after the first few has to show it.
func TestLastSeenLeavesIndexesAlone(t *testing.T) {
	url := storetest.Postgres(t)
	f := fill(t, open(t, url))
	const machines, fifths, settled, most = 1000, 5, 4, 60
	seen := map[uuid.UUID]time.Time{}
	write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
		groups, err := tx.LockGroups(ctx, f.groups[:1])
		if err != nil {
			return err
		}
		b := &store.Batch{Groups: groups}
		for i := range machines {
			m := f.machine(0, fmt.Sprintf("%032x", i), "1.0.0")
			b.Machines, seen[m.InstanceID] = append(b.Machines, m), start
		}
		return tx.Save(ctx, b)
	})
	d := raw(t, url)
	wanted, share := 0, 0.0
	for cycle := 0; cycle < settled || share < 0.95 && cycle < most; cycle++ {
		_, before := updates(t, d, wanted)
		for fifth := range fifths { // a second is a part of the time between two checks
			some := map[uuid.UUID]time.Time{}
			for id, at := range seen {
				if int(id[0])%fifths == fifth {
					some[id] = at.Add(time.Minute + time.Duration(id[1])*time.Microsecond)
				}
			}
			maps.Copy(seen, some)
			check(t, f.TouchMachines(t.Context(), some))
		}
		wanted += machines
		_, after := updates(t, d, wanted)
		share = float64(after-before) / machines
	}
	if share < 0.95 {
		t.Errorf("%.0f %% of the updates left the indexes alone, want 95 %%", 100*share)
	}
	rows, err := f.Walk(t.Context(), uuid.Nil, machines)
	check(t, err)
	for _, m := range rows {
		if !m.LastSeenAt.Equal(seen[m.InstanceID]) {
			t.Fatalf("seen at %v, kept %v", seen[m.InstanceID], m.LastSeenAt)
		}
	}
}

// updates are those of machines, and how many of them touched no index, when
// PostgreSQL knows of as many as there were: a backend tells its numbers when
// it rests.
func updates(t *testing.T, d *sql.DB, wanted int) (all, hot int) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	late := time.After(time.Minute)
	for {
		check(t, d.QueryRowContext(t.Context(), "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'instances'").Scan(&all, &hot))
		if all >= wanted {
			return all, hot
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("PostgreSQL counted %d of %d updates", all, wanted)
		}
	}
}
