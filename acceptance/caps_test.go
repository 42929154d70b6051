package acceptance

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
)

func TestCase13_CapsHoldTheThirdMachine(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("a", "1.0.0", "2.0.0")
		s.grants("b", "1.0.0", "2.0.0")
		s.advance(time.Minute)
		s.holds("c", "1.0.0", "concurrency_limit")
		s.is("c", rollout.StateOnHold)
		s.decisionContains("c", "2 of 2")
		s.updates("a", "1.0.0", "2.0.0")
		s.holds("c", "1.0.0", "period_limit")
		s.decisionContains("c", "2 of 2", "10:15:00")
		if m := s.instance("c"); m.DecisionUntil == nil || !m.DecisionUntil.Equal(begin.Add(15*time.Minute)) {
			t.Errorf("the decision is valid until %v", m.DecisionUntil)
		}
		s.clock.Set(begin.Add(15*time.Minute - time.Microsecond))
		s.holds("c", "1.0.0", "period_limit")
		s.clock.Set(begin.Add(15 * time.Minute))
		s.grants("c", "1.0.0", "2.0.0")
	})
}

func TestCase14_RaisedCapGrantsTheNextMachine(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("a", "1.0.0", "2.0.0")
		s.grants("b", "1.0.0", "2.0.0")
		s.holds("c", "1.0.0", "concurrency_limit")
		s.holds("c", "1.0.0", "concurrency_limit")
		s.policy(func(p *rollout.Policy) { p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 3, 3 })
		s.grants("c", "1.0.0", "2.0.0")
		s.holds("d", "1.0.0", "concurrency_limit")
	})
}

func TestCase15_ConcurrencyCapOutlastsThePeriod(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("a", "1.0.0", "2.0.0")
		s.grants("b", "1.0.0", "2.0.0")
		s.advance(time.Minute)
		s.holds("c", "1.0.0", "concurrency_limit")
		s.updates("a", "1.0.0", "2.0.0")
		s.grants("c", "1.0.0", "2.0.0")
	}, limit(2, time.Minute))
}

func TestCase16_SilentMachinesTimeOut(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("a", "1.0.0", "2.0.0")
		s.grants("b", "1.0.0", "2.0.0")
		s.advance(time.Minute)
		s.grants("c", "1.0.0", "2.0.0")
		for _, machine := range []string{"a", "b"} {
			s.is(machine, rollout.StateError)
			s.attemptsEnded(machine, rollout.OutcomeTimeout)
		}
		if n := s.numbers(); n.Funnel.Failed != 2 || n.Funnel.TimedOut != 2 || n.InFlight != 1 ||
			len(n.Failures) != 1 || n.Failures[0].Outcome != rollout.OutcomeTimeout || n.Failures[0].Attempts != 2 {
			t.Errorf("numbers %+v", n)
		}
	}, limit(2, time.Minute), lease(time.Minute)) // with a longer period the period cap would hold c
}

func TestCase16a_InstalledMachineWaitsForItsRebootWhileItPings(t *testing.T) {
	const every = 45 * time.Minute
	const lost = 3 * 50 * time.Minute // 3 polls
	each(t, func(t *testing.T, s *site) {
		s.grants("pinging", "1.0.0", "2.0.0")
		s.grants("silent", "1.0.0", "2.0.0")
		s.reports("pinging", "1.0.0", "13/1", "14/1", "3/1")
		s.reports("silent", "1.0.0", "13/1", "14/1", "3/1")
		s.is("pinging", rollout.StateInstalled)
		for at := every; at < 24*time.Hour; at += every {
			s.clock.Set(begin.Add(at))
			s.work()
			s.is("pinging", rollout.StateInstalled)
			if at < lost {
				s.is("silent", rollout.StateInstalled)
			} else {
				s.is("silent", rollout.StateError)
			}
			s.pings("pinging", "1.0.0")
		}
		s.attemptsEnded("silent", rollout.OutcomeLost)
		s.attemptsEnded("pinging")
		s.grants("second", "1.0.0", "2.0.0")
		s.holds("third", "1.0.0", "concurrency_limit")
		// After the reboot timeout it still waits, but gives its slot back.
		s.clock.Set(begin.Add(24 * time.Hour))
		s.work()
		s.is("pinging", rollout.StateInstalled)
		if n := s.numbers(); n.RebootOverdue != 1 || n.InFlight != 2 {
			t.Errorf("numbers %+v", n)
		}
		s.grants("third", "1.0.0", "2.0.0")
		s.holds("fourth", "1.0.0", "concurrency_limit")
		for range 3 * 24 { // it reboots after three more days
			s.advance(time.Hour)
			s.pings("pinging", "1.0.0")
			s.work()
		}
		s.attemptsEnded("pinging")
		s.holds("pinging", "2.0.0", "up_to_date", "3/2 from 1.0.0")
		s.attemptsEnded("pinging", rollout.OutcomeSucceeded)
	}, limit(2, time.Minute))
}

// atOnce calls f in n goroutines that start together and waits for all of them.
func atOnce(n int, f func(i int)) {
	var wait sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		wait.Go(func() {
			<-gate
			f(i)
		})
	}
	close(gate)
	wait.Wait()
}

func TestCase17_ParallelChecksUseExactlyTheCap(t *testing.T) {
	variants(t, map[string]int{"one server": 1, "four servers": 4}, func(t *testing.T, s *site, count int) {
		offers := make([]bool, 40)
		atOnce(40, func(i int) {
			a := s.on(i%count).check(fmt.Sprint("m", i), "1.0.0")
			offers[i] = a.offered() == "2.0.0"
		})
		n := 0
		for _, offered := range offers {
			if offered {
				n++
			}
		}
		if n != 5 {
			t.Errorf("%d offers, want 5", n)
		}
		s.inFlight(5)
		s.activityCount(rollout.ActivityRolloutStarted, 1)
	}, limit(5, 15*time.Minute), servers(4))
}
