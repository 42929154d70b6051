package acceptance

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// recount checks the invariants: counters equal a recount of the machines, and no
// machine is in flight without a lease.
func (s *site) recount() {
	s.t.Helper()
	ctx := context.WithoutCancel(s.ctx) // the test's context is canceled before cleanup
	all, err := s.store.Recount(ctx)
	s.ok(err)
	for _, d := range all {
		s.t.Errorf("counter %s is %d, a recount gives %d", d.Counter, d.Kept, d.Counted)
	}
	s.recountGrants(ctx)
}

// recountGrants compares the grants of each rollout with its open and ended
// attempts, and each open attempt with the state of its machine.
func (s *site) recountGrants(ctx context.Context) {
	s.t.Helper()
	attempts := map[uuid.UUID]int{}
	ended, err := s.store.Reader().Attempt.Query().All(ctx)
	s.ok(err)
	for _, a := range ended {
		if !a.Replaced {
			attempts[a.RolloutID]++
		}
	}
	machines, err := s.store.Reader().Instance.Query().All(ctx)
	s.ok(err)
	for _, m := range machines {
		if m.GrantedAt != nil && m.DeferredRolloutID == nil { // else it repeats a grant that was counted
			attempts[*m.OfferRolloutID]++
		}
		if m.State.InFlight() != (m.GrantedAt != nil) || (m.GrantedAt != nil) != (m.LeaseUntil != nil) {
			s.t.Errorf("stuck: %s", m)
		}
	}
	waves, err := s.store.Reader().Wave.Query().All(ctx)
	s.ok(err)
	granted := map[uuid.UUID]int{}
	for _, w := range waves {
		granted[w.RolloutID] += w.Granted
	}
	for id, n := range granted {
		if attempts[id] != n {
			s.t.Errorf("rollout %s has %d grants and %d attempts", id, n, attempts[id])
		}
	}
	if s.t.Failed() {
		s.t.Log(fmt.Sprint("the clock is at ", s.clock.Now()))
	}
}
