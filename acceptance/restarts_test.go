package acceptance

import (
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
)

// booted sends the check of a machine with a bootid.
func (s *site) booted(boot, machine, version string) appAnswer {
	s.t.Helper()
	r := s.checking(machine, version)
	r.attrs = map[string]string{"bootid": boot}
	return s.ask(r)[0]
}

// Nebraska's updater library sends a new bootid and sessionid after each start.
func TestAProgramThatRestartsDuringADownloadIsOfferedTheSameAgain(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.answers(s.booted("one", "m", "1.0.0"), "2.0.0")
		s.reports("m", "1.0.0", "13/1")
		s.answers(s.booted("one", "m", "1.0.0"), "update_in_progress")
		s.answers(s.booted("", "m", "1.0.0"), "update_in_progress")
		s.answers(s.booted("two", "m", "1.0.0"), "2.0.0")
		s.inFlight(1)
		s.attemptsEnded("m", rollout.OutcomeInterrupted)
		s.reports("m", "1.0.0", "13/1", "14/1")
		s.answers(s.booted("three", "m", "1.0.0"), "2.0.0")
		s.reports("m", "1.0.0", "13/1")
		s.answers(s.booted("four", "m", "1.0.0"), "quarantined") // the third time in a row
		s.attemptsEnded("m", rollout.OutcomeInterrupted, rollout.OutcomeInterrupted, rollout.OutcomeLooping)
	}, program, limit(9, time.Minute))
}

// The stub of diskless machines sends a single event after each boot, without ping and
// update check.
func TestAMachineThatOnlySendsEventsIsListed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.reports("diskless", "1.0.0", "3/2 from")
		m := s.instance("diskless")
		if m == nil || m.Version != "1.0.0" || m.Reason != "" {
			t.Fatalf("the machine is %+v", m)
		}
		s.grants("m", "1.0.0", "2.0.0")
		s.updates("m", "1.0.0", "2.0.0")
		s.reports("diskless", "1.0.0", "3/2 from")
		s.rolloutIs(rollout.RolloutCompleted) // it is not below the target, because it never asks
		if n := s.numbers(); n.Total != 2 {
			t.Errorf("%d machines, want 2", n.Total)
		}
	})
}
