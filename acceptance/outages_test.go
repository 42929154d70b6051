package acceptance

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store/storetest"
)

// beat records that the server runs.
func (s *site) beat() {
	s.t.Helper()
	s.ok(s.Upkeep.Beat(s.ctx))
}

// runs advances the clock in steps while the server runs.
func (s *site) runs(d time.Duration) {
	for end := s.clock.Now().Add(d); s.clock.Now().Before(end); {
		s.advance(5 * time.Second)
		s.beat()
	}
}

func TestCase56_LeasesStandStillWhileTheServerIsAway(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.beat()
		for i := range 6 {
			m := fmt.Sprint("m", i)
			s.grants(m, "1.0.0", "2.0.0")
			s.reports(m, "1.0.0", "13/1")
		}
		s.runs(time.Minute)
		s.advance(2 * time.Hour)
		// A request that comes before the first beat must not end a lease either.
		s.holds("n", "1.0.0", "concurrency_limit")
		s.beat()
		s.work()
		s.attemptsEnded("m0")
		s.inFlight(6)
		if s.stateOf() != rollout.RolloutActive {
			t.Error("the rollout is not active")
		}
		if o := s.numbers().Outage; o == nil || o.To.Sub(o.From) != 2*time.Hour {
			t.Errorf("outage %v", o)
		}
		// Five machines report within a poll, as update_engine does after failed checks.
		for i := range 5 {
			s.runs(10 * time.Minute)
			s.reports(fmt.Sprint("m", i), "1.0.0", "14/1", "3/1")
			s.holds(fmt.Sprint("m", i), "2.0.0", "up_to_date", "3/2 from 1.0.0")
			s.attemptsEnded(fmt.Sprint("m", i), rollout.OutcomeSucceeded)
		}
		// The lease of the silent one ends once: after what was left of it, the outage
		// and the longest wait before the next poll.
		s.advance(10 * time.Second)
		s.beat()
		for range 12 {
			s.runs(30 * time.Minute)
			s.work()
		}
		s.attemptsEnded("m5", rollout.OutcomeTimeout)
	}, limit(6, time.Minute), lease(time.Hour))
}

// A server process is killed in the middle of six updates. The next one starts after
// their leases, and extends them before its first answer.
func TestCase56_AKilledProcessIsReplacedAfterTheLease(t *testing.T) {
	s := start(t, storetest.Postgres(t), limit(6, time.Minute), lease(time.Hour))
	ask := func(address string, q request) appAnswer {
		a, err := overWire(t.Context(), http.DefaultClient, address, document(q))
		s.ok(err)
		return a.Apps[0]
	}
	first, kill := process(t, s.url, begin)
	for i := range 6 {
		q := s.checking(fmt.Sprint("m", i), "1.0.0")
		if a := ask(first, q); a.offered() != "2.0.0" {
			t.Fatalf("answered %s", a)
		}
		q.check, q.events = false, []event{"13/1"}
		ask(first, q)
	}
	kill()
	second, kill := process(t, s.url, begin.Add(2*time.Hour))
	s.answers(ask(second, s.checking("n", "1.0.0")), "concurrency_limit")
	kill()
	for i := range 6 {
		s.attemptsEnded(fmt.Sprint("m", i))
	}
	s.advance(2 * time.Hour)
	s.beat()
	if o := s.numbers().Outage; o == nil || o.To.Sub(o.From) != 2*time.Hour {
		t.Errorf("outage %v", o)
	}
}

func TestOutageAfterAMachineReportedExtendsOnlyEarlierLeases(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.beat()
		s.grants("a", "1.0.0", "2.0.0")
		s.advance(time.Hour) // an outage
		s.beat()
		s.grants("b", "1.0.0", "2.0.0")
		s.runs(time.Hour)
		s.work()
		s.attemptsEnded("a")
		s.attemptsEnded("b", rollout.OutcomeTimeout)
	}, limit(2, time.Minute), lease(time.Hour))
}

func TestOneLostPingIsNotALostMachine(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1", "14/1", "3/1")
		for range 4 { // each second ping is lost
			s.advance(100 * time.Minute)
			s.work()
			s.pings("m", "1.0.0")
		}
		s.attemptsEnded("m")
		s.holds("m", "2.0.0", "up_to_date", "3/2 from 1.0.0")
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
	}, lease(time.Hour))
}

func TestLeaseLastsAtLeastOnePoll(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0") // the response is lost
		s.advance(3*time.Hour - time.Second)
		s.work()
		s.attemptsEnded("m")
		s.grants("m", "1.0.0", "2.0.0")
		if _, warnings := policy.Compile(s.policyOf()); len(warnings) == 0 || warnings[0].Field != "policy.updateTimeout" {
			t.Errorf("warnings %v", warnings)
		}
	}, withPolicy(func(p *rollout.Policy) { p.PollInterval, p.UpdateTimeout = 2*time.Hour, time.Hour }))
}

// policyOf returns the policy of G.
func (s *site) policyOf() rollout.Policy {
	s.t.Helper()
	row, err := s.store.Reader().Group.Get(s.ctx, s.group)
	s.ok(err)
	return row.Policy
}

func TestMachineThatGoesDarkAfterTheInstallationIsLost(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, m := range []string{"a", "b"} {
			s.grants(m, "1.0.0", "2.0.0")
			s.reports(m, "1.0.0", "13/1", "14/1", "3/1")
		}
		s.advance(30*time.Minute - time.Second)
		s.work()
		s.attemptsEnded("a")
		s.advance(time.Second)
		s.work()
		s.attemptsEnded("a", rollout.OutcomeLost)
		s.attemptsEnded("b", rollout.OutcomeLost)
		if r := s.rolloutOf(s.group); r.State != rollout.RolloutHalted || r.Evidence.Lost != 2 || r.Halt.Rule != rollout.HaltFailureShare {
			t.Errorf("rollout %+v", r)
		}
		if text := s.firstEntry("a"); text != "lost: silent since it installed the update" {
			t.Errorf("history: %q", text)
		}
	}, withPolicy(func(p *rollout.Policy) {
		p.LostAfter, p.HaltFailureShare, p.HaltMinAttempts = 30*time.Minute, 0.5, 2
	}))
}
