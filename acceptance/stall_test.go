package acceptance

import (
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

func TestStalledRolloutSaysSo(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.holds("m", "1.0.0", "wave_not_reached")
		s.advance(99 * time.Minute)
		s.work()
		s.activityCount(rollout.ActivityRolloutStalled, 0)
		s.advance(time.Minute)
		s.work()
		s.work()
		a := s.activities(rollout.ActivityRolloutStalled)
		if len(a) != 1 || !strings.Contains(a[0].Detail, "its gate waits: 0 of 1 update finished") {
			t.Errorf("activities %v", a)
		}
		if stall := s.rolloutOf(s.group).Stall; !stall.Since.Equal(begin) || !strings.HasPrefix(stall.Action, "open the next wave") {
			t.Errorf("stall %+v", stall)
		}
		all, err := s.View.Attention(s.ctx)
		s.ok(err)
		found := 0
		for _, one := range all {
			if one.Kind == view.AttentionStalled && one.Group.ID == s.group {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%d attention items, want 1", found)
		}
		// The canary arrives: progress ends it.
		s.grants("canary", "1.0.0", "2.0.0")
		if stall := s.rolloutOf(s.group).Stall; !stall.Since.IsZero() {
			t.Errorf("still stalled: %+v", stall)
		}
		s.updates("canary", "1.0.0", "2.0.0")
		s.work()
		s.grants("m", "1.0.0", "2.0.0")
	}, withPolicy(func(p *rollout.Policy) { p.Waves = []rollout.Wave{{Canaries: []string{"canary"}}, {Share: 1}} }))
}
