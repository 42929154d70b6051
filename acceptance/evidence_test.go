package acceptance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

// funnel checks the counts of G's current rollout.
func (s *site) funnel(want rollout.Counts) {
	s.t.Helper()
	if got := s.numbers().Funnel; got != want {
		s.t.Errorf("funnel %+v, want %+v", got, want)
	}
}

// stateOf returns the state of G's current rollout.
func (s *site) stateOf() rollout.RolloutState { return s.rolloutOf(s.group).State }

// onTrack sends a check of a machine that names another track.
func (s *site) onTrack(track, machine, version string, events ...event) appAnswer {
	r := s.checking(machine, version, events...)
	r.track = track
	return s.ask(r)[0]
}

// firstEntry returns the newest line of a machine's history.
func (s *site) firstEntry(machine string) string {
	s.t.Helper()
	h := s.history(machine)
	if len(h) == 0 {
		s.t.Fatalf("%s has no history", machine)
	}
	return h[0].Detail
}

func TestCase28_ProgramThatReportsSuccessButStaysOldFails(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for attempt := range 3 {
			s.grants("m", "1.0.0", "2.0.0")
			s.reports("m", "1.0.0", "3/1")
			if s.rolloutOf(s.group).Proofs != 0 {
				t.Fatalf("attempt %d proves the version", attempt+1)
			}
			s.advance(time.Hour)
		}
		s.holds("m", "1.0.0", "quarantined")
		s.attemptsEnded("m", rollout.OutcomeNotRunning, rollout.OutcomeNotRunning, rollout.OutcomeNotRunning)
		s.funnel(rollout.Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Failed: 1, NotRunning: 1})
		if a := s.activities(rollout.ActivityMachineFailed); len(a) != 3 || a[0].Detail != "reported success, but still runs 1.0.0" {
			t.Errorf("activities %v", a)
		}
	}, program, lease(24*time.Hour))
}

func TestCase28_SafeModeWaitsForTheNewVersionOfAProgram(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "3/1")
		s.holds("n", "1.0.0", "safe_mode_first")
		s.holds("m", "1.0.0", "halted")
		if r := s.rolloutOf(s.group); r.State != rollout.RolloutHalted || r.Halt.Rule != rollout.HaltSafeMode {
			t.Errorf("rollout %+v", r)
		}
	}, program, safeMode)
}

func TestCase55_FailedCheckIsNoFailure(t *testing.T) {
	codes := map[string]event{
		"HTTP 503": "3/0 268437959", "no connection": "3/0 2000", "empty response": "3/0 30", "not XML": "3/0 31",
		"invalid response": "3/0 34", "HTTP error": "3/0 37", "ignored": "3/0 35", "put off": "3/0 36", "backoff": "3/0 40",
	}
	variants(t, codes, func(t *testing.T, s *site, code event) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1")
		for range 5 {
			s.reports("m", "1.0.0", code)
		}
		s.is("m", rollout.StateDownloading)
		s.attemptsEnded("m")
		if m := s.instance("m"); m.Failures != 0 || m.QuarantinedVersion != "" {
			t.Errorf("machine %+v", m)
		}
		if s.stateOf() != rollout.RolloutActive {
			t.Error("the rollout is not active")
		}
		if len(s.history("m")) < 3 {
			t.Errorf("the history keeps no trace: %v", s.history("m"))
		}
		s.reports("m", "1.0.0", "14/1", "3/1")
		s.holds("m", "2.0.0", "up_to_date", "3/2 from 1.0.0")
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
	}, safeMode)
}

func TestCase57_OldVersionAfterASuccessIsARollback(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.updates("m", "1.0.0", "2.0.0")
		s.holds("m", "1.0.0", "quarantined", "3/2 from")
		s.is("m", rollout.StateError)
		s.attemptsEnded("m", rollout.OutcomeRolledBack)
		s.funnel(rollout.Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Failed: 1, RolledBack: 1})
		if text := s.firstEntry("m"); text != "rolled back to the previous version" {
			t.Errorf("history: %q", text)
		}
		s.activityCount(rollout.ActivityMachineQuarantined, 1)
		s.advance(24 * time.Hour)
		s.holds("m", "1.0.0", "quarantined")
	})
}

func TestCase57_FlappingMachineCountsOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		for _, other := range []string{"a", "b", "c"} {
			s.holds(other, "1.0.0", "concurrency_limit")
		}
		s.updates("m", "1.0.0", "2.0.0")
		for range 5 {
			s.advance(10 * time.Minute)
			s.holds("m", "1.0.0", "quarantined")
			s.advance(10 * time.Minute)
			s.holds("m", "2.0.0", "up_to_date")
		}
		s.funnel(rollout.Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Succeeded: 1})
		r := s.rolloutOf(s.group)
		if r.Wave != 0 || r.Evidence.Succeeded != 1 || r.Proofs != 1 {
			t.Errorf("one machine counts as several: %+v", r)
		}
		s.attemptsEnded("m", rollout.OutcomeCameBack)
		s.activityCount(rollout.ActivityMachineCameBack, 5)
	}, limit(1, time.Minute), withPolicy(func(p *rollout.Policy) { p.Waves = []rollout.Wave{{Share: 0.999999, MinFinished: 3}, {Share: 1}} }))
}

func TestCase57_SafeModeHaltsWhenItsOnlyProofFallsBack(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.updates("m", "1.0.0", "2.0.0")
		s.holds("m", "1.0.0", "quarantined")
		s.holds("n", "1.0.0", "halted")
		if r := s.rolloutOf(s.group); r.Halt.Rule != rollout.HaltSafeMode || len(r.Halt.Machines) != 1 {
			t.Errorf("rollout %+v", r)
		}
	}, safeMode)
}

// Postinst code 19: update_engine reports an error, but wants a reboot and boots
// the new version.
func TestLateSuccessReplacesTheFailure(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1", "14/1", "3/0 268435475")
		s.is("m", rollout.StateError)
		s.funnel(rollout.Counts{Granted: 1, Downloading: 1, Downloaded: 1, Failed: 1})
		if s.stateOf() != rollout.RolloutHalted {
			t.Fatal("safe mode did not halt")
		}
		s.holds("m", "2.0.0", "up_to_date", "3/2 from 1.0.0")
		s.is("m", rollout.StateComplete)
		s.attemptsEnded("m", rollout.OutcomeCameBack)
		s.funnel(rollout.Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Succeeded: 1})
		if text := s.firstEntry("m"); !strings.HasPrefix(text, "came back") {
			t.Errorf("history: %q", text)
		}
		n := s.numbers()
		if len(n.Failures) != 0 {
			t.Errorf("failures by kind: %+v", n.Failures)
		}
		attention, err := s.View.Attention(s.ctx)
		s.ok(err)
		if i := slices.IndexFunc(attention, func(a *view.Attention) bool { return a.Kind == view.AttentionHalted }); i < 0 || !strings.HasSuffix(attention[i].Sentence, "; 1 of the failed machines came back since then") {
			t.Errorf("attention %+v", attention)
		}
		// Only a person resumes.
		s.holds("n", "1.0.0", "halted")
		s.resume("m came back")
		s.grants("n", "1.0.0", "2.0.0")
	}, safeMode)
}

func TestCase59_TheGrantingGroupSettlesTheUpdate(t *testing.T) {
	// The update resets the machine's track: its first check names another one.
	ends := map[string]struct {
		version string
		event   event
		outcome rollout.Outcome
		reason  string
	}{
		"success":  {"2.0.0", "3/2 from 1.0.0", rollout.OutcomeSucceeded, "up_to_date"},
		"rollback": {"1.0.0", "3/0 44", rollout.OutcomeRolledBack, "quarantined"},
	}
	variants(t, ends, func(t *testing.T, s *site, end struct {
		version string
		event   event
		outcome rollout.Outcome
		reason  string
	}) {
		other := s.newGroup("other", "other", casePolicy())
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1", "14/1", "3/1")
		a := s.onTrack("other", "m", end.version, end.event)
		if a.Check == nil || a.Check.Info != end.reason {
			t.Errorf("answered %s", a)
		}
		s.attemptsEnded("m", end.outcome)
		if m := s.instance("m"); m.GroupID == nil || *m.GroupID != other {
			t.Errorf("the machine is in group %v", m.GroupID)
		}
		if c := s.numbers().Funnel; c.Finished() != 1 || c.Released != 0 {
			t.Errorf("funnel %+v", c)
		}
	})
}

// What a machine reports about an update that a deleted group granted holds in its new
// group, where it counts in no rollout.
func TestCase59_UpdateOfADeletedGroupIsSettled(t *testing.T) {
	ends := map[string]struct {
		version string
		event   event
		reason  string
		state   rollout.State
	}{
		"success":  {"2.0.0", "3/2 from 1.0.0", "up_to_date", rollout.StateComplete},
		"rollback": {"1.0.0", "3/0 44", "quarantined", rollout.StateError},
		"failure":  {"1.0.0", "3/0 9", "", rollout.StateGranted},
		"silence":  {"1.0.0", "3/2 from ", "", rollout.StateGranted},
	}
	variants(t, ends, func(t *testing.T, s *site, end struct {
		version string
		event   event
		reason  string
		state   rollout.State
	}) {
		other := s.newGroup("other", "other", casePolicy())
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1", "14/1", "3/1")
		s.ok(s.DeleteGroup(s.ctx, fleet.DeleteGroup{ID: s.group, Force: true}))
		a := s.onTrack("other", "m", end.version, end.event)
		if a.Check == nil || a.Check.Info != end.reason {
			t.Errorf("answered %s", a)
		}
		s.is("m", end.state)
		if m := s.instance("m"); m.GroupID == nil || *m.GroupID != other {
			t.Errorf("the machine is in group %v", m.GroupID)
		}
		s.recount()
		again := s.onTrack("other", "m", end.version)
		if again.Check == nil || again.Check.Info != end.reason {
			t.Errorf("then answered %s", again)
		}
	})
}

func TestCase59_MovedMachineFinishesWhereItWasGranted(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := s.newGroup("other", "other", casePolicy())
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1", "14/1", "3/1")
		id := s.instanceID("m")
		_, err := s.MoveInstance(s.ctx, fleet.MoveInstance{ID: id, GroupID: &other})
		s.ok(err)
		s.pings("m", "1.0.0")
		s.is("m", rollout.StateInstalled)
		if m := s.instance("m"); *m.GroupID != s.group || m.MoveTo == nil || *m.MoveTo != other {
			t.Errorf("group %v, moves to %v", m.GroupID, m.MoveTo)
		}
		s.holds("m", "2.0.0", "up_to_date", "3/2 from 1.0.0")
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
		if m := s.instance("m"); *m.GroupID != other || m.MoveTo != nil {
			t.Errorf("group %v, moves to %v", m.GroupID, m.MoveTo)
		}
		s.funnel(rollout.Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Succeeded: 1})
	})
}

func TestCase58_InterruptionsInARowAreAFailure(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1")
		for range 2 { // the daemon restarts, and asks again in the same request
			s.grants("m", "1.0.0", "2.0.0", "3/2 from")
			s.reports("m", "1.0.0", "13/1")
		}
		s.holds("m", "1.0.0", "quarantined", "3/2 from")
		s.attemptsEnded("m", rollout.OutcomeInterrupted, rollout.OutcomeInterrupted, rollout.OutcomeLooping)
		if text := s.firstEntry("m"); !strings.HasPrefix(text, "interrupted too often") {
			t.Errorf("history: %q", text)
		}
		s.activityCount(rollout.ActivityMachineQuarantined, 1)
	}, limit(9, time.Minute))
}

func TestCase58_LoopingLeaderOfSafeModeHaltsByName(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		for range 2 {
			s.reports("m", "1.0.0", "13/1")
			s.grants("m", "1.0.0", "2.0.0", "3/2 from")
			s.holds("n", "1.0.0", "safe_mode_first")
		}
		s.reports("m", "1.0.0", "13/1")
		s.holds("m", "1.0.0", "quarantined", "3/2 from")
		s.holds("n", "1.0.0", "halted")
		if r := s.rolloutOf(s.group); r.Halt.Rule != rollout.HaltSafeMode || !slices.Equal(r.Halt.Machines, []string{"m"}) {
			t.Errorf("halt %+v", r.Halt)
		}
	}, safeMode, limit(9, time.Minute))
}

func TestSuccessEndsInterruptionsInARow(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.pkg("3.0.0")
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1")
		s.grants("m", "1.0.0", "2.0.0", "3/2 from")
		s.updates("m", "1.0.0", "2.0.0")
		s.promote("3.0.0")
		s.grants("m", "2.0.0", "3.0.0")
		for range 2 {
			s.reports("m", "2.0.0", "13/1")
			s.grants("m", "2.0.0", "3.0.0", "3/2 from")
		}
		s.attemptsEnded("m", rollout.OutcomeInterrupted, rollout.OutcomeSucceeded, rollout.OutcomeInterrupted, rollout.OutcomeInterrupted)
	}, limit(9, time.Minute))
}

func TestBackingOffMachineSpendsOneGrant(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for range 5 {
			s.grants("m", "1.0.0", "2.0.0")
			s.reports("m", "1.0.0", "3/9 40")
			s.advance(time.Minute)
		}
		s.grants("n", "1.0.0", "2.0.0")
		s.holds("o", "1.0.0", "period_limit")
		s.attemptsEnded("m", rollout.OutcomeDeferred)
		if h := s.history("m"); len(h) != 2 {
			t.Errorf("%d lines, want a grant and a deferral: %v", len(h), h)
		}
		s.grants("m", "1.0.0", "2.0.0") // the backoff ended
		s.updates("m", "1.0.0", "2.0.0")
		s.attemptsEnded("m", rollout.OutcomeDeferred, rollout.OutcomeSucceeded)
	}, limit(2, time.Hour))
}
