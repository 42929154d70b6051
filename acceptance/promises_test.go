package acceptance

import (
	"fmt"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/rollout"
)

// The promises that need neither many machines nor several servers. The tests of P4
// are in the store, which checks the plan of each statement with a large group.

func TestP6_FirstRequestOrWorkerEndsExpiredLease(t *testing.T) {
	variants(t, map[string]func(s *site){
		"check of another machine":  func(s *site) { s.check("other", "2.0.0") },
		"ping of another machine":   func(s *site) { s.pings("other", "2.0.0") },
		"check of the machine":      func(s *site) { s.check("m", "1.0.0") },
		"late event of the machine": func(s *site) { s.reports("m", "1.0.0", "13/1") },
		"worker":                    func(s *site) { s.work() },
	}, func(_ *testing.T, s *site, first func(s *site)) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1")
		s.advance(time.Hour - time.Microsecond)
		s.work()
		s.attemptsEnded("m")
		s.inFlight(1)
		s.advance(time.Microsecond)
		first(s)
		s.attemptsEnded("m", rollout.OutcomeTimeout)
		s.activityCount(rollout.ActivityMachineFailed, 1)
	})
}

func TestP7_HigherVersionThanGrantedIsStored(t *testing.T) {
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
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
	})
}

func TestP8_HaltPrecedesFurtherGrants(t *testing.T) {
	variants(t, map[string]func(s *site){
		"failure": func(s *site) {
			s.grants("first", "1.0.0", "2.0.0")
			// One request and one commit contain the failure and another machine's check.
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
		"timeout": func(s *site) {
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
	}, func(_ *testing.T, s *site, scenario func(s *site)) {
		scenario(s)
		s.activityCount(rollout.ActivityRolloutHalted, 1)
	}, servers(2), safeMode, limit(100_000, 15*time.Minute),
		withPolicy(func(p *rollout.Policy) { p.HaltFailureShare, p.HaltMinAttempts = 1, 4 }))
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
		s.rolloutIs(rollout.RolloutHalted)
		s.resume("fixed the mirror")
		s.rolloutIs(rollout.RolloutActive)
		// Grants from before the resume no longer count, whether they fail
		// or time out.
		s.reports("m4", "1.0.0", "3/0 10")
		s.reports("m5", "1.0.0", "13/1", "3/0 44")
		s.reports("m6", "1.0.0", "13/1")
		s.advance(time.Hour)
		s.work()
		s.attemptsEnded("m6", rollout.OutcomeTimeout)
		s.attemptsEnded("m7", rollout.OutcomeWithdrawn) // its download had not started at the halt
		s.rolloutIs(rollout.RolloutActive)
		s.activityCount(rollout.ActivityRolloutHalted, 1)
		// The rule still applies to later grants.
		for i := range 4 {
			s.grants(fmt.Sprint("n", i), "1.0.0", "2.0.0")
			s.rolloutIs(rollout.RolloutActive)
			s.reports(fmt.Sprint("n", i), "1.0.0", "3/0 10")
		}
		s.rolloutIs(rollout.RolloutHalted)
		s.activityCount(rollout.ActivityRolloutHalted, 2)
		if h := s.rolloutOf(s.group).Halt; h.Failed != 4 || h.Finished != 4 {
			t.Errorf("halted by %+v", h)
		}
	}, limit(20, 15*time.Minute), withPolicy(func(p *rollout.Policy) { p.HaltFailureShare, p.HaltMinAttempts = 0.5, 4 }))
}

func TestP10_EveryCompletionIsDetected(t *testing.T) {
	variants(t, map[string]func(s *site){
		"event":      func(s *site) { s.reports("last", "2.0.0", "3/2 from 1.0.0") },
		"check":      func(s *site) { s.holds("last", "2.0.0", "up_to_date") },
		"ping":       func(s *site) { s.pings("last", "2.0.0") },
		"quarantine": func(s *site) { s.holds("last", "1.0.0", "quarantined", "3/0 44") },
		"hold": func(s *site) {
			_, err := s.HoldInstance(s.ctx, fleet.HoldInstance{ID: s.instanceID("last")})
			s.ok(err)
		},
		"move to another group": func(s *site) {
			h := s.newGroup("H", "h", casePolicy())
			_, err := s.MoveInstance(s.ctx, fleet.MoveInstance{ID: s.instanceID("last"), GroupID: &h})
			s.ok(err)
		},
		"worker finds it silent": func(s *site) {
			s.advance(12 * time.Hour)
			s.check("m", "2.0.0")
			s.advance(12 * time.Hour)
			s.work()
			s.rolloutIs(rollout.RolloutActive)
			s.advance(time.Microsecond)
			s.work()
		},
	}, func(_ *testing.T, s *site, last func(s *site)) {
		s.check("last", "1.0.0")
		s.check("m", "1.0.0")
		s.updates("m", "1.0.0", "2.0.0")
		s.rolloutIs(rollout.RolloutActive)
		last(s)
		s.finished()
		s.work()
		s.finished()
	})
}

func TestP11_GrowingWavesKeepTheirMachines(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("first", "1.0.0", "2.0.0") // uses the cap of 1, so the wave or the cap holds the others
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
					t.Errorf("%s left the wave when its share grew to %v: %+v", m, share, a)
				}
				if in[m] = held; held {
					reached++
				}
				if want := rollout.Bucket(salt, m) < share; want != held {
					t.Errorf("%s is in a wave with share %v: %t, want %t", m, share, held, want)
				}
			}
			t.Logf("a share of %v reaches %d of %d", share, reached, machines)
		}
	}, limit(1, 15*time.Minute), withPolicy(func(p *rollout.Policy) { p.Waves = []rollout.Wave{{Canaries: []string{"first"}}, {Share: 1}} }))
}
