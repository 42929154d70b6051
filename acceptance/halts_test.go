package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
)

func TestCase18_SafeModeGrantsOneMachineFirst(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("first", "1.0.0", "2.0.0")
		s.holds("second", "1.0.0", "safe_mode_first")
		s.decisionContains("second", "first")
		s.reports("first", "1.0.0", "13/1", "14/1", "3/1")
		s.advance(15 * time.Minute) // the first grant leaves the period
		s.holds("second", "1.0.0", "safe_mode_first")
		s.holds("first", "2.0.0", "up_to_date", "3/2 from 1.0.0")
		for _, machine := range []string{"second", "third", "fourth", "fifth"} {
			s.grants(machine, "1.0.0", "2.0.0")
		}
		s.holds("sixth", "1.0.0", "concurrency_limit")
	}, safeMode, limit(4, 15*time.Minute))
}

// haltedBy checks that the rule halted the rollout with one activity, and that
// the next machine is held.
func (s *site) haltedBy(rule rollout.HaltRule, machine string) {
	s.t.Helper()
	s.rolloutIs(rollout.RolloutHalted)
	r := s.rolloutOf(s.group)
	if r.Halt.Rule != rule || len(r.Halt.Machines) == 0 || r.Halt.Machines[len(r.Halt.Machines)-1] != machine {
		s.t.Errorf("halted by %+v, want rule %s and machine %s", r.Halt, rule, machine)
	}
	s.activityCount(rollout.ActivityRolloutHalted, 1)
	s.holds("next", "1.0.0", "halted")
}

func TestCase19_SafeModeFailureHalts(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("first", "1.0.0", "2.0.0")
		s.reports("first", "1.0.0", "13/1", "3/0 10")
		s.haltedBy(rollout.HaltSafeMode, "first")
	}, safeMode)
}

func TestCase20_SafeModeTimeoutHalts(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("first", "1.0.0", "2.0.0")
		s.advance(time.Hour)
		s.holds("next", "1.0.0", "halted")
		s.haltedBy(rollout.HaltSafeMode, "first")
	}, safeMode)
}

func TestCase21_ResumeIgnoresEarlierFailures(t *testing.T) {
	variants(t, map[string]func(s *site){
		"failure": func(s *site) { s.reports("first", "1.0.0", "3/0 10") },
		"timeout": func(s *site) { s.advance(time.Hour) },
	}, func(_ *testing.T, s *site, fail func(s *site)) {
		s.grants("first", "1.0.0", "2.0.0")
		fail(s)
		s.work()
		s.haltedBy(rollout.HaltSafeMode, "first")
		s.resume("looked at it")
		s.advance(15 * time.Minute)
		s.work()
		s.grants("second", "1.0.0", "2.0.0")
		s.holds("third", "1.0.0", "safe_mode_first")
		s.updates("second", "1.0.0", "2.0.0")
		s.advance(15 * time.Minute)
		s.work()
		s.grants("third", "1.0.0", "2.0.0")
		s.grants("first", "1.0.0", "2.0.0")
		s.activityCount(rollout.ActivityRolloutHalted, 1)
		s.rolloutIs(rollout.RolloutActive)
	}, safeMode)
}

func TestCase22_FailureShareHalts(t *testing.T) {
	type attempts struct {
		succeeded, failed int
		halt              bool
	}
	variants(t, map[string]attempts{
		"1 of 5 failed": {4, 1, true},
		"2 of 4 failed": {2, 2, false},
	}, func(t *testing.T, s *site, a attempts) {
		all := a.succeeded + a.failed
		s.check("behind", "1.0.0") // keeps the rollout from completing
		for i := range all {
			s.grants(fmt.Sprint("m", i), "1.0.0", "2.0.0")
		}
		for i := range a.succeeded {
			s.updates(fmt.Sprint("m", i), "1.0.0", "2.0.0")
		}
		for i := a.succeeded; i < all; i++ {
			s.reports(fmt.Sprint("m", i), "1.0.0", "3/0 10")
		}
		if !a.halt {
			s.rolloutIs(rollout.RolloutActive)
			s.grants("next", "1.0.0", "2.0.0")
			return
		}
		s.haltedBy(rollout.HaltFailureShare, fmt.Sprint("m", all-1))
		s.decisionContains("next", "1 of 5 finished attempts failed, the limit is 20 %; it failed with code 10: payload hash does not match")
		if h := s.rolloutOf(s.group).Halt; h.Failed != 1 || h.Finished != 5 || h.Share != 0.2 {
			t.Errorf("halted by %+v", h)
		}
	}, limit(10, 15*time.Minute), withPolicy(func(p *rollout.Policy) { p.HaltFailureShare, p.HaltMinAttempts = 0.2, 5 }))
}

func TestCase26_ThreeFailuresQuarantine(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		fail := func(version string) {
			for range 3 {
				s.grants("m", "1.0.0", version)
				s.reports("m", "1.0.0", "13/1", "3/0 10")
				s.is("m", rollout.StateError)
				s.advance(15 * time.Minute)
			}
		}
		fail("2.0.0")
		s.holds("m", "1.0.0", "quarantined")
		s.holds("m", "1.0.0", "quarantined")
		s.activityCount(rollout.ActivityMachineQuarantined, 1)
		s.release("m")
		fail("2.0.0")
		s.holds("m", "1.0.0", "quarantined")
		if n := s.numbers(); n.Quarantined != 1 {
			s.t.Errorf("%d quarantined", n.Quarantined)
		}
		s.promote("3.0.0")
		if n := s.numbers(); n.Quarantined != 0 {
			s.t.Errorf("%d quarantined at the next version", n.Quarantined)
		}
		s.grants("m", "1.0.0", "3.0.0")
	})
}

// The sentence of a halt by share names the most common failure of the evidence, at the next
// check, in the activity and on the pages: not a failure from before a resume, nor one that
// came back.
func TestHaltByShareNamesTheMostCommonFailure(t *testing.T) {
	variants(t, map[string]struct {
		codes []event
		want  string
	}{
		"most of them": {[]event{"3/0 9", "3/0 11", "3/0 11"}, "3 of 5 finished attempts failed, the limit is 20 %; 2 of them with code 11: payload size does not match"},
		"all of them":  {[]event{"3/0 11", "3/0 11"}, "2 of 5 finished attempts failed, the limit is 20 %; all of them with code 11: payload size does not match"},
		"without text": {[]event{"3/0 4711"}, "1 of 5 finished attempts failed, the limit is 20 %; it failed with code 4711"},
		"rolled back":  {[]event{"3/0 44", "3/0 9", "3/0 44"}, "3 of 5 finished attempts failed, the limit is 20 %; 2 of them rolled back to the previous version"},
	}, func(t *testing.T, s *site, v struct {
		codes []event
		want  string
	}) {
		s.check("behind", "1.0.0") // keeps the rollout from completing
		for i := range 3 {
			s.grants(fmt.Sprint("old", i), "1.0.0", "2.0.0")
			s.reports(fmt.Sprint("old", i), "1.0.0", "3/0 5")
		}
		s.pause("look at it")
		s.resume("looked at it")
		for i := range 6 {
			s.grants(fmt.Sprint("m", i), "1.0.0", "2.0.0")
		}
		s.reports("m5", "1.0.0", "3/0 7")
		s.holds("m5", "2.0.0", "up_to_date") // came back
		for i := range 4 - len(v.codes) {
			s.updates(fmt.Sprint("m", len(v.codes)+i), "1.0.0", "2.0.0")
		}
		for i, code := range v.codes {
			s.rolloutIs(rollout.RolloutActive)
			s.reports(fmt.Sprint("m", i), "1.0.0", code)
		}
		s.holds("next", "1.0.0", "halted")
		s.decisionContains("next", v.want)
		if a := s.activities(rollout.ActivityRolloutHalted); len(a) != 1 || !strings.HasSuffix(a[0].Detail, v.want) {
			t.Errorf("activities %v, want one that ends with %q", a, v.want)
		}
		if hold := s.hold(); hold == nil || !strings.Contains(hold.Sentence, v.want) {
			t.Errorf("the group's hold is %+v, want %q", hold, v.want)
		}
	}, limit(20, 15*time.Minute), withPolicy(func(p *rollout.Policy) { p.HaltFailureShare, p.HaltMinAttempts = 0.2, 5 }))
}
