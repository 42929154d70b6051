package store_test

import (
	"context"
	"database/sql"
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// PostgreSQL updates last_seen_at without writing an index (HOT), because no index
// contains it and pages have free space. Space of old rows is reused only when no
// transaction can see them, which a busy cluster delays. So one cycle after the
// first few must reach the share.
func TestUpdatesOfLastSeenWriteNoIndex(t *testing.T) {
	url := storetest.Postgres(t)
	f := fill(t, open(t, url))
	const machines, fifths, settled, most = 1000, 5, 4, 60
	seen := f.join(t, machines)
	d := raw(t, url)
	f.Trace(func(tx *sql.Tx, _ string, _ []any) { // otherwise a backend reports its counters ten seconds later
		_, err := tx.ExecContext(t.Context(), "SELECT pg_stat_force_next_flush()")
		check(t, err)
	})
	wanted, share := 0, 0.0
	for cycle := 0; cycle < settled || share < 0.95 && cycle < most; cycle++ {
		_, before := updates(t, d, wanted)
		for fifth := range fifths { // the machines check in at different times
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
		t.Errorf("%.0f %% of the updates wrote no index, want 95 %%", 100*share)
	}
	rows, err := f.Walk(t.Context(), uuid.Nil, machines)
	check(t, err)
	for _, m := range rows {
		if !m.LastSeenAt.Equal(seen[m.InstanceID]) {
			t.Fatalf("last seen at %v, stored %v", seen[m.InstanceID], m.LastSeenAt)
		}
	}
}

// updates returns the number of updates of instances, and of those that wrote no
// index, once PostgreSQL has counted the wanted number.
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

// The next transaction on the same connection waits for the disk again, also after
// a cancelled one.
func TestLastSeenDoesNotWaitForTheDisk(t *testing.T) {
	for url, ask := range map[string][3]string{
		storetest.SQLite(t):   {"PRAGMA synchronous", "1", "2"},
		storetest.Postgres(t): {"SHOW synchronous_commit", "off", "on"},
	} {
		if store.IsPostgres(url) { // the test cluster turns it off
			_, err := raw(t, url).ExecContext(t.Context(), "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$")
			check(t, err)
		}
		f := fill(t, open(t, url))
		var found string
		f.Trace(func(tx *sql.Tx, _ string, _ []any) {
			check(t, tx.QueryRowContext(t.Context(), ask[0]).Scan(&found))
		})
		check(t, f.TouchMachines(t.Context(), map[uuid.UUID]time.Time{uuid.New(): start}))
		if found != ask[1] {
			t.Errorf("%s is %s while it is written", ask[0], found)
		}
		ctx, cancel := context.WithCancel(t.Context())
		f.Trace(func(*sql.Tx, string, []any) { cancel() }) // cancelled in the middle
		if err := f.TouchMachines(ctx, map[uuid.UUID]time.Time{uuid.New(): start}); err == nil {
			t.Error("the cancelled transaction succeeded")
		}
		f.Trace(func(tx *sql.Tx, _ string, _ []any) {
			check(t, tx.QueryRowContext(t.Context(), ask[0]).Scan(&found))
		})
		found = ""
		write(t, f.Store, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.LockGroups(ctx, f.groups[:1])
			return err
		})
		if found != ask[2] {
			t.Errorf("%s is %s afterwards", ask[0], found)
		}
	}
}
