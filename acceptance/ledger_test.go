package acceptance

import (
	"database/sql"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// P3: whoever holds the ledger's lock decides alone. A check that arrives
// meanwhile waits, and then sees what was spent before it.
func TestP3_TheLedgerIsTheOnlyArbiter(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.on(1)
		other.holds("warm", "2.0.0", "up_to_date") // its statements are prepared
		answered := make(chan appAnswer, 1)
		s.ok(s.store.Write(s.ctx, s.clock.Now(), func(tx *store.Tx) error {
			states, err := tx.LockGroups(s.ctx, []uuid.UUID{s.group})
			if err != nil {
				return err
			}
			go func() { answered <- other.check("m", "1.0.0") }()
			s.awaitLock(func() bool { return len(answered) > 0 })
			now := s.clock.Now()
			states[0].Ledger.Spends = []rollout.Spend{{First: now, Last: now, Count: 2}} // all there is
			return tx.Save(s.ctx, &store.Batch{Groups: states})
		}))
		if a := <-answered; a.Check == nil || a.Check.Info != "period_limit" {
			t.Errorf("a check that had to wait was answered %s, want period_limit", a)
		}
	}, servers(2))
}

// awaitLock returns when somebody waits for a lock on PostgreSQL, or did not
// have to. The writers of SQLite queue for its only connection, which nothing
// shows from outside: there the check may also come after the lock was given
// back.
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
