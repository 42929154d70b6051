package acceptance

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"coreroller/ent/db/instance"
	"coreroller/rollout"
)

// recount compares what is counted with the machines it counts, and looks for
// machines that are stuck: everything that must be true at any moment.
func (s *site) recount() {
	s.t.Helper()
	ctx := context.WithoutCancel(s.ctx) // the test's has ended when it is cleaned up
	all, err := s.store.Recount(ctx)
	s.ok(err)
	for _, d := range all {
		s.t.Errorf("counter %s keeps %d, a recount gives %d", d.Counter, d.Kept, d.Counted)
	}
	s.recountCensus(ctx)
	s.recountGrants(ctx)
}

// recountCensus compares the numbers that completion is decided by with the
// active machines of each group.
func (s *site) recountCensus(ctx context.Context) {
	s.t.Helper()
	ledgers, err := s.store.Reader().Ledger.Query().All(ctx)
	s.ok(err)
	for _, l := range ledgers {
		var target rollout.Version
		if l.RolloutID != nil {
			r, err := s.store.Reader().GroupRollout.Get(ctx, *l.RolloutID)
			s.ok(err)
			target, _ = rollout.ParseVersion(r.Version)
		}
		machines, err := s.store.Reader().Instance.Query().Where(instance.GroupID(l.GroupID), instance.StandingEQ(rollout.StandingActive)).All(ctx)
		s.ok(err)
		behind, on := 0, 0
		for _, m := range machines {
			switch v, _ := rollout.ParseVersion(m.Version); {
			case target.IsZero():
			case v.Less(target):
				behind++
			default:
				on++
			}
		}
		if l.Behind != behind || l.OnTarget != on {
			s.t.Errorf("the census of group %s keeps %d behind, %d on target; a recount gives %d and %d", l.GroupID, l.Behind, l.OnTarget, behind, on)
		}
	}
}

// recountGrants compares the grants of each rollout with its attempts, open and
// ended, and each open attempt with the state of its machine.
func (s *site) recountGrants(ctx context.Context) {
	s.t.Helper()
	attempts := map[uuid.UUID]int{}
	ended, err := s.store.Reader().Attempt.Query().All(ctx)
	s.ok(err)
	for _, a := range ended {
		attempts[a.RolloutID]++
	}
	machines, err := s.store.Reader().Instance.Query().All(ctx)
	s.ok(err)
	for _, m := range machines {
		if m.GrantedAt != nil {
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
			s.t.Errorf("rollout %s granted %d times and has %d attempts", id, n, attempts[id])
		}
	}
	if s.t.Failed() {
		s.t.Log(fmt.Sprint("the clock is at ", s.clock.Now()))
	}
}
