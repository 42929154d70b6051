package store_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"

	"coreroller/store"
	"coreroller/store/storetest"
)

// PostgreSQL writes when a machine was last seen without touching an index
// (HOT), again and again: there is room on the page and no index holds it.
func TestLastSeenLeavesIndexesAlone(t *testing.T) {
	url := storetest.Postgres(t)
	f := fill(t, open(t, url))
	const machines, rounds = 1000, 20
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
	wanted := 0
	for round := range rounds {
		some := map[uuid.UUID]time.Time{} // a fifth of them, as a second is a part of the time between two checks
		for id, at := range seen {
			if int(id[0])%5 == round%5 {
				some[id] = at.Add(time.Minute + time.Duration(id[1])*time.Microsecond)
			}
		}
		maps.Copy(seen, some)
		wanted += len(some)
		check(t, f.TouchMachines(t.Context(), some))
	}
	rows, err := f.Walk(t.Context(), uuid.Nil, machines)
	check(t, err)
	for _, m := range rows {
		if !m.LastSeenAt.Equal(seen[m.InstanceID]) {
			t.Fatalf("seen at %v, kept %v", seen[m.InstanceID], m.LastSeenAt)
		}
	}
	d := raw(t, url)
	var updates, hot int
	look := time.NewTicker(20 * time.Millisecond) // a backend tells its numbers when it rests
	defer look.Stop()
	late := time.After(20 * time.Second)
	for updates < wanted {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("PostgreSQL counted %d updates", updates)
		}
		check(t, d.QueryRow("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'instances'").Scan(&updates, &hot))
	}
	if share := float64(hot) / float64(updates); share < 0.95 {
		t.Errorf("%.0f %% of %d updates left the indexes alone, want 95 %%", 100*share, updates)
	} else {
		t.Logf("%.1f %% of %d updates left the indexes alone", 100*share, updates)
	}
}
