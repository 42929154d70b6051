package acceptance

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

func floors(s *site) {
	s.promote("3000.0.0")
	s.floor("2000.0.0", "new boot loader")
	s.floor("2500.0.0", "")
}

func TestCase38_FloorsAreNotSkipped(t *testing.T) {
	variants(t, map[string]func(s *site){
		"one offer per floor": func(s *site) {
			s.grants("m", "1000.0.0", "2000.0.0")
			s.grants("m", "2000.0.0", "2500.0.0")
			s.grants("m", "2500.0.0", "3000.0.0")
			s.holds("m", "3000.0.0", "up_to_date")
			s.grants("n", "2700.0.0", "3000.0.0")
			s.holds("n", "3000.0.0", "up_to_date")
			s.finished()
		},
		"safe mode": func(s *site) {
			s.policy(func(p *rollout.Policy) { p.SafeMode = true })
			s.grants("first", "1000.0.0", "2000.0.0")
			s.holds("second", "1000.0.0", "safe_mode_first")
			s.grants("first", "2000.0.0", "2500.0.0")
			for i := range 4 {
				s.grants(fmt.Sprint("m", i), "1000.0.0", "2000.0.0")
			}
		},
	}, func(_ *testing.T, s *site, scenario func(s *site)) {
		floors(s)
		scenario(s)
	}, limit(10, 15*time.Minute))
}

func TestCase39_MirrorsGetAllSteps(t *testing.T) {
	const mirror = "{3e2f7c52-0ad5-4a0b-8a5e-6d3f9e6a1b7c}"
	each(t, func(t *testing.T, s *site) {
		floors(s)
		r := s.checking(mirror, "1000.0.0")
		r.syncer = true
		if a := s.ask(r)[0]; a.Status != "ok" || a.Check.Status != "noupdate" || a.offered() != "" {
			t.Errorf("without multi_manifest_ok: %+v", a)
		}
		r.attrs = map[string]string{"multi_manifest_ok": "true"}
		for range 3 { // the group's caps do not apply to mirrors
			a := s.ask(r)[0]
			if a.Check.Status != "ok" || a.offered() != "2000.0.0 2500.0.0 3000.0.0" {
				t.Fatalf("answered %+v", a)
			}
			m := a.Check.Manifests
			if m[0].IsFloor != "true" || m[0].FloorReason != "new boot loader" || m[1].IsFloor != "true" || m[1].FloorReason != "" || m[2].IsFloor != "" {
				t.Errorf("wrong floor attributes: %+v", m)
			}
			if m[0].IsTarget != "" || m[1].IsTarget != "" || m[2].IsTarget != "true" {
				t.Errorf("wrong target attributes: %+v", m)
			}
		}
		r.version = "2700.0.0"
		if a := s.ask(r)[0]; a.offered() != "3000.0.0" {
			t.Errorf("above the floors: %+v", a)
		}
		r.attrs = nil
		if a := s.ask(r)[0]; a.offered() != "3000.0.0" {
			t.Errorf("above the floors without multi_manifest_ok: %+v", a)
		}
		r.check, r.events = false, []event{"3/1"}
		s.ask(r)
		if s.instance(mirror) != nil || s.numbers().Total != 0 || s.numbers().GrantedInPeriod != 0 {
			t.Errorf("a mirror counts as a machine: %+v", s.numbers())
		}
	})
}

func TestCase40_BlacklistedPackageCannotBeTarget(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		black := s.pkg("3.0.0")
		_, err := s.BlacklistPackage(s.ctx, fleet.BlacklistPackage{ChannelID: s.channel, PackageID: black, Reason: "eats disks"})
		s.ok(err)
		_, err = s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel, PackageID: &black})
		s.refused(err, fault.Conflict)
		_, err = s.UpdateChannel(s.ctx, fleet.UpdateChannel{ID: s.channel, SetPackage: true, PackageID: &black})
		s.refused(err, fault.Conflict)
		_, err = s.AddFloor(s.ctx, fleet.AddFloor{ChannelID: s.channel, PackageID: black})
		s.refused(err, fault.Conflict)
		_, err = s.BlacklistPackage(s.ctx, fleet.BlacklistPackage{ChannelID: s.channel, PackageID: s.pkg("2.0.0")})
		s.refused(err, fault.Conflict)
		s.floor("1.5.0", "")
		_, err = s.BlacklistPackage(s.ctx, fleet.BlacklistPackage{ChannelID: s.channel, PackageID: s.pkg("1.5.0")})
		s.refused(err, fault.Conflict)
		blacklist := []uuid.UUID{s.channel}
		_, err = s.UpdatePackage(s.ctx, fleet.UpdatePackage{ID: s.pkg("2.0.0"), Blacklist: blacklist})
		s.refused(err, fault.Conflict)
		// The refused changes had no effect.
		s.grants("m", "1.0.0", "1.5.0")
		s.grants("n", "1.5.0", "2.0.0")
		_, err = s.UnblacklistPackage(s.ctx, fleet.UnblacklistPackage{ChannelID: s.channel, PackageID: black})
		s.ok(err)
		s.promote("3.0.0")
	})
}

func TestCase41_WrongApplicationOrArchitectureIsRefused(t *testing.T) {
	each(t, func(_ *testing.T, s *site) {
		app, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "B"})
		s.ok(err)
		b := *s
		b.app = app.ID
		description := b.description(catalog.PackageOther, "5.0.0")
		foreign, err := s.CreatePackage(s.ctx, description)
		s.ok(err)
		description = s.description(catalog.PackageOther, "5.0.0")
		description.Arch = "arm64"
		arm, err := s.CreatePackage(s.ctx, description)
		s.ok(err)
		channel, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: b.app, Name: "C"})
		s.ok(err)
		armChannel, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: s.app, Name: "C", Arch: "arm64"})
		s.ok(err)

		for _, id := range []uuid.UUID{foreign.ID, arm.ID} {
			_, err = s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel, PackageID: &id})
			s.refused(err, fault.Invalid)
			_, err = s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: s.app, Name: "D", PackageID: &id})
			s.refused(err, fault.Invalid)
			_, err = s.AddFloor(s.ctx, fleet.AddFloor{ChannelID: s.channel, PackageID: id})
			s.refused(err, fault.Invalid)
			_, err = s.BlacklistPackage(s.ctx, fleet.BlacklistPackage{ChannelID: s.channel, PackageID: id})
			s.refused(err, fault.Invalid)
		}
		_, err = s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "H", ChannelID: &channel.ID})
		s.refused(err, fault.NotFound) // A has no channel with this id
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, SetChannel: true, ChannelID: &channel.ID})
		s.refused(err, fault.NotFound)
		_, err = s.UpdateGroup(s.ctx, fleet.UpdateGroup{ID: s.group, SetChannel: true, ChannelID: &armChannel.ID})
		s.refused(err, fault.Invalid)
		s.grants("m", "1.0.0", "2.0.0")
	})
}
