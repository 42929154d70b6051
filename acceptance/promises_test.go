package acceptance

import (
	"fmt"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/rollout"
)

// The promises of the engine that need neither many machines nor several
// servers. P4 is the store's: a plan per statement, with a large group.

func TestP6_LeaseEndsByWhoeverIsFirst(t *testing.T) {
	variants(t, map[string]func(s *site){
		"check of somebody else": func(s *site) { s.check("other", "2.0.0") },
		"ping of somebody else":  func(s *site) { s.pings("other", "2.0.0") },
		"its own check":          func(s *site) { s.check("m", "1.0.0") },
		"its own late report":    func(s *site) { s.reports("m", "1.0.0", "13/1") },
		"worker":                 func(s *site) { s.work() },
	}, func(_ *testing.T, s *site, first func(s *site)) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1")
		s.advance(time.Hour - time.Microsecond)
		s.work()
		s.ended("m")
		s.inFlight(1)
		s.advance(time.Microsecond)
		first(s)
		s.ended("m", rollout.OutcomeTimeout)
		s.noted(rollout.ActivityMachineFailed, 1)
	})
}

func TestP7_HigherVersionThanGranted(t *testing.T) {
	variants(t, map[string]func(s *site){
		"check": func(s *site) { s.holds("m", "3.0.0", "up_to_date") },
		"ping":  func(s *site) { s.pings("m", "3.0.0") },
		"event": func(s *site) { s.reports("m", "3.0.0", "3/2 from 1.0.0") },
	}, func(t *testing.T, s *site, back func(s *site)) {
		s.grants("m", "1.0.0", "2.0.0")
		back(s)
		if m := s.instance("m"); m.Version != "3.0.0" || m.State != rollout.StateComplete {
			t.Errorf("stored version %s, state %d", m.Version, m.State)
		}
		s.ended("m", rollout.OutcomeSucceeded)
	})
}

func TestP8_HaltComesBeforeAnyFurtherGrant(t *testing.T) {
	variants(t, map[string]func(s *site){
		"failure": func(s *site) {
			s.grants("first", "1.0.0", "2.0.0")
			// One request, one commit: the failure, and another machine's check.
			failure, check := s.checking("first", "1.0.0", "3/0 10"), s.checking("second", "1.0.0")
			failure.ping, failure.check = false, false
			if a := s.ask(failure, check)[1]; a.offered() != "" || a.Check.Info != "halted" {
				s.t.Errorf("after the failure: %s", a)
			}
			if h := s.rolloutOf(s.group).Halt; h.Rule != rollout.HaltSafeMode || !h.At.Equal(s.clock.Now()) || fmt.Sprint(h.Machines) != "[first]" {
				s.t.Errorf("halt %+v", h)
			}
			s.holds("first", "1.0.0", "halted")
		},
		"silence": func(s *site) {
			s.grants("first", "1.0.0", "2.0.0")
			s.advance(time.Hour)
			s.holds("second", "1.0.0", "halted")
		},
		"in parallel": func(s *site) {
			s.policy(func(p *rollout.Policy) { p.SafeMode = false })
			for i := range 4 {
				s.grants(fmt.Sprint("m", i), "1.0.0", "2.0.0")
			}
			s.noGrantAfter(func(s *site) {
				for i := range 4 {
					s.reports(fmt.Sprint("m", i), "1.0.0", "3/0 10")
				}
			}, "halted")
		},
	}, func(_ *testing.T, s *site, story func(s *site)) {
		story(s)
		s.noted(rollout.ActivityRolloutHalted, 1)
	}, servers(2), safeMode, limit(100_000, 15*time.Minute),
		policy(func(p *rollout.Policy) { p.HaltFailureShare, p.HaltMinAttempts = 1, 4 }))
}

func TestP9_ResumeStartsANewEvidenceWindow(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.check("behind", "0.9.0")
		for i := range 8 {
			s.grants(fmt.Sprint("m", i), "1.0.0", "2.0.0")
		}
		for i := range 4 {
			s.reports(fmt.Sprint("m", i), "1.0.0", "3/0 10")
		}
		s.stands(rollout.RolloutHalted)
		s.resume("fixed the mirror")
		s.stands(rollout.RolloutActive)
		// Granted before the resume: whether they fail or fall silent, they
		// prove nothing any more.
		s.reports("m4", "1.0.0", "3/0 10")
		s.reports("m5", "1.0.0", "13/1", "3/0 44")
		s.reports("m6", "1.0.0", "13/1")
		s.advance(time.Hour)
		s.work()
		s.ended("m6", rollout.OutcomeTimeout)
		s.ended("m7", rollout.OutcomeWithdrawn) // not begun when the group was halted
		s.stands(rollout.RolloutActive)
		s.noted(rollout.ActivityRolloutHalted, 1)
		// The rule itself is not set aside.
		for i := range 4 {
			s.grants(fmt.Sprint("n", i), "1.0.0", "2.0.0")
			s.stands(rollout.RolloutActive)
			s.reports(fmt.Sprint("n", i), "1.0.0", "3/0 10")
		}
		s.stands(rollout.RolloutHalted)
		s.noted(rollout.ActivityRolloutHalted, 2)
		if h := s.rolloutOf(s.group).Halt; h.Failed != 4 || h.Finished != 4 {
			t.Errorf("halted by %+v", h)
		}
	}, limit(20, 15*time.Minute), policy(func(p *rollout.Policy) { p.HaltFailureShare, p.HaltMinAttempts = 0.5, 4 }))
}

func TestP10_CompletionIsNoticed(t *testing.T) {
	variants(t, map[string]func(s *site){
		"by event":      func(s *site) { s.reports("last", "2.0.0", "3/2 from 1.0.0") },
		"by check":      func(s *site) { s.holds("last", "2.0.0", "up_to_date") },
		"by ping":       func(s *site) { s.pings("last", "2.0.0") },
		"by quarantine": func(s *site) { s.holds("last", "1.0.0", "quarantined", "3/0 44") },
		"by hold": func(s *site) {
			_, err := s.HoldInstance(s.ctx, fleet.HoldInstance{ID: s.instanceID("last")})
			s.ok(err)
		},
		"by moving away": func(s *site) {
			h := s.newGroup("H", "h", casePolicy())
			_, err := s.MoveInstance(s.ctx, fleet.MoveInstance{ID: s.instanceID("last"), GroupID: &h})
			s.ok(err)
		},
		"by the worker": func(s *site) {
			s.advance(12 * time.Hour)
			s.check("m", "2.0.0")
			s.advance(12 * time.Hour)
			s.work()
			s.stands(rollout.RolloutActive)
			s.advance(time.Microsecond)
			s.work()
		},
	}, func(_ *testing.T, s *site, last func(s *site)) {
		s.check("last", "1.0.0")
		s.check("m", "1.0.0")
		s.updates("m", "1.0.0", "2.0.0")
		s.stands(rollout.RolloutActive)
		last(s)
		s.finished()
		s.work()
		s.finished()
	})
}

func TestP11_GrowingWavesLoseNobody(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("first", "1.0.0", "2.0.0") // the only one at a time: the others are held, by the wave or by the cap
		const machines = 100
		in := map[string]bool{}
		salt := s.rolloutOf(s.group).Salt
		for _, share := range []float64{0.1, 0.3, 0.3, 0.75, 1} {
			s.policy(func(p *rollout.Policy) {
				p.Waves = []rollout.Wave{{Share: share, Canaries: []string{"first"}, Approval: true}, {Share: 1}}
			})
			reached := 0
			for i := range machines {
				m := fmt.Sprint("m", i)
				a := s.check(m, "1.0.0")
				held := a.Check.Info == "concurrency_limit"
				if in[m] && !held {
					t.Errorf("%s was in before the wave grew to %v, now: %+v", m, share, a)
				}
				if in[m] = held; held {
					reached++
				}
				if want := rollout.Bucket(salt, m) < share; want != held {
					t.Errorf("%s in a wave of %v: %t, want %t", m, share, held, want)
				}
			}
			t.Logf("a share of %v reaches %d of %d", share, reached, machines)
		}
	}, limit(1, 15*time.Minute), policy(func(p *rollout.Policy) { p.Waves = []rollout.Wave{{Canaries: []string{"first"}}, {Share: 1}} }))
}
