package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// know lets machines be seen at 2.0.0 for longer than evidenceAge, and promotes 3.0.0.
func (s *site) know(machines ...string) {
	s.t.Helper()
	for range 2 {
		for _, m := range machines {
			s.holds(m, "2.0.0", "up_to_date")
		}
		s.advance(13 * time.Hour)
	}
	s.promote("3.0.0")
}

// madeUp returns the reasons with which n made-up machines are answered, each from
// an address of its own.
func (s *site) madeUp(n int, version string) map[string]int {
	s.t.Helper()
	reasons := map[string]int{}
	for i := range n {
		reasons[s.from(fmt.Sprintf("198.51.100.%d", i), fmt.Sprint("made-up ", i), version).Check.Info]++
	}
	return reasons
}

func (s *site) madeUpWait(n int) {
	s.t.Helper()
	if r := s.madeUp(n, "1.0.0"); r["newcomer_waits"] != n {
		s.t.Errorf("answers %v, want %d newcomers waiting", r, n)
	}
}

func TestCase61_MadeUpMachinesTakeNoGrantFromKnownOnes(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.know("a", "b", "c")
		s.madeUpWait(40)
		s.grants("a", "2.0.0", "3.0.0")
		s.madeUpWait(40)
		s.grants("b", "2.0.0", "3.0.0")
		s.updates("a", "2.0.0", "3.0.0")
		s.updates("b", "2.0.0", "3.0.0")
		s.advance(15 * time.Minute)
		s.madeUpWait(40)
		s.grants("c", "2.0.0", "3.0.0")
	}, limit(2, 15*time.Minute))
}

func TestCase61_OnDemandDoesNotLetMadeUpMachinesPass(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.know("a")
		body := strings.Replace(document(s.checking("made-up", "2.0.0")), `"scheduler"`, `"ondemandupdate"`, 1)
		s.answers(s.post("/v1/update/", body).Apps[0], "newcomer_waits")
		s.grants("a", "2.0.0", "3.0.0")
	}, limit(1, time.Hour), withPolicy(func(p *rollout.Policy) { p.OnDemand = policy.OnDemandSkipsPacing }))
}

// Newcomers that were granted nothing cannot report an attempt; those that were, once
// the known machines are done, count apart.
func TestCase61_FailuresOfMadeUpMachinesHaltNothing(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.know("a", "b")
		for i := range 5 {
			m := fmt.Sprint("made-up ", i)
			s.holds(m, "1.0.0", "newcomer_waits", "3/0 10", "3/0 44")
			s.reports(m, "1.0.0", "13/1", "3/0 10", "3/0 44")
		}
		s.rolloutIs(rollout.RolloutActive)
		s.grants("a", "2.0.0", "3.0.0")
		s.updates("a", "2.0.0", "3.0.0")
		s.pings("b", "2.0.0")
		s.advance(24*time.Hour + time.Minute) // a and b are silent, the newcomers are not any more
		s.work()
		for i := range 5 {
			m := fmt.Sprint("made-up ", i)
			if i == 0 {
				s.grants(m, "1.0.0", "3.0.0")
				s.reports(m, "1.0.0", "3/0 10")
				continue
			}
			s.check(m, "1.0.0", "3/0 10")
			s.reports(m, "1.0.0", "3/0 10")
		}
		if r := s.rolloutOf(s.group); r.State == rollout.RolloutHalted || r.Newcomers.Evidence.Failed == 0 {
			t.Errorf("state %d, newcomers %+v, want failures and no halt", r.State, r.Newcomers)
		}
		s.holds("made-up 9", "1.0.0", "newcomer_waits")
		all, err := s.View.Attention(s.ctx)
		s.ok(err)
		found := false
		for _, a := range all {
			found = found || a.Kind == view.AttentionNewcomersFailing
		}
		if !found {
			t.Errorf("no item about newcomers that fail: %+v", all)
		}
		s.grants("b", "2.0.0", "3.0.0") // known machines go on
		s.updates("b", "2.0.0", "3.0.0")
		impact, err := s.View.ControlImpact(s.ctx, s.group, view.ControlResume)
		s.ok(err)
		if strings.Contains(impact.Sentence, "nothing changes") {
			t.Errorf("a resume promises %q", impact.Sentence)
		}
		s.resume("the mirror was broken")
		s.work()
		s.advance(time.Minute)
		s.work()
		s.grants("made-up 9", "1.0.0", "3.0.0")
	}, limit(100, time.Minute), withPolicy(func(p *rollout.Policy) { p.HaltFailureShare, p.HaltMinAttempts = 0.2, 1 }))
}

func TestCase61_SafeModeWaitsForAKnownMachine(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.know("a", "b")
		s.madeUpWait(2)
		s.grants("a", "2.0.0", "3.0.0")
		s.holds("b", "2.0.0", "safe_mode_first")
		s.updates("a", "2.0.0", "3.0.0")
		s.madeUpWait(2)
		s.grants("b", "2.0.0", "3.0.0")
	}, safeMode, limit(10, time.Minute))
}

// A bad release halts a group of known machines as fast as ever.
func TestCase61_AKnownMachineStillHalts(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.know("a", "b")
		s.grants("a", "2.0.0", "3.0.0")
		s.reports("a", "2.0.0", "13/1", "3/0 10")
		s.rolloutIs(rollout.RolloutHalted)
		s.holds("b", "2.0.0", "halted")
	}, safeMode, limit(10, time.Minute))
}

func TestCase61_MadeUpMachinesOpenNoWave(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.know("a", "b", "c", "d", "e", "f", "g", "h")
		done := 0
		for i := range 73 {
			m := fmt.Sprint("made-up ", i)
			s.from(fmt.Sprintf("198.51.100.%d", i), m, "2.0.0")
			s.reports(m, "2.0.0", "13/1", "14/1", "3/1")
			s.check(m, "3.0.0", "3/2 from 2.0.0")
			done++
		}
		s.work()
		s.advance(time.Minute)
		s.work()
		if r := s.rolloutOf(s.group); r.Wave != 0 || r.Proofs != 0 || r.Evidence != (rollout.Counts{}) {
			t.Errorf("after %d made-up successes: wave %d, proofs %d, evidence %+v", done, r.Wave, r.Proofs, r.Evidence)
		}
	}, limit(100, time.Minute), withPolicy(func(p *rollout.Policy) {
		p.Waves = []rollout.Wave{{Share: 0.5, MinFinished: 3}, {Share: 1}}
	}))
}

// New machines with an old version do not wait once the known ones are done.
func TestNewcomersUpdateOnceTheKnownMachinesAreDone(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.know("a")
		s.holds("new", "2.0.0", "newcomer_waits")
		s.decisionContains("new", "known before the rollout go first")
		s.grants("a", "2.0.0", "3.0.0")
		s.updates("a", "2.0.0", "3.0.0")
		s.advance(time.Minute)
		s.work()
		s.grants("new", "2.0.0", "3.0.0")
		s.updates("new", "2.0.0", "3.0.0")
		r := s.rolloutOf(s.group)
		if r.State != rollout.RolloutCompleted || r.Evidence.Succeeded != 1 || r.Newcomers.Evidence.Succeeded != 1 {
			t.Errorf("state %d, evidence %+v and of newcomers %+v", r.State, r.Evidence, r.Newcomers.Evidence)
		}
	}, limit(5, time.Minute))
}

// A known machine that will never update delays newcomers by a minute, and one that
// could, by evidenceAge.
func TestNewcomersDoNotWaitForEver(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.know("a")
		s.answers(s.demanding("a", "2.0.0", `updatedisabled="true"`), "disabled_by_client")
		s.holds("new", "2.0.0", "newcomer_waits")
		s.advance(time.Minute)
		s.work()
		s.grants("new", "2.0.0", "3.0.0")
		s.holds("a", "2.0.0", "concurrency_limit") // it may update now
		s.updates("new", "2.0.0", "3.0.0")
		s.holds("newer", "2.0.0", "newcomer_waits")
		for range 2 {
			s.advance(12 * time.Hour)
			s.pings("a", "2.0.0")
			s.work()
		}
		s.grants("newer", "2.0.0", "3.0.0")
	}, limit(1, time.Minute))
}

// In a group without any known machine, all count, and it says so.
func TestAGroupWithoutKnownMachinesTakesAll(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("first", "1.0.0", "2.0.0")
		s.reports("first", "1.0.0", "13/1", "3/0 10")
		s.rolloutIs(rollout.RolloutHalted)
		if since := s.rolloutOf(s.group).Newcomers.Since; !since.IsZero() {
			t.Errorf("newcomers since %v, want none", since)
		}
	}, safeMode)
}
