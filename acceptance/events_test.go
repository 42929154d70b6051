package acceptance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
)

// historyIs checks the states in a machine's history, newest first.
func (s *site) historyIs(machine string, want ...rollout.State) {
	s.t.Helper()
	var got []rollout.State
	for _, h := range s.history(machine) {
		got = append(got, h.State)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("history of %s: states %v, want %v", machine, got, want)
	}
}

func TestCase27_UpdateStepsAreRecorded(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		for _, step := range []struct {
			event event
			state rollout.State
		}{{"13/1", rollout.StateDownloading}, {"14/1", rollout.StateDownloaded}, {"3/1", rollout.StateInstalled}} {
			s.advance(time.Minute)
			s.reports("m", "1.0.0", step.event)
			s.is("m", step.state)
		}
		s.advance(time.Minute)
		s.holds("m", "2.0.0", "up_to_date", "3/2 from 1.0.0")
		s.is("m", rollout.StateComplete)
		s.historyIs("m", rollout.StateComplete, rollout.StateInstalled, rollout.StateDownloaded, rollout.StateDownloading, rollout.StateGranted)
		if c := s.numbers().Funnel; c != (rollout.Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Succeeded: 1}) {
			t.Errorf("funnel %+v", c)
		}
	})
}

func TestCase28_ProgramIsCompleteOnceSeenOnTheNewVersion(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "3/1")
		s.is("m", rollout.StateInstalled)
		s.attemptsEnded("m")
		s.holds("m", "2.0.0", "up_to_date")
		s.is("m", rollout.StateComplete)
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
	}, program)
}

func TestCase29_RestartedDaemonIsOfferedAgain(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0", "3/2 from")
		s.reports("m", "1.0.0", "13/1")
		s.grants("m", "1.0.0", "2.0.0", "3/2 from")
		s.attemptsEnded("m", rollout.OutcomeInterrupted)
		s.inFlight(1)
		if n := s.numbers(); n.GrantedInPeriod != 2 || n.Failed != 0 {
			s.t.Errorf("numbers %+v", n)
		}
		// Both grants of the period are used, so there is no third offer.
		s.reports("m", "1.0.0", "13/1")
		s.holds("m", "1.0.0", "period_limit", "3/2 from 0.0.0.0")
		s.inFlight(0)
	}, withPolicy(func(p *rollout.Policy) { p.MaxConcurrentUpdates = 1 }))
}

func TestCase30_IdleDaemonAddsNoHistory(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		for range 3 {
			a := s.check("m", "2.0.0", "3/2 from")
			if len(a.Events) != 1 || a.Events[0].Status != "ok" {
				s.t.Errorf("answered %+v", a)
			}
			s.advance(45 * time.Minute)
		}
		s.reports("m", "2.0.0", "3/2 from")
		s.is("m", rollout.StateNone)
		s.historyIs("m")
		s.attemptsEnded("m")
	})
}

func TestCase31_MeaninglessEventsChangeNoState(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.reports("unknown", "1.0.0", "13/1", "3/1", "3/0 10")
		if m := s.instance("unknown"); m != nil {
			t.Errorf("events registered an unknown machine: %v", m)
		}
		s.grants("m", "1.0.0", "2.0.0")
		before := s.instance("m")
		s.reports("m", "1.0.0", "1000/1", "3/1000", "-1/-1", "x/y", "13/0", "3/2")
		s.is("m", rollout.StateGranted)
		if after := s.instance("m"); !after.LeaseUntil.Equal(*before.LeaseUntil) || after.Failures != 0 {
			t.Errorf("meaningless events changed the machine: before %v, after %v", before, after)
		}
		s.inFlight(1)
		// The history keeps all of them except 3/2, which many clients send with every check.
		s.historyIs("m", rollout.StateGranted, rollout.StateGranted, rollout.StateGranted, rollout.StateGranted, rollout.StateGranted, rollout.StateGranted)
	})
}

func TestCase31_ErrorWithoutAttemptIsNoFailure(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.holds("m", "2.0.0", "up_to_date")
		s.check("n", "1.0.0")
		s.holds("m", "2.0.0", "up_to_date", "3/0 268437960") // the client got HTTP status 504 for its previous check
		s.is("m", rollout.StateNone)
		if h := s.history("m"); len(h) != 1 || h[0].Code != 2504 || !strings.Contains(h[0].Detail, "504") {
			t.Errorf("history %v", h)
		}
		if m := s.instance("m"); m.Failures != 0 {
			t.Errorf("%d failures", m.Failures)
		}
		s.activityCount(rollout.ActivityMachineFailed, 0)
		if n := s.numbers(); n.Funnel.Failed != 0 {
			t.Errorf("numbers %+v", n)
		}
	})
}

func TestCase32_ErrorCodeFlagsAreRemoved(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, test := range []struct {
			machine, sent string
			code          int
		}{{"private server", "268435469", 13}, {"developer", "-1879048179", 13}, {"empty", "", 0}, {"negative", "-1", 0x0FFFFFFF}} {
			s.grants(test.machine, "1.0.0", "2.0.0")
			// Written by hand, because an empty errorcode differs from a missing one.
			a := s.post("/v1/update/", `<request protocol="3.0"><app appid="`+s.app.String()+`" version="1.0.0" track="t" machineid="`+test.machine+
				`"><event eventtype="3" eventresult="0" errorcode="`+test.sent+`"/></app></request>`)
			if len(a.Apps) != 1 || len(a.Apps[0].Events) != 1 || a.Apps[0].Events[0].Status != "ok" {
				t.Errorf("%s: answered %s", test.machine, a.body)
			}
			s.is(test.machine, rollout.StateError)
			if h := s.history(test.machine); h[0].State != rollout.StateError || h[0].Code != test.code {
				t.Errorf("%s: history %+v", test.machine, h[0])
			}
		}
		failed := s.activities(rollout.ActivityMachineFailed)
		if len(failed) != 4 || failed[0].MachineID != "private server" || failed[0].Code != 13 {
			t.Errorf("activities %v", failed)
		}
	}, limit(10, time.Hour))
}

func TestCase33_RollbackInACheckQuarantines(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1", "14/1", "3/1")
		s.holds("m", "1.0.0", "quarantined", "3/0 44")
		s.attemptsEnded("m", rollout.OutcomeRolledBack)
		s.activityCount(rollout.ActivityMachineQuarantined, 1)
		if n := s.numbers(); n.Quarantined != 1 || n.Funnel.RolledBack != 1 {
			s.t.Errorf("numbers %+v", n)
		}
		s.advance(time.Hour)
		s.holds("m", "1.0.0", "quarantined", "3/2 from")
	})
}

func TestCase34_DeferralIsNoFailure(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "3/9 268435496")
		s.attemptsEnded("m", rollout.OutcomeDeferred)
		s.is("m", rollout.StateNone)
		if n := s.numbers(); n.InFlight != 0 || n.Funnel.Failed != 0 || n.Funnel.Released != 1 {
			s.t.Errorf("numbers %+v", n)
		}
		if m := s.instance("m"); m.Failures != 0 {
			s.t.Errorf("%d failures", m.Failures)
		}
		s.grants("m", "1.0.0", "2.0.0")
	})
}

func TestCase35_FailedMachineIsGrantedAgain(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "3/0 10")
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "3/0 10")
		s.holds("m", "1.0.0", "period_limit")
		s.advance(15 * time.Minute)
		s.grants("m", "1.0.0", "2.0.0")
	})
}
