package acceptance

import (
	"database/sql"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// P3: the holder of the ledger's lock decides alone. A concurrent check waits for
// the lock and then counts the grants committed before it.
func TestP3_LedgerLockSerializesDecisions(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.on(1)
		other.holds("warm", "2.0.0", "up_to_date") // prepares the statements of this server
		answered := make(chan appAnswer, 1)
		s.ok(s.store.Write(s.ctx, s.clock.Now(), func(tx *store.Tx) error {
			states, err := tx.LockGroups(s.ctx, []uuid.UUID{s.group})
			if err != nil {
				return err
			}
			go func() { answered <- other.check("m", "1.0.0") }()
			s.awaitLock(func() bool { return len(answered) > 0 })
			now := s.clock.Now()
			states[0].Ledger.Spends = []rollout.Spend{{First: now, Last: now, Count: 2}} // uses the whole period cap
			return tx.Save(s.ctx, &store.Batch{Groups: states})
		}))
		if a := <-answered; a.Check == nil || a.Check.Info != "period_limit" {
			t.Errorf("the check after the lock was answered %s, want period_limit", a)
		}
	}, servers(2))
}

// awaitLock returns when a PostgreSQL session waits for a lock, or when over
// returns true. On SQLite it returns at once: writers queue for the only
// connection, which cannot be observed, so the check may run after the unlock.
func (s *site) awaitLock(over func() bool) {
	s.t.Helper()
	if !store.IsPostgres(s.url) {
		return
	}
	d, err := sql.Open("postgres", s.url)
	s.ok(err)
	defer d.Close()
	for waiting := false; !waiting && !over(); {
		s.ok(d.QueryRowContext(s.ctx, "SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database())").Scan(&waiting))
	}
}
