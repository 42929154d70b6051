package acceptance

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
)

func (s *site) enroll(ids ...string) *fleet.Enrolled {
	s.t.Helper()
	done, err := s.EnrollInstances(s.ctx, fleet.EnrollInstances{ApplicationID: s.app, MachineIDs: ids, Reason: "rack 7"})
	s.ok(err)
	return done
}

// A machine that was enrolled before its first request counts like a known one.
func TestEnrolledMachineCountsFromItsFirstRequest(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.know("a")
		if done := s.enroll("new", "later", "new"); *done != (fleet.Enrolled{Machines: 2, New: 2}) {
			t.Errorf("enrolled %+v", done)
		}
		id := s.instanceID("later")
		rows, err := s.View.Machines(s.ctx, machines.List{Filter: machines.Filter{Search: "later"}, Limit: 9}, nil)
		s.ok(err)
		if len(rows) != 1 || rows[0].ID != id || !rows[0].Enrolled || rows[0].GroupID != nil || rows[0].Standing != rollout.StandingSilent {
			t.Errorf("a machine that has not asked yet is listed as %+v", rows)
		}
		s.holds("made-up", "2.0.0", "newcomer_waits")
		s.grants("new", "2.0.0", "3.0.0")
		s.reports("new", "2.0.0", "13/1", "3/0 9")
		s.haltedBy(rollout.HaltSafeMode, "new")
		s.recount()
	}, withPolicy(func(p *rollout.Policy) { p.SafeMode = true }), limit(9, time.Minute))
}

// A newcomer that waits is enrolled: its next check is decided again, also on a process
// that remembers it, and others wait for it.
func TestWaitingNewcomerIsEnrolled(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.know("a")
		s.grants("a", "2.0.0", "3.0.0")
		for range 3 {
			s.holds("new", "2.0.0", "newcomer_waits")
		}
		if done := s.enroll("new"); *done != (fleet.Enrolled{Machines: 1}) {
			t.Errorf("enrolled %+v", done)
		}
		s.grants("new", "2.0.0", "3.0.0")
		s.enroll("new") // again: nothing changes
		s.updates("a", "2.0.0", "3.0.0")
		s.holds("other", "2.0.0", "newcomer_waits")
		s.updates("new", "2.0.0", "3.0.0")
		s.funnel(rollout.Counts{Granted: 2, Downloading: 2, Downloaded: 2, Installed: 2, Succeeded: 2})
		if line := s.history("new"); len(line) == 0 {
			t.Error("no history")
		}
		s.recount()
	}, limit(9, time.Minute))
}

func TestBadMachineIDsAreNotEnrolled(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		many := make([]string, 1001)
		for i := range many {
			many[i] = fmt.Sprint(i)
		}
		for field, ids := range map[string][]string{"machineIds": nil, "machineIds[1]": {"a", ""}, "machineIds[0]": {"a\x00"}} {
			_, err := s.EnrollInstances(s.ctx, fleet.EnrollInstances{ApplicationID: s.app, MachineIDs: ids})
			s.refusedField(err, fault.Invalid, field)
		}
		_, err := s.EnrollInstances(s.ctx, fleet.EnrollInstances{ApplicationID: s.app, MachineIDs: many})
		s.refusedField(err, fault.Invalid, "machineIds")
		_, err = s.EnrollInstances(s.ctx, fleet.EnrollInstances{ApplicationID: uuid.New(), MachineIDs: many[:1]})
		s.refusedField(err, fault.NotFound, "applicationId")
		s.enroll(many[:1000]...)
		s.recount()
	})
}

// A pause withdraws a grant that has not begun. Afterwards the machine takes it back,
// and no other machine gets it.
func TestPausedMachineTakesItsGrantBack(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("a", "1.0.0", "2.0.0")
		s.pause("database work")
		s.holds("a", "1.0.0", "paused")
		s.holds("a", "1.0.0", "paused") // also when the process remembers it
		s.resume("done")
		s.holds("b", "1.0.0", "period_limit")
		s.grants("a", "1.0.0", "2.0.0")
		s.updates("a", "1.0.0", "2.0.0")
		s.advance(30 * time.Minute)
		s.holds("b", "1.0.0", "period_limit")
		s.advance(31 * time.Minute)
		s.grants("b", "1.0.0", "2.0.0")
		s.attemptsEnded("a", rollout.OutcomeWithdrawn, rollout.OutcomeSucceeded)
	}, limit(1, time.Hour))
}
