package acceptance

import (
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
)

func TestCase23_PauseLetsDownloadsFinish(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("granted", "1.0.0", "2.0.0")
		s.grants("downloading", "1.0.0", "2.0.0")
		s.reports("downloading", "1.0.0", "13/1")
		s.pause("the mirror is down")
		s.holds("new", "1.0.0", "paused")
		s.decisionContains("new", operator, "the mirror is down")
		s.holds("granted", "1.0.0", "paused")
		s.is("granted", rollout.StateOnHold)
		s.attemptsEnded("granted", rollout.OutcomeWithdrawn)
		s.holds("downloading", "1.0.0", "update_in_progress")
		s.updates("downloading", "1.0.0", "2.0.0")
		s.is("downloading", rollout.StateComplete)
		s.rolloutIs(rollout.RolloutPaused)
		s.activityCount(rollout.ActivityPaused, 1)
		s.advance(15 * time.Minute)
		s.resume("it is back")
		s.grants("granted", "1.0.0", "2.0.0")
	})
}

func TestCase24_OfficeHoursHoldUntilOpening(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, s *site) {
		local := func(month time.Month, day, hour int) time.Time {
			return time.Date(2026, month, day, hour, 0, 0, 0, berlin)
		}
		for _, test := range []struct {
			name    string
			now     time.Time
			opening time.Time // zero: open
		}{
			{"Friday 20:00", local(3, 6, 20), local(3, 9, 9)},
			{"Saturday", local(3, 7, 12), local(3, 9, 9)},
			{"Monday before nine", local(3, 9, 8), local(3, 9, 9)},
			{"Saturday before the clocks go forward", local(3, 28, 12), local(3, 30, 9)},
			{"Monday at nine", local(3, 30, 9), time.Time{}},
			{"Saturday before the clocks go back", local(10, 24, 12), local(10, 26, 9)},
			{"weekday 10:00", local(10, 27, 10), time.Time{}},
		} {
			s.clock.Set(test.now)
			if test.opening.IsZero() {
				s.grants(test.name, "1.0.0", "2.0.0")
				continue
			}
			s.holds(test.name, "1.0.0", "outside_window")
			if m := s.instance(test.name); m.DecisionUntil == nil || !m.DecisionUntil.Equal(test.opening) {
				t.Errorf("%s: opens at %v, want %v", test.name, m.DecisionUntil, test.opening)
			}
			s.clock.Set(test.opening.Add(-time.Second))
			s.holds(test.name, "1.0.0", "outside_window")
		}
	}, withPolicy(func(p *rollout.Policy) { p.OfficeHours, p.Timezone = true, "Europe/Berlin" }))
}
