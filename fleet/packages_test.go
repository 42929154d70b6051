package fleet_test

import (
	"encoding/base64"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

func TestDigestsAreDerivedFromEachOther(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		zero := base64.StdEncoding.EncodeToString(make([]byte, 32))
		in := samplePackage(s.app.ID, "5.0.0")
		in.SHA256, in.Action = "", &fleet.ActionInput{SHA256: zero}
		p := must(d.CreatePackage(d.ctx, in))(t)
		if p.Sha256 != strings.Repeat("0", 64) || p.Edges.Action.Sha256 != zero || !p.Edges.Action.DisablePayloadBackoff {
			t.Errorf("digest from the action: %+v, %+v", p, p.Edges.Action)
		}
		p = must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p.ID, SHA256: new(strings.Repeat("FF", 32))}))(t)
		if p.Sha256 != strings.Repeat("ff", 32) || p.Edges.Action.Sha256 != "//////////////////////////////////////////8=" {
			t.Errorf("digest from the package: %+v, %+v", p, p.Edges.Action)
		}
		_, err := d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p.ID, SHA256: new(strings.Repeat("00", 32)), Action: &fleet.ActionInput{SHA256: p.Edges.Action.Sha256}})
		refused(t, err, fault.Invalid, "action.sha256")
		_, err = d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p.ID, Type: new(catalog.PackageDocker), Action: &fleet.ActionInput{}})
		refused(t, err, fault.Invalid, "action")
		p = must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p.ID, Type: new(catalog.PackageDocker)}))(t)
		if p.Edges.Action != nil {
			t.Error("the postinstall action remains on a container package")
		}
	})
}

func TestEditedPackageIsOfferedNext(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		p2 := s.packages["2.0.0"]
		if a := d.check(s, "a", "1.0.0").Offers[0].Package; a.File.SHA256Hex != strings.Repeat("ab", 32) || !a.Reboots {
			t.Errorf("first offer: %+v", a)
		}
		first := d.rollout(s.group.ID)
		must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{
			ID: p2, Force: true, SHA256: new(strings.Repeat("cd", 32)), Files: []fleet.FileInput{{Name: "more.gz", Size: 7, SHA256: strings.Repeat("01", 32)}},
		}))(t)
		o := d.check(s, "b", "1.0.0").Offers[0].Package
		if o.File.SHA256Hex != strings.Repeat("cd", 32) || len(o.Extra) != 1 || o.Extra[0].Name != "more.gz" ||
			o.Action.SHA256 != base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xcd", 32))) {
			t.Errorf("offer after the edit: %+v, %+v", o, o.Action)
		}
		if r := d.rollout(s.group.ID); r.ID != first.ID {
			t.Error("an edit that keeps the version started another rollout")
		}
		must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p2, Force: true, Version: new("2.1.0")}))(t)
		if r := d.rollout(s.group.ID); r.ID == first.ID || r.Version != "2.1.0" {
			t.Errorf("rollout after a version change: %+v", r)
		}
		d.reason(s, "c", "2.0.0", rollout.ReasonConcurrencyLimit)

		_, err := d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p2, Force: true, Size: new(int64(0))})
		refused(t, err, fault.Conflict, "")
		bare := must(d.CreatePackage(d.ctx, fleet.CreatePackage{
			ApplicationID: s.app.ID, Type: catalog.PackageFlatcar, Version: "4.0.0", URL: "https://example.com/",
		}))(t)
		_, err = d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID, PackageID: &bare.ID})
		refused(t, err, fault.Invalid, "packageId")
		d.checkCounters()
	})
}

func TestReleasedPackageIsChangedOnlyByForce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		p2 := s.packages["2.0.0"]
		// No machine has it yet.
		must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p2, URL: new("https://example.com/old/")}))(t)
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p2, URL: new("https://example.com/older/")}))(t) // the next check offers it
		d.report(s, "m", "1.0.0", rollout.Event{Type: 13, Result: 1})
		d.check(s, "n", "2.0.0")
		d.check(s, "o", "2.0.0")
		row := must(d.View.Package(d.ctx, p2, nil))(t)
		changes := map[string]fleet.UpdatePackage{
			"url":      {URL: new("https://example.com/new/")},
			"filename": {Filename: new("new.gz")},
			"size":     {Size: new(row.Size + 1)},
			"sha1":     {SHA1: new("9XLTlvrpIGYocU+yzgD3LpTyJY8=")},
			"sha256":   {SHA256: new(strings.Repeat("cd", 32))},
			"version":  {Version: new("2.1.0")},
			"files":    {Files: []fleet.FileInput{{Name: "more.gz", Size: 7, SHA256: strings.Repeat("01", 32)}}},
			"action":   {Action: &fleet.ActionInput{NeedsAdmin: true}},
		}
		for name, in := range changes {
			in.ID = p2
			_, err := d.UpdatePackage(d.ctx, in)
			refused(t, err, fault.Conflict, "force")
			if err == nil || !strings.Contains(err.Error(), "2 machines already on 2.0.0, 1 machine updating to it") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if same := must(d.View.Package(d.ctx, p2, nil))(t); same.URL != row.URL || same.Sha256 != row.Sha256 || same.Version != "2.0.0" {
			t.Errorf("a refused change was stored: %+v", same)
		}
		// What machines do not rely on, and values that do not change, need no force.
		must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{
			ID: p2, Description: new("good"), URL: &row.URL, Size: &row.Size, SHA256: new(strings.ToUpper(row.Sha256)), Files: []fleet.FileInput{}, Action: &fleet.ActionInput{},
			Blacklist: []uuid.UUID{},
		}))(t)
		changed := must(d.UpdatePackage(d.ctx, fleet.UpdatePackage{ID: p2, URL: new("https://example.com/new/"), Force: true}))(t)
		if changed.URL != "https://example.com/new/" || changed.Description != "good" {
			t.Errorf("forced: %+v", changed)
		}
	})
}

func TestPromotionMovesTheChannelOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		d.reason(s, "n", "3.0.0", rollout.ReasonUpToDate)
		p3 := d.addPackage(s, "3.0.0")
		sub := d.store.Bus().Subscribe(func(e event.Event) bool { return e.Kind == event.AppChanged })
		defer sub.Close()
		ch := must(d.PromotePackage(d.ctx, fleet.PromotePackage{
			ChannelID: s.channel.ID, PackageID: &p3, Reason: "tested", ExpectedPackageID: new(s.packages["2.0.0"]),
		}))(t)
		if *ch.PackageID != p3 || ch.PromotedBy != "olga" || !ch.PromotedAt.Equal(d.clock()) {
			t.Errorf("channel: %+v", ch)
		}
		if e := sub.Take(); len(e) != 1 || e[0].App != s.app.ID || e[0].Revision != d.Catalog().App(s.app.ID).Revision {
			t.Errorf("events: %+v", e)
		}
		if moved := d.activities(rollout.ActivityChannelMoved); len(moved) != 2 || moved[1].Version != "3.0.0" || moved[1].ChannelName != "c" {
			t.Errorf("activities: %v", moved)
		}
		if a := d.check(s, "m", "1.0.0"); len(a.Offers) != 1 || a.Offers[0].Package.Version != "3.0.0" || !a.Offers[0].Target {
			t.Errorf("offer after the promotion: %+v", a)
		}
		_, err := d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID, ExpectedPackageID: new(uuid.Nil)})
		refused(t, err, fault.Conflict, "expectedPackageId")
		must(d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID, PackageID: &p3}))(t)
		if n := len(d.audits("promotePackage")); n != 2 {
			t.Errorf("%d audit rows, want 2", n)
		}
		d.checkCounters()
	})
}

func TestPromotionEndsQuarantines(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		d.report(s, "m", "1.0.0", rollout.Event{Type: 3, Result: 0, Code: 44})
		d.reason(s, "m", "1.0.0", rollout.ReasonQuarantined)
		if n := must(d.View.GroupNumbers(d.ctx, s.group.ID))(t); n.Quarantined != 1 || n.Total != 1 {
			t.Errorf("numbers: %+v", n)
		}
		d.addPackage(s, "3.0.0")
		d.promote(s, "3.0.0")
		if n := must(d.View.GroupNumbers(d.ctx, s.group.ID))(t); n.Quarantined != 0 {
			t.Errorf("numbers after the next version: %+v", n)
		}
		d.checkCounters()
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		d.checkCounters()
	})
}

func TestFloorsAreOfferedInOrder(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		floor := d.addPackage(s, "1.5.0")
		above := d.addPackage(s, "3.0.0")
		for _, p := range []uuid.UUID{above, floor} {
			must(d.AddFloor(d.ctx, fleet.AddFloor{ChannelID: s.channel.ID, PackageID: p, Reason: "boot loader"}))(t)
		}
		_, err := d.AddFloor(d.ctx, fleet.AddFloor{ChannelID: s.channel.ID, PackageID: floor})
		refused(t, err, fault.Conflict, "packageId")
		a := d.check(s, "m", "1.0.0")
		if len(a.Offers) != 1 || a.Offers[0].Package.Version != "1.5.0" || !a.Offers[0].Floor || a.Offers[0].FloorReason != "boot loader" || a.Offers[0].Target {
			t.Errorf("first step: %+v", a.Offers)
		}
		must(d.RemoveFloor(d.ctx, fleet.RemoveFloor{ChannelID: s.channel.ID, PackageID: floor}))(t)
		if a := d.check(s, "n", "1.0.0"); len(a.Offers) != 1 || a.Offers[0].Package.Version != "2.0.0" {
			t.Errorf("step without the floor: %+v", a.Offers)
		}
		d.checkCounters()
	})
}

// A check during a promotion uses the configuration before or after it, never a
// mixture, and the counters stay exact.
func TestConcurrentPromotionsGiveConsistentOffers(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.addPackage(s, "3.0.0")
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 10 {
					a, err := d.Machines.CheckIn(d.t.Context(), checkin.CheckIn{
						AppID: s.app.ID.String(), Track: "t", Machine: "m" + string(rune('a'+i)), Version: "1.0.0", UpdateCheck: true,
					})
					if err != nil {
						t.Error(err)
					} else if len(a.Offers) > 0 && a.Offers[0].Package.ID != a.Decision.Offer.ID {
						t.Errorf("offered %+v, but the decision names %+v", a.Offers[0].Package, a.Decision.Offer)
					}
				}
			})
		}
		for i := range 6 {
			d.promote(s, []string{"3.0.0", "2.0.0"}[i%2])
		}
		wg.Wait()
		d.checkCounters()
		n := must(d.View.GroupNumbers(d.ctx, s.group.ID))(t)
		if n.InFlight > 2 || n.Total != 8 || n.GrantedInPeriod > 2 {
			t.Errorf("numbers: %+v", n)
		}
	})
}
