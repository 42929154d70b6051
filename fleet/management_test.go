package fleet_test

import (
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
	"github.com/coreroller/coreroller/rollout/policy"
)

// The case numbers are those of the acceptance tests.

func TestCase40_BlacklistAndTargetExcludeEachOther(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		p3 := d.addPackage(s, "3.0.0")
		at := func(version string) fleet.BlacklistPackage {
			return fleet.BlacklistPackage{ChannelID: s.channel.ID, PackageID: s.packages[version], Reason: "broken"}
		}
		_, err := d.BlacklistPackage(d.ctx, at("2.0.0"))
		refused(t, err, fault.Conflict, "packageId")

		must(d.BlacklistPackage(d.ctx, at("3.0.0")))(t)
		_, err = d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID, PackageID: &p3})
		refused(t, err, fault.Conflict, "packageId")
		_, err = d.AddFloor(d.ctx, fleet.AddFloor{ChannelID: s.channel.ID, PackageID: p3})
		refused(t, err, fault.Conflict, "packageId")
		_, err = d.BlacklistPackage(d.ctx, at("3.0.0"))
		refused(t, err, fault.Conflict, "packageId")

		must(d.UnblacklistPackage(d.ctx, fleet.UnblacklistPackage{ChannelID: s.channel.ID, PackageID: p3}))(t)
		must(d.AddFloor(d.ctx, fleet.AddFloor{ChannelID: s.channel.ID, PackageID: p3, Reason: "new boot loader"}))(t)
		_, err = d.BlacklistPackage(d.ctx, at("3.0.0"))
		refused(t, err, fault.Conflict, "packageId")
		_, err = d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p3, Blacklist: []uuid.UUID{s.channel.ID}})
		refused(t, err, fault.Conflict, "blacklistedChannelIds[0]")

		if n := len(d.activities(rollout.ActivityPackageBlacklisted)); n != 1 {
			t.Errorf("%d activities for the blacklisting, want 1", n)
		}
		// Refused changes are not in the audit.
		if n := len(d.audits("blacklistPackage")); n != 1 {
			t.Errorf("%d audit rows, want 1", n)
		}
	})
}

func TestCase41_PackageAndChannelMustFit(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		other := d.setupNamed("Other")
		arm := must(d.CreateChannel(d.ctx, fleet.CreateChannel{ApplicationID: s.app.ID, Name: "c", Arch: "aarch64"}))(t)

		foreign := other.packages["2.0.0"]
		_, err := d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID, PackageID: &foreign})
		refused(t, err, fault.Invalid, "packageId")
		own := s.packages["2.0.0"]
		_, err = d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: arm.ID, PackageID: &own})
		refused(t, err, fault.Invalid, "packageId")

		_, err = d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, SetChannel: true, ChannelID: &other.channel.ID})
		refused(t, err, fault.NotFound, "channelId")
		_, err = d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "x", ChannelID: &other.channel.ID})
		refused(t, err, fault.NotFound, "channelId")
		_, err = d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, SetChannel: true, ChannelID: &arm.ID})
		refused(t, err, fault.Invalid, "channelId")
		g := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "x", ChannelID: &arm.ID}))(t)
		if g.Arch != "arm64" {
			t.Errorf("group on an arm64 channel has architecture %s", g.Arch)
		}
	})
}

func TestCase51_InputIsRefusedWithCodeFieldAndMessage(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.check(s, "m", "1.0.0")
		nowhere := uuid.New()
		policy := func(change func(*rollout.Policy)) fleet.UpdatePolicy {
			p := policy.Default()
			change(&p)
			return fleet.UpdatePolicy{GroupID: s.group.ID, Policy: p}
		}
		updatePolicy := func(change func(*rollout.Policy)) error {
			_, err := d.UpdatePolicy(d.ctx, policy(change))
			return err
		}
		createPackage := func(change func(*fleet.CreatePackage)) error {
			in := samplePackage(s.app.ID, "9.0.0")
			change(&in)
			_, err := d.CreatePackage(d.ctx, in)
			return err
		}
		second := func(_ any, err error) error { return err }
		for _, c := range []struct {
			err   error
			code  fault.Code
			field string
		}{
			{updatePolicy(func(p *rollout.Policy) { p.PeriodInterval = 0 }), fault.Invalid, "policy.periodInterval"},
			{updatePolicy(func(p *rollout.Policy) { p.MaxUpdatesPerPeriod = 0 }), fault.Invalid, "policy.maxUpdatesPerPeriod"},
			{updatePolicy(func(p *rollout.Policy) { p.Timezone = "Middle/Earth" }), fault.Invalid, "policy.timezone"},
			{updatePolicy(func(p *rollout.Policy) { p.Waves = []rollout.Wave{{Share: .5}, {Share: .1}} }), fault.Invalid, "policy.waves[1].share"},

			{createPackage(func(in *fleet.CreatePackage) { in.Version = "1.2" }), fault.Invalid, "version"},
			{createPackage(func(in *fleet.CreatePackage) { in.Version = "2.0.0" }), fault.Conflict, "version"},
			{createPackage(func(in *fleet.CreatePackage) { in.URL = "nowhere" }), fault.Invalid, "url"},
			{createPackage(func(in *fleet.CreatePackage) { in.URL = "https://example.com/?token=1" }), fault.Invalid, "url"},
			{createPackage(func(in *fleet.CreatePackage) { in.Type = 7 }), fault.Invalid, "type"},
			{createPackage(func(in *fleet.CreatePackage) { in.Size = -1 }), fault.Invalid, "size"},
			{createPackage(func(in *fleet.CreatePackage) { in.SHA1 = "abc" }), fault.Invalid, "sha1"},
			{createPackage(func(in *fleet.CreatePackage) { in.SHA256 = "abc" }), fault.Invalid, "sha256"},
			{createPackage(func(in *fleet.CreatePackage) { in.Action = &fleet.ActionInput{SHA256: "YWJj"} }), fault.Invalid, "action.sha256"},
			{createPackage(func(in *fleet.CreatePackage) {
				in.Files = []fleet.FileInput{{Name: "a"}, {Name: "a"}}
			}), fault.Invalid, "files[1].name"},
			{createPackage(func(in *fleet.CreatePackage) { in.ApplicationID = nowhere }), fault.NotFound, "applicationId"},
			{createPackage(func(in *fleet.CreatePackage) { in.Blacklist = []uuid.UUID{nowhere} }), fault.NotFound, "blacklistedChannelIds[0]"},

			{second(d.CreateApplication(d.ctx, fleet.CreateApplication{})), fault.Invalid, "name"},
			{second(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "Sample"})), fault.Conflict, "name"},
			{second(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "P", ProductID: new("no dots")})), fault.Invalid, "productId"},
			{second(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "P", CloneFrom: &nowhere})), fault.NotFound, "cloneFrom"},
			{second(d.UpdateApplication(d.ctx, fleet.UpdateApplication{ID: nowhere})), fault.NotFound, "id"},
			{second(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "g", Track: "u"})), fault.Conflict, "name"},
			{second(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "h", Track: "t"})), fault.Conflict, "track"},
			{second(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "h\x01i"})), fault.Invalid, "name"},
			{second(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: nowhere})), fault.NotFound, "id"},
			{second(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: nowhere})), fault.NotFound, "groupId"},
			{second(d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: nowhere})), fault.NotFound, "groupId"},
			{d.DeleteGroup(d.ctx, fleet.DeleteGroup{ID: nowhere, Force: true}), fault.NotFound, "id"},
			{second(d.CreateChannel(d.ctx, fleet.CreateChannel{ApplicationID: s.app.ID, Name: "c"})), fault.Conflict, "name"},
			{second(d.CreateChannel(d.ctx, fleet.CreateChannel{ApplicationID: s.app.ID, Name: "d", Color: "red"})), fault.Invalid, "color"},
			{second(d.CreateChannel(d.ctx, fleet.CreateChannel{ApplicationID: s.app.ID, Name: "d", Arch: "x/y"})), fault.Invalid, "arch"},
			{second(d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: nowhere})), fault.NotFound, "channelId"},
			{second(d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID, PackageID: &nowhere})), fault.NotFound, "packageId"},
			{second(d.RemoveFloor(d.ctx, fleet.RemoveFloor{ChannelID: s.channel.ID, PackageID: nowhere})), fault.NotFound, "packageId"},
			{second(d.HoldInstance(d.ctx, fleet.HoldInstance{ID: nowhere})), fault.NotFound, "id"},
			{second(d.HoldInstance(d.ctx, fleet.HoldInstance{ID: nowhere, Until: new(d.clock().Add(-time.Hour))})), fault.Invalid, "until"},
			{second(d.PinInstance(d.ctx, fleet.PinInstance{ID: nowhere, Version: "1.0.0"})), fault.NotFound, "id"},
			{second(d.PinInstance(d.ctx, fleet.PinInstance{ID: s.instance("m"), Version: "latest"})), fault.Invalid, "version"},
			{second(d.View.GroupNumbers(d.ctx, nowhere)), fault.NotFound, "groupId"},
			{second(d.View.ExplainUpdate(d.ctx, nowhere)), fault.NotFound, "instanceId"},
		} {
			refused(t, c.err, c.code, c.field)
		}
		if all := fault.All(createPackage(func(in *fleet.CreatePackage) { in.Version, in.URL = "", "" })); len(all) != 2 {
			t.Errorf("%d errors for an input with two: %v", len(all), all)
		}
	})
}

func TestCase53_DeletingCascades(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		p2 := s.packages["2.0.0"]
		reach := must(d.View.DeletionImpact(d.ctx, view.Deletion{PackageID: &p2}))(t)
		if reach.Machines != 1 || reach.Groups != 1 || reach.Eligible != 1 {
			t.Errorf("reach of deleting the package: %+v", reach)
		}
		d.must(d.DeletePackage(d.ctx, fleet.DeletePackage{ID: p2, Reason: "withdrawn by the vendor", Force: true}))
		if ch := must(d.store.Reader().Channel.Get(d.ctx, s.channel.ID))(t); ch.PackageID != nil {
			t.Error("the channel still points to the deleted package")
		}
		if r := d.rollout(s.group.ID); r != nil {
			t.Errorf("the rollout of a deleted package is still current: %+v", r)
		}
		d.reason(s, "m", "1.0.0", rollout.ReasonNoPackage)
		d.checkCounters()

		d.addPackage(s, "3.0.0")
		d.promote(s, "3.0.0")
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		d.must(d.DeleteChannel(d.ctx, fleet.DeleteChannel{ID: s.channel.ID, Force: true}))
		if g := must(d.store.Reader().Group.Get(d.ctx, s.group.ID))(t); g.ChannelID != nil {
			t.Error("the group still has the deleted channel")
		}
		d.reason(s, "m", "1.0.0", rollout.ReasonNoPackage)
		d.checkCounters()

		reach = must(d.View.DeletionImpact(d.ctx, view.Deletion{ApplicationID: &s.app.ID}))(t)
		if reach.Machines != 1 {
			t.Errorf("reach of deleting the application: %+v", reach)
		}
		records := func() [2]int {
			read := d.store.Reader()
			return [2]int{must(read.HistoryEntry.Query().Count(d.ctx))(t), must(read.Attempt.Query().Count(d.ctx))(t)}
		}
		if n := records(); n[0] == 0 || n[1] == 0 {
			t.Errorf("%d history entries and %d attempts before the deletion, want some", n[0], n[1])
		}
		d.must(d.DeleteApplication(d.ctx, fleet.DeleteApplication{ID: s.app.ID, Force: true}))
		if n := records(); n != [2]int{} {
			t.Errorf("%d history entries and %d attempts remain", n[0], n[1])
		}
		if a := d.check(s, "m", "1.0.0"); a.Verdict != catalog.VerdictUnknownApplication {
			t.Errorf("check of a deleted application: %+v", a)
		}
		if n := must(d.store.Reader().Instance.Query().Count(d.ctx))(t); n != 0 {
			t.Errorf("%d machines remain", n)
		}
		d.checkCounters()
	})
}

func TestCase54_CloneCopiesGroupsAndChannelsButNoPackages(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID}))(t)
		clone := must(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: "Copy", CloneFrom: &s.app.ID}))(t)
		r := d.store.Reader()
		ch := must(r.Channel.Query().Where(channel.ApplicationID(clone.ID)).Only(d.ctx))(t)
		g := must(r.Group.Query().Where(group.ApplicationID(clone.ID)).Only(d.ctx))(t)
		if ch.Name != "c" || ch.PackageID != nil || g.Name != "g" || g.Track != "t" || *g.ChannelID != ch.ID {
			t.Errorf("copies: %+v, %+v", ch, g)
		}
		if g.Policy.MaxUpdatesPerPeriod != 2 || g.Policy.UpdatesEnabled || g.PausedBy != operator.Name {
			t.Errorf("policy of the copy: %+v, paused by %q", g.Policy, g.PausedBy)
		}
		if n := must(clone.QueryPackages().Count(d.ctx))(t); n != 0 {
			t.Errorf("%d packages were copied", n)
		}
		if found, verdict := d.Catalog().Find(clone.ID.String(), "t", "amd64"); verdict != catalog.VerdictOK || found.ID != g.ID {
			t.Errorf("the catalog does not find the copy: %v", verdict)
		}
	})
}

// setupNamed creates another application with a channel and a package.
func (d *harness) setupNamed(name string) *setup {
	d.t.Helper()
	s := &setup{packages: map[string]uuid.UUID{}}
	s.app = must(d.CreateApplication(d.ctx, fleet.CreateApplication{Name: name}))(d.t)
	s.channel = must(d.CreateChannel(d.ctx, fleet.CreateChannel{ApplicationID: s.app.ID, Name: "c"}))(d.t)
	d.addPackage(s, "2.0.0")
	return s
}
