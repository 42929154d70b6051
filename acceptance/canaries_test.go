package acceptance

import (
	"slices"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/rollout"
)

// Canaries that will not update are named when the policy is saved, when a package is
// promoted, and on the wave.
func TestCanariesThatWillNotUpdateAreNamed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.newGroup("other", "other", casePolicy())
		s.holds("silent", "2.0.0", "up_to_date")
		s.onTrack("other", "elsewhere", "2.0.0")
		s.advance(25 * time.Hour)
		s.work()
		for _, m := range []string{"ready", "held", "new"} {
			s.holds(m, "2.0.0", "up_to_date")
		}
		s.holds("new", "3.0.0", "up_to_date")
		_, err := s.HoldInstance(s.ctx, fleet.HoldInstance{ID: s.instanceID("held"), Reason: "disk"})
		s.ok(err)
		waves := []rollout.Wave{{Canaries: []string{"ready", "held", "new", "silent", "elsewhere", "typo", "typo2"}}, {Share: 1}}
		unable := []string{
			"2 canaries are unknown: no machines with these ids checked in: typo, typo2",
			"1 canary is in another group: elsewhere",
			"1 canary is held or pinned by a person: held",
			"1 canary was not seen for a day: silent",
		}
		p := s.policyOf()
		p.Waves = waves
		impact, err := s.View.PolicyImpact(s.ctx, s.group, p)
		s.ok(err)
		if !slices.Equal(impact.Warnings, unable) {
			t.Errorf("the policy warns %q, want %q", impact.Warnings, unable)
		}
		s.policy(func(p *rollout.Policy) { p.Waves = waves })
		promotion, err := s.View.PromotionImpact(s.ctx, s.channel, s.pkg("3.0.0"))
		s.ok(err)
		var want []string
		for _, text := range append(unable, "1 canary runs this version or a higher one already: new") {
			want = append(want, "G: "+text)
		}
		for _, text := range promotion.Warnings {
			if i := slices.Index(want, text); i >= 0 {
				want = slices.Delete(want, i, i+1)
			}
		}
		if len(want) > 0 {
			t.Errorf("the promotion warns %q, and not %q", promotion.Warnings, want)
		}
	})
}
