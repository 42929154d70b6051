package acceptance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

func (s *site) slots() *view.RebootSlots {
	s.t.Helper()
	all, err := s.View.ManyRebootSlots(s.ctx, []uuid.UUID{s.group})
	s.ok(err)
	return all[s.group]
}

// A machine that has installed an update and waits for its slot says so, with the
// holders; the group lists both.
func TestMachineSaysThatItWaitsForItsSlot(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, m := range []string{"a", "b"} {
			s.grants(m, "1.0.0", "2.0.0")
			s.reports(m, "1.0.0", "13/1", "14/1", "3/1")
		}
		s.reboots("a")
		s.waits("b", "slots_full")
		e, err := s.View.ExplainUpdate(s.ctx, s.instanceID("b"))
		s.ok(err)
		const want = "waits for its reboot slot: 1 of 1 reboot slot is held: a since 2026-03-02 10:00:00 UTC"
		i := slices.IndexFunc(e.Steps, func(step rollout.RuleStep) bool { return step.Reason == rollout.ReasonUpdateInProgress })
		if !e.Steps[i].Settled || !strings.Contains(e.Steps[i].Text, want) || e.RebootSlot == nil || e.RebootSlot.State != view.RebootSlotWaiting {
			t.Errorf("%+v, %+v", e.Steps[i], e.RebootSlot)
		}
		if r := s.slots(); r.Limit != 1 || len(r.Held) != 1 || r.Held[0].State != view.RebootSlotHeld || r.WaitingCount != 1 || len(r.Waiting) != 1 || r.Waiting[0].Sentence != want || r.Next.Reason != rollout.RebootSlotsFull {
			t.Errorf("%+v", r)
		}
		if due := s.slots().Held[0].ExpectedAt; !due.Equal(begin.Add(time.Hour)) {
			t.Errorf("expected at %v", due)
		}
		e, err = s.View.ExplainUpdate(s.ctx, s.instanceID("a"))
		s.ok(err)
		if e.RebootSlot.State != view.RebootSlotHeld || !strings.Contains(e.Steps[i].Text, "holds a reboot slot since") {
			t.Errorf("%+v, %+v", e.Steps[i], e.RebootSlot)
		}
		s.steady("a")
		if r := s.slots(); r.Hold() != "" || !strings.Contains(r.Waiting[0].Sentence, "which it gets when it asks again") {
			t.Errorf("%+v", r)
		}
	}, slots(1))
}

func TestOverdueSlotNeedsAttention(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		attention := func() (all []*view.Attention) {
			t.Helper()
			list, err := s.View.Attention(s.ctx)
			s.ok(err)
			for _, a := range list {
				if a.Kind == view.AttentionRebootSlotOverdue {
					all = append(all, a)
				}
			}
			return all
		}
		s.reboots("a")
		s.work()
		if all := attention(); len(all) != 0 {
			t.Errorf("%+v", all[0])
		}
		s.advance(time.Hour)
		s.work()
		if all := attention(); len(all) != 1 || all[0].Group.ID != s.group || !strings.Contains(all[0].Sentence, "1 machine did not give its reboot slot back") || !all[0].Since.Equal(begin.Add(time.Hour)) {
			t.Errorf("%+v", all)
		}
		if r := s.slots(); r.Held[0].State != view.RebootSlotOverdue || r.Next.Reason != rollout.RebootOverdueHolder {
			t.Errorf("%+v", r)
		}
		s.steady("a")
		if all := attention(); len(all) != 0 {
			t.Errorf("%+v", all[0])
		}
	}, slots(2))
}

func TestReleaseOfASlotIsInTheAudit(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.check("m", "2.0.0")
		s.reboots("m")
		for _, id := range []string{"", "a\u202eb", strings.Repeat("x", 254)} {
			_, err := s.ReleaseRebootSlot(s.ctx, fleet.ReleaseRebootSlot{GroupID: s.group, ID: id})
			s.refused(err, fault.Invalid)
		}
		_, err := s.ReleaseRebootSlot(s.ctx, fleet.ReleaseRebootSlot{GroupID: s.app, ID: "m"})
		s.refused(err, fault.NotFound)
		_, err = s.ReleaseRebootSlot(s.ctx, fleet.ReleaseRebootSlot{GroupID: s.group, ID: s.instanceID("m").String(), Reason: "scrapped"})
		s.ok(err)
		rows, err := s.store.Reader().Audit.Query().All(s.ctx)
		s.ok(err)
		last := rows[len(rows)-1]
		if last.Verb != "releaseRebootSlot" || last.Reason != "scrapped" || last.Actor != operator || !strings.Contains(last.Before, `"client":"m"`) {
			t.Errorf("%+v", last)
		}
	}, slots(1))
}
