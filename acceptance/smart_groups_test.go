package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// byExpression makes a group with an expression and a cap on the channel of the site.
func (s *site) byExpression(name, expression string, priority, cap int) uuid.UUID {
	s.t.Helper()
	p := casePolicy()
	p.MaxConcurrentUpdates, p.MaxUpdatesPerPeriod = cap, 100_000
	row, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: name, ChannelID: &s.channel, Policy: &p, Expression: expression, Priority: priority})
	s.ok(err)
	return row.ID
}

func (s *site) groupOf(machine string) uuid.UUID {
	s.t.Helper()
	m := s.instance(machine)
	if m.GroupID == nil {
		return uuid.Nil
	}
	return *m.GroupID
}

// asks sends a check of a machine with an OEM.
func (s *site) asks(machine, version, oem string) appAnswer {
	r := s.checking(machine, version)
	r.attrs = map[string]string{"oem": oem}
	return s.ask(r)[0]
}

// An expression that is committed on one server decides on the other, which has not seen
// it yet: a machine is granted under the cap of its new group.
func TestP2_ExpressionIsInForceOnEveryServer(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.on(1)
		other.asks("a", "2.0.0", "azure")
		azure := s.byExpression("azure", "oem == 'azure'", 0, 1)
		other.asks("a", "1.0.0", "azure")
		if got := other.groupOf("a"); got != azure {
			t.Errorf("the machine is in %s, want the group by expression", got)
		}
		other.asks("b", "1.0.0", "azure")
		other.decisionContains("b", "1 of 1")
		_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: azure, Expression: new("oem == 'gce'")})
		s.ok(err)
		s.advance(2 * time.Second) // so long a machine can be held for its old reason
		other.asks("b", "1.0.0", "azure")
		if got := other.groupOf("b"); got != s.group {
			t.Errorf("the machine is in %s, want the group of its track", got)
		}
		s.recount()
	}, servers(2), limit(100, 15*time.Minute))
}

// Machines that check, report, are labeled and moved by walks at the same time, on two
// servers, leave every cap and counter right.
func TestP1_CapsHoldWhileMachinesMoveByExpressions(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const machines = 40
		racks := []uuid.UUID{s.byExpression("rack 1", "attributes.rack == '1'", 1, 3), s.byExpression("rack 2", "attributes.rack == '2' || 'two' in tags", 2, 3)}
		for i := range machines {
			s.asks(fmt.Sprint("m", i), "1.0.0", "ami")
		}
		atOnce(8, func(worker int) {
			on, random := s.on(worker%len(s.servers)), rand.New(rand.NewPCG(7, uint64(worker)))
			for range 30 {
				machine := fmt.Sprint("m", random.IntN(machines))
				switch random.IntN(6) {
				case 0, 1:
					on.asks(machine, "1.0.0", []string{"ami", "gce"}[random.IntN(2)])
				case 2:
					on.reports(machine, "1.0.0", []event{"13/1", "14/1", "3/1"}[random.IntN(3)])
				case 3:
					on.asks(machine, "2.0.0", "ami")
				case 4:
					_, err := on.LabelInstance(s.ctx, fleet.LabelInstance{ID: s.instanceID(machine), Labels: job.Labels{
						SetAttributes: []job.Attribute{{Name: "rack", Value: fmt.Sprint(random.IntN(3))}}}})
					s.ok(err)
				case 5:
					if worker == 0 {
						_, err := on.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: racks[0], Priority: new(random.IntN(4))})
						s.ok(err)
					}
					s.ok(on.Upkeep.Work(s.ctx))
				}
			}
		})
		for _, id := range append(racks, s.group) {
			n, err := s.View.GroupNumbers(s.ctx, id)
			s.ok(err)
			if n.InFlight-n.RebootOverdue > n.ConcurrencyLimit {
				t.Errorf("group %s has %d in flight, its cap is %d", id, n.InFlight, n.ConcurrencyLimit)
			}
		}
		s.recount()
	}, servers(2), limit(3, 15*time.Minute))
}

// A group by expression that requires a secret gets no machine without one: not at its
// registration, and not from memory. The secret of the track's group is enough for one that
// an expression places.
func TestGroupByExpressionRequiresItsSecret(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		right, _ := s.secret("track", ofGroup(s.group))
		_, _ = s.secret("all", ofApplication)
		smart := s.byExpression("smart", "machine.startsWith('s')", 0, 10)
		s.served("", "s-before")
		s.require(smart, true)
		for _, machine := range []string{"s-before", "s-new"} {
			if a := s.sends("", machine, "2.0.0"); a.code != http.StatusForbidden {
				t.Errorf("%s without a secret is answered %d", machine, a.code)
			}
		}
		for range 3 { // the later ones from memory
			s.served(right, "s-new")
		}
		if s.groupOf("s-new") != smart {
			t.Error("the machine is not in the group by expression")
		}
		if a := s.sends("", "s-new", "2.0.0"); a.code != http.StatusForbidden {
			t.Errorf("a known machine without a secret is answered %d", a.code)
		}
		_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: smart, Expression: new("false")})
		s.ok(err)
		s.served(right, "s-new")
		if s.groupOf("s-new") != s.group {
			t.Error("the machine did not return to the group of its track")
		}
		s.recount()
	})
}

// A walk over many machines leaves all of them where the expressions say, and all counters
// right. Machines check meanwhile. `make soak` moves 100,000.
func TestWalkOverManyMachinesIsExact(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		n := storetest.Size(2_500, 200_000)
		s.fillWith(n)
		half := s.byExpression("half", "machine.endsWith('0') || machine.endsWith('2') || machine.endsWith('4') || machine.endsWith('6') || machine.endsWith('8')", 0, 10)
		p, err := s.View.PreviewExpression(s.ctx, view.PreviewExpression{ApplicationID: s.app, Expression: "machine.endsWith('1')"})
		s.ok(err)
		if looked := min(n, 100_000); p.Machines != looked || p.Complete != (n < 100_000) || p.Comes != looked/10 {
			t.Errorf("preview: %+v", p)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for i := range 200 {
				s.asks(fmt.Sprintf("machine-%07d", i*n/200), "2.0.0", "ami")
			}
		}()
		for walking := true; walking; {
			s.ok(s.Upkeep.Work(s.ctx))
			rows, err := s.View.Reassignments(s.ctx, []uuid.UUID{s.app})
			s.ok(err)
			walking = rows[s.app] == nil || rows[s.app].EndedAt == nil
		}
		<-ended
		numbers, err := s.View.GroupNumbers(s.ctx, half)
		s.ok(err)
		if numbers.Total != n/2 {
			t.Errorf("%d machines moved, want %d", numbers.Total, n/2)
		}
		s.recountCounters()
	}, limit(10, 15*time.Minute))
}

// fillWith writes machines on the target to the database.
func (s *site) fillWith(n int) {
	s.t.Helper()
	two, _ := rollout.ParseVersion("2.0.0")
	const batch = 5000
	for from := 0; from < n; from += batch {
		now := s.clock.Now()
		s.ok(s.store.Write(s.ctx, now, func(tx *store.Tx) error {
			groups, err := tx.LockGroups(s.ctx, []uuid.UUID{s.group})
			if err != nil {
				return err
			}
			b := &store.Batch{Groups: groups}
			for i := from; i < min(from+batch, n); i++ {
				id := fmt.Sprintf("machine-%07d", i)
				m := &store.Machine{InstanceID: store.InstanceID(s.app, id), ApplicationID: s.app, GroupID: s.group,
					Reported: store.Reported{Arch: "amd64", OEM: "ami"}, StateChangedAt: now}
				m.ID, m.Version, m.Reason, m.FirstSeenAt, m.LastSeenAt = id, two, rollout.ReasonUpToDate, now, now
				groups[0].Census.OnTarget++
				b.Machines = append(b.Machines, m)
			}
			return tx.Save(s.ctx, b)
		}))
	}
}

// recountCounters is recount without reading every machine into memory.
func (s *site) recountCounters() {
	s.t.Helper()
	all, err := s.store.Recount(s.ctx)
	s.ok(err)
	for _, d := range all {
		s.t.Errorf("counter %s is %d, a recount gives %d", d.Counter, d.Kept, d.Counted)
	}
}
