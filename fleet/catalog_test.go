package fleet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

const flatcar = "e96281a6-d1af-4bde-9a0a-97b76e56dc57"

func TestPreinstallCreatesFlatcarOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		r := d.store.Reader()
		if n := must(r.Channel.Query().Count(d.ctx))(t); n != 8 {
			t.Errorf("%d channels, want 8", n)
		}
		groups := must(r.Group.Query().Where(group.Track("stable")).Order(group.ByArch()).All(d.ctx))(t)
		if len(groups) != 2 || groups[0].Name != "Stable" || groups[1].Name != "Stable (ARM64)" ||
			groups[0].ID.String() != "9a2deb70-37be-4026-853f-bfdd6b347bbe" {
			t.Errorf("stable groups: %v", groups)
		}
		if p := groups[0].Policy; p.MaxUpdatesPerPeriod != 2 || p.PeriodInterval != 15*time.Minute || p.UpdateTimeout != time.Hour || !p.SafeMode {
			t.Errorf("policy of stable: %+v", p)
		}
		alpha := must(r.Channel.Query().Where(channel.Name("alpha"), channel.Arch("amd64")).Only(d.ctx))(t)
		if alpha.Color != "#1fbb86" {
			t.Errorf("alpha is %s", alpha.Color)
		}
		d.must(d.DeleteApplication(d.ctx, fleet.DeleteApplication{ID: catalog.FlatcarID(), Force: true}))
		d.must(d.Preinstall(d.ctx))
		if n := must(r.Application.Query().Count(d.ctx))(t); n != 0 {
			t.Error("Preinstall restored a deleted application")
		}
	})
}

func TestFindMatchesApplicationTrackAndArchitecture(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		own := must(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "Own", ProductID: new("com.Example.app")}))(t)
		g := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: own.ID, Name: "Canary"}))(t)
		for _, c := range []struct{ app, track, board, arch, want string }{
			{flatcar, "stable", "amd64-usr", "", "9a2deb70-37be-4026-853f-bfdd6b347bbe"},
			{"{" + strings.ToUpper(flatcar) + "}", "stable", "", "", "9a2deb70-37be-4026-853f-bfdd6b347bbe"},
			{flatcar, "stable", "arm64-usr", "x64", "11a585f6-9418-4df0-8863-78b2fd3240f8"},
			{flatcar, "stable", "", "aarch64", "11a585f6-9418-4df0-8863-78b2fd3240f8"},
			{flatcar, "9A2DEB70-37be-4026-853f-bfdd6b347bbe", "", "x86_64", "9a2deb70-37be-4026-853f-bfdd6b347bbe"},
			{flatcar, "9a2deb70-37be-4026-853f-bfdd6b347bbe", "arm64-usr", "", "11a585f6-9418-4df0-8863-78b2fd3240f8"},
			{flatcar, "Stable", "", "", "9a2deb70-37be-4026-853f-bfdd6b347bbe"},
			{flatcar, "STABLE", "arm64-usr", "", "11a585f6-9418-4df0-8863-78b2fd3240f8"},
			{flatcar, "stable", "riscv64", "", "unknown group"},
			{flatcar, "", "", "", "unknown group"},
			{flatcar, g.ID.String(), "", "", "unknown group"},
			{"COM.example.APP", "Canary", "", "", g.ID.String()},
			{"com.example.other", "Canary", "", "", "unknown application"},
			{"", "stable", "", "", "unknown application"},
		} {
			found, verdict := d.Catalog().Find(c.app, c.track, catalog.Arch(c.board, c.arch))
			got := map[catalog.Verdict]string{catalog.VerdictUnknownApplication: "unknown application", catalog.VerdictUnknownGroup: "unknown group"}[verdict]
			if found != nil {
				got = found.ID.String()
			}
			if got != c.want {
				t.Errorf("%+v: got %s", c, got)
			}
		}

		must(d.UpdateApplication(d.ctx, fleet.UpdateApplication{ID: own.ID, ProductID: new("com.example.new")}))(t)
		if _, v := d.Catalog().Find("com.example.app", "Canary", "amd64"); v != catalog.VerdictUnknownApplication {
			t.Error("the old product id is still served")
		}
		_, err := d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "Third", ProductID: new("com.example.NEW")})
		refused(t, err, fault.Conflict, "productId")

		// Machines may still send the id of a deleted group that was replaced.
		stable := must(d.store.Reader().Group.Query().Where(group.Track("stable"), group.Arch("amd64")).Only(d.ctx))(t)
		d.must(d.DeleteGroup(d.ctx, fleet.DeleteGroup{ID: stable.ID, Force: true}))
		replaced := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: catalog.FlatcarID(), Name: "New stable", Track: "stable"}))(t)
		if found, _ := d.Catalog().Find(flatcar, stable.ID.String(), "amd64"); found == nil || found.ID != replaced.ID {
			t.Errorf("found %+v, want the replacement", found)
		}
	})
}

// A change reaches the catalog of another process on the same database.
func TestCatalogFollowsOtherProcesses(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		other := d.secondServer()
		s := d.setup()
		other.awaitCatalog(func(c *catalog.Catalog) bool {
			g, _ := c.Find(s.app.ID.String(), "t", "amd64")
			return g != nil && g.Target != nil
		})
		must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID}))(t)
		other.awaitCatalog(func(c *catalog.Catalog) bool {
			return !c.Group(s.group.ID).Schedule.Policy().UpdatesEnabled
		})
		d.must(d.DeleteApplication(d.ctx, fleet.DeleteApplication{ID: s.app.ID, Force: true}))
		other.awaitCatalog(func(c *catalog.Catalog) bool { return c.App(s.app.ID) == nil })
	})
}

func TestGroupNumbersAddUp(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.check(s, "a", "1.0.0") // granted
		d.check(s, "b", "1.0.0")
		d.report(s, "b", "1.0.0", rollout.Event{Type: 13, Result: 1})
		d.report(s, "b", "1.0.0", rollout.Event{Type: 3, Result: 0, Code: 9}) // failed
		d.check(s, "c", "1.0.0")                                              // held: two grants in the period
		d.check(s, "d", "2.0.0")
		d.check(s, "e", "10.0.0")
		d.check(s, "f", "2.0.0")
		must(d.HoldInstance(d.ctx, fleet.HoldInstance{ID: s.instance("f")}))(t)

		n := must(d.View.GroupNumbers(d.ctx, s.group.ID))(t)
		if n.Total != 6 || n.Active != 6 || n.OnTarget != 1 || n.AboveTarget != 1 || n.InFlight != 1 || n.Failed != 1 || n.Waiting != 1 || n.Overridden != 1 {
			t.Errorf("numbers: %+v", n.Numbers)
		}
		if n.Total != n.OnTarget+n.AboveTarget+n.InFlight+n.Failed+n.Quarantined+n.Overridden+n.Silent+n.Waiting {
			t.Errorf("the parts do not add up: %+v", n.Numbers)
		}
		if len(n.ByVersion) != 3 || n.ByVersion[0].Version != "10.0.0" || n.ByVersion[2].Machines != 3 || !n.ByVersion[1].OnTarget() || n.ByVersion[2].OnTarget() {
			t.Errorf("by version: %+v", n.ByVersion)
		}
		if n.ConcurrencyLimit != 2 || n.PeriodLimit != 2 || n.GrantedInPeriod != 2 || len(n.Grants) == 0 {
			t.Errorf("caps: %+v", n)
		}
		if len(n.HeldByReason) != 1 || n.HeldByReason[0] != (view.HeldCount{Reason: rollout.ReasonPeriodLimit, Machines: 1}) {
			t.Errorf("held because: %+v", n.HeldByReason)
		}
		id := []uuid.UUID{n.RolloutID}
		if funnel := view.SumWaves(must(d.View.Waves(d.ctx, id))(t)[id[0]]); funnel.Granted != 2 || funnel.Downloading != 1 || funnel.Failed != 1 {
			t.Errorf("funnel: %+v", funnel)
		}
		failures := view.FailureCounts(must(d.View.Failures(d.ctx, id))(t)[id[0]])
		if len(failures) != 1 || failures[0].Outcome != rollout.OutcomeFailed || failures[0].Code != 9 || failures[0].Attempts != 1 {
			t.Errorf("failures: %+v", failures)
		}
		if f := must(d.View.FleetNumbers(d.ctx))(t); f.Total != 6 || f.OnTarget != 1 || f.AboveTarget != 1 {
			t.Errorf("fleet: %+v", f)
		}
		apps := must(d.View.ApplicationNumbers(d.ctx, []uuid.UUID{s.app.ID, catalog.FlatcarID()}))(t)
		if apps[s.app.ID].Total != 6 || apps[catalog.FlatcarID()].Total != 0 {
			t.Errorf("applications: %+v", apps)
		}
	})
}

func TestTimelineResolutionFollowsTheRange(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.check(s, "a", "1.0.0")
		must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID}))(t)
		for _, c := range []struct{ back, want time.Duration }{
			{time.Hour, 30 * time.Second}, {3 * time.Hour, 5 * time.Minute}, {48 * time.Hour, 5 * time.Minute}, {7 * 24 * time.Hour, time.Hour}, {100 * 24 * time.Hour, 24 * time.Hour},
		} {
			line := must(d.View.Timeline(d.ctx, s.group.ID, d.clock().Add(-c.back), d.clock()))(t)
			if line.Resolution != c.want {
				t.Errorf("%v back: points every %v", c.back, line.Resolution)
			}
			if len(line.Marks) != 3 { // promotion, start, pause
				t.Errorf("marks: %v", line.Marks)
			}
		}
		_, err := d.View.Timeline(d.ctx, s.group.ID, d.clock(), d.clock())
		refused(t, err, fault.Invalid, "until")
	})
}
