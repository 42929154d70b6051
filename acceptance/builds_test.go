package acceptance

import (
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
)

func TestMachinesWithAnotherBuildAreNotOnTarget(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.promote("2.0.0+a")
		s.holds("m", "2.0.0+a", "up_to_date")
		s.finished()
		s.holds("n", "2.0.0+a", "up_to_date")
		s.promote("2.0.0+b")
		s.rolloutIs(rollout.RolloutActive)
		s.holds("m", "2.0.0+a", "up_to_date")
		s.decisionContains("m", "another build of 2.0.0+b", "never offered")
		s.holds("o", "2.0.0+b", "up_to_date")
		s.rolloutIs(rollout.RolloutActive)
		if n := s.numbers(); n.Total != 3 || n.OnTarget != 1 || n.OtherBuild != 2 || n.Waiting != 0 || n.ByVersion[0].OnTarget() == n.ByVersion[1].OnTarget() {
			t.Errorf("numbers %+v", n.Numbers)
		}
		e, err := s.View.ExplainUpdate(s.ctx, s.instanceID("m"))
		s.ok(err)
		if e.Decision.Reason != rollout.ReasonUpToDate || !strings.Contains(e.Steps[0].Text, "build metadata does not order versions") {
			t.Errorf("explained as %+v", e)
		}
		s.work()
		stall := s.rolloutOf(s.group).Stall
		if !strings.HasPrefix(stall.Cause, "2 machines run another build of 2.0.0+b") || stall.Action != "promote a package with a higher version" {
			t.Errorf("stall %+v", stall)
		}
		s.activityCount(rollout.ActivityRolloutStalled, 1)
		// The rollout completes once no machine runs another build.
		s.advance(25 * time.Hour)
		s.holds("o", "2.0.0+b", "up_to_date")
		s.work()
		s.rolloutIs(rollout.RolloutCompleted)
		s.promote("2.0.1")
		s.grants("m", "2.0.0+a", "2.0.1")
	}, noPackage)
}

func TestAttemptEndsOnAnotherBuild(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.promote("2.0.0+b")
		s.grants("m", "1.0.0", "2.0.0+b")
		s.updates("m", "1.0.0", "2.0.0")
		s.attemptsEnded("m", rollout.OutcomeSucceeded) // by precedence
		s.rolloutIs(rollout.RolloutActive)
		if n := s.numbers(); n.OnTarget != 0 || n.OtherBuild != 1 {
			t.Errorf("numbers %+v", n.Numbers)
		}
	})
}

// sameVersions returns the activities about packages of the same version, oldest first.
func (s *site) sameVersions() []*db.Activity {
	s.t.Helper()
	rows, err := s.store.Reader().Activity.Query().
		Where(activity.ApplicationID(s.app), activity.Kind(rollout.ActivitySameVersion)).Order(activity.ByID()).All(s.ctx)
	s.ok(err)
	return rows
}

func TestPackagesOfTheSameVersionAreReported(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		warnings := func(version string) []string {
			t.Helper()
			row, err := s.View.Package(s.ctx, s.packages[version], nil)
			s.ok(err)
			all, err := s.View.PackageWarnings(s.ctx, row)
			s.ok(err)
			return all
		}
		reported := s.sameVersions
		s.pkg("2.0.1+a")
		other := s.description(catalog.PackageFlatcar, "2.0.0+arm")
		other.Arch = "arm64"
		_, err := s.CreatePackage(s.ctx, other)
		s.ok(err)
		if n := len(reported()); n != 0 || len(warnings("2.0.0")) != 0 {
			t.Fatalf("%d activities, warnings %v", n, warnings("2.0.0"))
		}
		s.pkg("2.0.0+b")
		all := reported()
		if len(all) != 1 || all[0].Version != "2.0.0+b" || !strings.HasPrefix(all[0].Detail, "2.0.0+b differs from 2.0.0 only in build metadata") {
			t.Errorf("activities %v", all)
		}
		for _, version := range []string{"2.0.0", "2.0.0+b"} {
			if w := warnings(version); len(w) != 1 || !strings.HasPrefix(w[0], version+" differs") {
				t.Errorf("warnings of %s: %v", version, w)
			}
		}
		s.holds("m", "2.0.0", "up_to_date")
		impact, err := s.View.PromotionImpact(s.ctx, s.channel, s.packages["2.0.0+b"])
		s.ok(err)
		if impact.OtherBuild != 1 || impact.Eligible != 0 || !strings.Contains(impact.Sentence, "1 runs another build and is never offered it") {
			t.Errorf("impact %+v", impact)
		}
		s.promote("2.0.0+b")
		if all := reported(); len(all) != 2 || all[1].ChannelName != "C" {
			t.Errorf("activities %v", all)
		}
	})
}

func TestDifferentlyWrittenNumbersAreTheTarget(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.promote("2026.01.05")
		s.holds("m", "2026.1.5.0", "up_to_date")
		s.finished()
		s.pkg("2026.1.5")
		if all := s.sameVersions(); len(all) != 1 || !strings.HasPrefix(all[0].Detail, "2026.1.5 is the same version as 2026.01.05") {
			t.Errorf("activities %v", all)
		}
	}, numeric)
}
