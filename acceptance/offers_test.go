package acceptance

import (
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

func TestCase01_UnknownMachineIsOffered(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		a := s.check("m", "1.0.0")
		if a.Status != "ok" || a.Check == nil || a.Check.Status != "ok" || a.offered() != "2.0.0" {
			t.Fatalf("answered %+v", a)
		}
		if len(a.Check.URLs) != 1 || a.Check.URLs[0].Codebase != "https://updates.example.org/2.0.0/" {
			t.Errorf("codebases %v", a.Check.URLs)
		}
		m := a.Check.Manifests[0]
		want := packageAnswer{Name: "update.gz", Size: "405006", Required: "true", Hash: sha1Of("2.0.0"), HashSHA256: sha256Of("2.0.0")}
		if len(m.Packages) != 1 || m.Packages[0] != want {
			t.Errorf("packages %+v, want %+v", m.Packages, want)
		}
		if len(m.Actions) != 1 || m.Actions[0] != (actionAnswer{Event: "postinstall", SHA256: base64Of(sha256Of("2.0.0"))}) {
			t.Errorf("actions %+v", m.Actions)
		}
		s.is("m", rollout.StateGranted)
		s.inFlight(1)
	})
}

func TestCase02_MachineOnTargetIsUpToDate(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.holds("m", "2.0.0", "up_to_date")
		s.is("m", rollout.StateNone)
		n := s.numbers()
		if n.Total != 1 || n.OnTarget != 1 || len(n.ByVersion) != 1 || n.ByVersion[0].Machines != 1 || n.ByVersion[0].Standing != view.VersionOnTarget {
			t.Errorf("numbers %+v", n.Numbers)
		}
	})
}

func TestCase03_HigherVersionsAreUpToDate(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.holds("m", "3.0.0", "up_to_date")
		s.holds("n", "2.0.0+build", "up_to_date")
	})
}

func TestCase04_OfferIsRepeatedAndCountedOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		first := s.check("m", "1.0.0")
		s.advance(time.Minute)
		again := s.check("m", "1.0.0")
		if first.offered() != "2.0.0" || again.offered() != "2.0.0" || again.Check.Manifests[0].Packages[0] != first.Check.Manifests[0].Packages[0] {
			t.Errorf("offered %+v, then %+v", first.Check, again.Check)
		}
		if n := s.numbers(); n.InFlight != 1 || n.GrantedInPeriod != 1 || n.Funnel.Granted != 1 {
			t.Errorf("in flight %d, spent %d, granted %d", n.InFlight, n.GrantedInPeriod, n.Funnel.Granted)
		}
	})
}

func TestCase05_GrantedMachineOnTargetIsComplete(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.holds("m", "2.0.0", "up_to_date")
		s.is("m", rollout.StateComplete)
		if m := s.instance("m"); m.Version != "2.0.0" {
			t.Errorf("stored version %s", m.Version)
		}
		s.attemptsEnded("m", rollout.OutcomeSucceeded)
	})
}

func TestCase06_DownloadingMachineIsHeld(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.reports("m", "1.0.0", "13/1")
		s.holds("m", "1.0.0", "update_in_progress")
		s.is("m", rollout.StateDownloading)
	})
}

func TestCase07_MachineIsOfferedAnUpdatePerApplication(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.fill("B", newSetup(nil))
		b.promote("2.1.0")
		got := s.ask(s.checking("m", "1.0.0"), b.checking("m", "1.0.0"))
		if got[0].offered() != "2.0.0" || got[1].offered() != "2.1.0" {
			t.Errorf("answered %+v", got)
		}
		s.is("m", rollout.StateGranted)
		b.is("m", rollout.StateGranted)
	})
}

func TestCase08_SilentMachineBecomesActive(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.holds("m", "2.0.0", "up_to_date")
		s.promote("3.0.0")
		s.advance(25 * time.Hour)
		s.work()
		if n := s.numbers(); n.Active != 0 || n.Silent != 1 {
			t.Errorf("%d active, %d silent after 25 hours", n.Active, n.Silent)
		}
		s.grants("m", "2.0.0", "3.0.0")
		if n := s.numbers(); n.Active != 1 || n.Silent != 0 {
			t.Errorf("%d active, %d silent after a check", n.Active, n.Silent)
		}
	})
}

func TestCase09_EditedPackageIsOffered(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		other := sha256Of("other")
		_, err := s.UpdatePackage(s.ctx, fleet.UpdatePackage{ID: s.pkg("2.0.0"), SHA256: &other})
		s.ok(err)
		for _, machine := range []string{"m", "n"} {
			a := s.check(machine, "1.0.0")
			if a.offered() != "2.0.0" || a.Check.Manifests[0].Packages[0].HashSHA256 != other || a.Check.Manifests[0].Actions[0].SHA256 != base64Of(other) {
				t.Errorf("%s is offered %+v", machine, a)
			}
		}
	})
}

func TestCase10_VersionAboveTheGrantCompletes(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.promote("3.0.0")
		s.holds("m", "3.0.0", "up_to_date")
		s.is("m", rollout.StateComplete)
		if m := s.instance("m"); m.Version != "3.0.0" {
			t.Errorf("stored version %s", m.Version)
		}
	})
}

func TestCase11_LowerTargetWithdrawsTheGrant(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.grants("m", "1.0.0", "2.0.0")
		s.promote("0.9.0")
		s.holds("m", "1.0.0", "up_to_date")
		s.attemptsEnded("m", rollout.OutcomeWithdrawn)
		s.inFlight(0)
	})
}

func TestCase12_MissingPackageIsReportedOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for range 3 {
			for machine := range strings.FieldsSeq("a b c") {
				s.holds(machine, "1.0.0", "no_package")
				s.advance(time.Minute)
			}
		}
		s.activityCount(rollout.ActivityPackageNotFound, 1)
		if a := s.activities(rollout.ActivityPackageNotFound); a[0].Severity != rollout.SeverityWarning {
			t.Errorf("activity %+v", a[0])
		}
		_, err := s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, SetChannel: true})
		s.ok(err)
		s.holds("a", "1.0.0", "no_package")
		s.activityCount(rollout.ActivityPackageNotFound, 1)
		s.promote("2.0.0")
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, SetChannel: true, ChannelID: &s.channel})
		s.ok(err)
		s.grants("a", "1.0.0", "2.0.0")
	}, noPackage)
}
