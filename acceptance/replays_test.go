package acceptance

import (
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/rollout"
)

// Each test replays what update_engine sends in one story, with its real intervals: a
// check every 45 minutes, always with an event of type 3; while it waits for its reboot
// only pings.

// poll is the time between two polls of update_engine.
const poll = 45 * time.Minute

// daemon is update_engine on one machine.
type daemon struct {
	s           *site
	id, version string
}

// checks sends a scheduled check that expects an answer: a version or a reason.
func (d *daemon) checks(want string) {
	d.s.t.Helper()
	d.s.answers(d.s.check(d.id, d.version, "3/2 from"), want)
}

// installs is offered 2.0.0 and goes on until it waits for its reboot.
func (d *daemon) installs() {
	d.s.t.Helper()
	d.checks("2.0.0")
	for _, e := range []event{"13/1", "14/1", "3/1"} {
		d.s.reports(d.id, d.version, e)
	}
}

// boots sends the first check after a reboot.
func (d *daemon) boots(version, want string) {
	d.s.t.Helper()
	e := event("3/2 from " + d.version)
	if version == d.version {
		e = "3/0 44" // the same version again: it was rolled back
	}
	d.version = version
	d.s.answers(d.s.check(d.id, d.version, e), want)
}

// replay runs a story of the machine m, in a group in which a second machine shows
// whether the rollout goes on.
func replay(t *testing.T, story func(t *testing.T, s *site, m *daemon), options ...option) {
	t.Helper()
	each(t, func(t *testing.T, s *site) {
		story(t, s, &daemon{s, "m", "1.0.0"})
	}, append([]option{limit(9, time.Minute), withPolicy(func(p *rollout.Policy) { p.HaltFailureShare, p.HaltMinAttempts = 0.2, 1 })}, options...)...)
}

// passes lets time pass while the server works.
func (s *site) passes(d time.Duration) {
	s.t.Helper()
	s.advance(d)
	s.work()
}

func TestReplay_LostPing(t *testing.T) {
	replay(t, func(t *testing.T, s *site, m *daemon) {
		m.installs()
		s.passes(2 * poll) // one ping was lost
		s.pings("m", "1.0.0")
		s.passes(poll)
		s.is("m", rollout.StateInstalled)
		m.boots("2.0.0", "up_to_date")
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
	})
}

func TestReplay_OutageOfAnHour(t *testing.T) {
	replay(t, func(t *testing.T, s *site, m *daemon) {
		s.beat()
		m.checks("2.0.0")
		s.reports("m", "1.0.0", "13/1")
		s.runs(50 * time.Minute)
		s.advance(time.Hour) // no server runs, and 14/1 and 3/1 are lost
		s.beat()
		s.work()
		s.runs(30 * time.Minute)
		s.is("m", rollout.StateDownloading)
		m.boots("2.0.0", "up_to_date")
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
		s.rolloutIs(rollout.RolloutCompleted)
	})
}

func TestReplay_RebootAfterThreeDays(t *testing.T) {
	replay(t, func(t *testing.T, s *site, m *daemon) {
		m.installs()
		for range 3 * 24 {
			s.passes(time.Hour)
			s.pings("m", "1.0.0")
		}
		s.is("m", rollout.StateInstalled)
		if n := s.numbers(); n.RebootOverdue != 1 || n.InFlight != 1 {
			t.Errorf("%d overdue, %d in flight", n.RebootOverdue, n.InFlight)
		}
		s.rolloutIs(rollout.RolloutActive)
		m.boots("2.0.0", "up_to_date")
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
		s.rolloutIs(rollout.RolloutCompleted)
	})
}

func TestReplay_DarkAfterTheInstallation(t *testing.T) {
	replay(t, func(t *testing.T, s *site, m *daemon) {
		m.installs()
		s.passes(3 * time.Hour)
		s.attemptsEnded("m", rollout.OutcomeLost)
		s.rolloutIs(rollout.RolloutHalted)
		s.holds("other", "1.0.0", "halted")
	})
}

func TestReplay_OldSlotBooted(t *testing.T) {
	replay(t, func(t *testing.T, s *site, m *daemon) {
		m.installs()
		s.passes(time.Minute)
		m.boots("1.0.0", "quarantined")
		s.attemptsEnded("m", rollout.OutcomeRolledBack)
		s.rolloutIs(rollout.RolloutHalted)
		s.passes(poll)
		m.checks("quarantined")
		s.attemptsEnded("m", rollout.OutcomeRolledBack)
	})
}

func TestReplay_OldSlotBootedAfterASuccess(t *testing.T) {
	replay(t, func(t *testing.T, s *site, m *daemon) {
		m.installs()
		m.boots("2.0.0", "up_to_date")
		s.passes(poll)
		m.checks("up_to_date")
		m.boots("1.0.0", "quarantined") // 3/2 from 2.0.0
		s.attemptsEnded("m", rollout.OutcomeRolledBack)
		s.rolloutIs(rollout.RolloutHalted)
	})
}

func TestReplay_LoopDuringTheDownload(t *testing.T) {
	replay(t, func(t *testing.T, s *site, m *daemon) {
		for range 3 {
			m.checks("2.0.0")
			s.reports("m", "1.0.0", "13/1")
			s.passes(7 * time.Minute) // the daemon was killed and starts again
		}
		m.checks("quarantined")
		s.attemptsEnded("m", rollout.OutcomeInterrupted, rollout.OutcomeInterrupted, rollout.OutcomeLooping)
		s.rolloutIs(rollout.RolloutHalted)
	})
}

func TestReplay_GroupChangedByTheUpdate(t *testing.T) {
	replay(t, func(t *testing.T, s *site, m *daemon) {
		s.newGroup("H", "h", casePolicy())
		m.installs()
		a := s.onTrack("h", "m", "2.0.0", "3/2 from 1.0.0")
		s.answers(a, "up_to_date")
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
		s.funnel(rollout.Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Succeeded: 1})
	})
}

func TestReplay_Code19(t *testing.T) {
	replay(t, func(t *testing.T, s *site, m *daemon) {
		m.checks("2.0.0")
		for _, e := range []event{"13/1", "14/1", "3/0 19"} {
			s.reports("m", "1.0.0", e)
		}
		s.attemptsEnded("m", rollout.OutcomeFailed)
		s.rolloutIs(rollout.RolloutHalted)
		s.passes(poll)
		s.pings("m", "1.0.0") // it wants a reboot all the same
		m.boots("2.0.0", "up_to_date")
		s.attemptsEnded("m", rollout.OutcomeCameBack)
		s.rolloutIs(rollout.RolloutHalted) // until a person resumes
		s.resume("the machine came back")
		s.rolloutIs(rollout.RolloutCompleted)
	})
}

// Failed checks of many machines are an item about the server, not about the package.
func TestManyFailedChecksNeedAttention(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		m := &daemon{s, "m", "1.0.0"}
		m.checks("2.0.0")
		failed := func(n int) {
			for range n {
				s.reports("m", "1.0.0", "3/0 268437959")
				s.advance(time.Second)
			}
		}
		failed(9)
		s.advance(11 * time.Minute)
		failed(9)
		if n := s.refusals(quota.FailedCheck, "failed update check"); n != 0 {
			t.Errorf("%d reported, want none", n)
		}
		failed(3)
		if n := s.refusals(quota.FailedCheck, "12 failed update checks"); n != 12 {
			t.Errorf("%d reported, want 12", n)
		}
		s.rolloutIs(rollout.RolloutActive)
		s.is("m", rollout.StateGranted)
	})
}
