package acceptance

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// Two people open the next wave at once: one of them gets a conflict, and no wave is skipped.
func TestTwoAdvancesAtOnceOpenOneWave(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		saw, done := 1, make([]error, 2)
		atOnce(2, func(i int) {
			_, done[i] = s.AdvanceWave(s.ctx, fleet.AdvanceWave{GroupID: s.group, Reason: "in a hurry", ExpectedWave: &saw})
		})
		if wave := s.rolloutOf(s.group).Wave; wave != 1 {
			t.Errorf("wave index %d, want 1", wave)
		}
		s.refusedField(errors.Join(done...), fault.Conflict, "expectedWave")
		saw = 2
		_, err := s.AdvanceWave(s.ctx, fleet.AdvanceWave{GroupID: s.group, ExpectedWave: &saw})
		s.ok(err)
	}, withPolicy(func(p *rollout.Policy) {
		p.Waves = []rollout.Wave{{Share: 0.1, Soak: time.Hour}, {Share: 0.5, Soak: time.Hour}, {Share: 1}}
	}))
}

// The reason of a second pause or halt is not lost in silence.
func TestSecondPauseOrHaltWithAnotherReasonIsAConflict(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		before := s.revision()
		s.pause("database work")
		s.pause("database work") // the same again changes nothing
		s.pause("")
		_, err := s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group, Reason: "bad release"})
		s.refusedField(err, fault.Conflict, "groupId")
		if err == nil || !strings.Contains(err.Error(), "database work") {
			t.Errorf("refused with %v", err)
		}
		_, err = s.ResumeUpdates(s.ctx, fleet.ResumeUpdates{GroupID: s.group, Reason: "done", ExpectedRevision: &before})
		s.refusedField(err, fault.Conflict, "expectedRevision")
		now := s.revision()
		_, err = s.ResumeUpdates(s.ctx, fleet.ResumeUpdates{GroupID: s.group, Reason: "done", ExpectedRevision: &now})
		s.ok(err)
		s.grants("m", "1.0.0", "2.0.0")
		s.halt("smoke")
		s.halt("smoke")
		_, err = s.HaltRollout(s.ctx, fleet.HaltRollout{GroupID: s.group, Reason: "fire"})
		s.refusedField(err, fault.Conflict, "groupId")
		_, err = s.PauseUpdates(s.ctx, fleet.PauseUpdates{GroupID: s.group, ExpectedRevision: &before})
		s.refusedField(err, fault.Conflict, "expectedRevision")
	})
}

func (s *site) revision() int64 {
	s.t.Helper()
	row, err := s.View.Group(s.ctx, s.group, nil)
	s.ok(err)
	return row.Revision
}
