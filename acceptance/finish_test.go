package acceptance

import (
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
)

// finished checks that the rollout is completed and reported once.
func (s *site) finished() {
	s.t.Helper()
	s.rolloutIs(rollout.RolloutCompleted)
	s.activityCount(rollout.ActivityRolloutFinished, 1)
}

func TestCase36_RolloutCompletesWithTheLastMachine(t *testing.T) {
	variants(t, map[string]func(s *site){
		"update events": func(s *site) {
			s.check("a", "1.0.0")
			s.check("b", "1.0.0")
			s.updates("a", "1.0.0", "2.0.0")
			s.rolloutIs(rollout.RolloutActive)
			s.updates("b", "1.0.0", "2.0.0")
			s.finished()
			s.check("a", "2.0.0")
			s.finished()
		},
		"one machine starts on target": func(s *site) {
			s.check("a", "1.0.0")
			s.check("b", "2.0.0")
			s.rolloutIs(rollout.RolloutActive)
			s.updates("a", "1.0.0", "2.0.0")
			s.finished()
		},
		"reported versions": func(s *site) {
			s.check("a", "1.0.0")
			s.check("b", "1.0.0")
			s.check("c", "1.0.0") // held; later c reaches the target without a grant
			s.check("a", "2.0.0")
			s.check("b", "2.0.1")
			s.rolloutIs(rollout.RolloutActive)
			s.pings("c", "2.0.0")
			s.finished()
		},
		"late machine is offered the update": func(s *site) {
			s.check("a", "2.0.0")
			s.finished()
			s.grants("late", "1.0.0", "2.0.0")
			s.updates("late", "1.0.0", "2.0.0")
			s.finished()
		},
	}, func(_ *testing.T, s *site, scenario func(s *site)) { scenario(s) })
}

func TestCase37_HoldIsNeverAnError(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		// s.holds expects app status ok and updatecheck status noupdate.
		s.holds("m", "2.0.0", "up_to_date")
		s.grants("a", "1.0.0", "2.0.0")
		s.holds("b", "1.0.0", "safe_mode_first")
		s.reports("a", "1.0.0", "13/1")
		s.holds("a", "1.0.0", "update_in_progress")
		s.reports("a", "1.0.0", "3/0 10")
		s.holds("b", "1.0.0", "halted")
		s.resume("")
		s.policy(func(p *rollout.Policy) { p.SafeMode = false })
		s.advance(time.Hour)
		s.grants("a", "1.0.0", "2.0.0")
		s.holds("b", "1.0.0", "concurrency_limit")
		s.reports("a", "1.0.0", "3/0 44")
		s.holds("a", "1.0.0", "quarantined")
		s.holds("b", "1.0.0", "period_limit")
		s.advance(time.Hour)
		_, err := s.HoldInstance(s.ctx, fleet.HoldInstance{ID: s.instanceID("b"), Reason: "spare"})
		s.ok(err)
		s.holds("b", "1.0.0", "held")
		_, err = s.PinInstance(s.ctx, fleet.PinInstance{ID: s.instanceID("b"), Version: "1.5.0"})
		s.ok(err)
		s.holds("b", "1.0.0", "pinned")
		s.release("b")
		s.policy(func(p *rollout.Policy) { p.OfficeHours, p.Timezone = true, "Asia/Tokyo" })
		s.holds("b", "1.0.0", "outside_window")
		s.policy(func(p *rollout.Policy) {
			p.OfficeHours = false
			p.Freezes = []calendar.Freeze{{From: begin, Until: begin.AddDate(0, 0, 1), Reason: "fair"}}
		})
		s.holds("b", "1.0.0", "frozen")
		s.policy(func(p *rollout.Policy) {
			p.Freezes = nil
			p.Waves = []rollout.Wave{{Canaries: []string{"canary"}, Soak: time.Hour, MinFinished: 2, Approval: true}, {Share: 1}}
		})
		s.holds("b", "1.0.0", "wave_not_reached")
		s.check("canary", "1.0.0")
		s.check("canary", "2.0.0")
		s.holds("b", "1.0.0", "soaking")
		s.advance(time.Hour)
		s.holds("b", "1.0.0", "waiting_for_approval")
		s.pause("")
		s.holds("b", "1.0.0", "paused")
		_, err = s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel})
		s.ok(err)
		s.holds("b", "1.0.0", "no_package")
	}, safeMode, limit(1, 15*time.Minute))
}
