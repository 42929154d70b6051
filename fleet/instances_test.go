package fleet_test

import (
	"testing"
	"time"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

func TestHoldPinAndRelease(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.check(s, "m", "2.0.0")
		id := s.instance("m")
		d.addPackage(s, "2.5.0")
		d.addPackage(s, "3.0.0")
		d.promote(s, "3.0.0")

		m := must(d.HoldInstance(d.ctx, fleet.HoldInstance{ID: id, Reason: "measuring", Until: new(d.clock().Add(time.Hour))}))(t)
		if m.Override != rollout.OverrideHold || m.OverrideBy != "olga" || m.OverrideReason != "measuring" || m.Standing != rollout.StandingOverridden {
			t.Errorf("held machine: %+v", m)
		}
		d.reason(s, "m", "2.0.0", rollout.ReasonHeld)
		if n := must(d.View.GroupNumbers(d.ctx, s.group.ID))(t); n.Overridden != 1 || n.Waiting != 0 {
			t.Errorf("numbers: %+v", n)
		}
		d.wait(2 * time.Hour)
		d.reason(s, "m", "2.0.0", rollout.ReasonGranted)

		d.check(s, "n", "1.0.0")
		must(d.PinInstance(d.ctx, fleet.PinInstance{ID: s.instance("n"), Version: "2.0.0", Reason: "driver"}))(t)
		d.reason(s, "n", "2.0.0", rollout.ReasonPinned)
		m = must(d.ReleaseInstance(d.ctx, fleet.ReleaseInstance{ID: s.instance("n"), Reason: "driver fixed"}))(t)
		if m.Override != rollout.OverrideNone || m.Standing != rollout.StandingActive {
			t.Errorf("released machine: %+v", m)
		}
		if a := d.audits("pinInstance"); len(a) != 1 || a[0].ObjectID != s.instance("n") || a[0].Before == a[0].After {
			t.Errorf("audit: %+v", a)
		}
		m = must(d.SetInstanceAlias(d.ctx, fleet.SetInstanceAlias{ID: id, Alias: " rack 7 "}))(t)
		if m.Alias != "rack 7" {
			t.Errorf("alias %q", m.Alias)
		}
		d.checkCounters()
	})
}

func TestMovedMachineFollowsItsNewGroup(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		id := s.instance("m")
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		slow := policy.Default()
		slow.UpdatesEnabled = false
		other := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "slow", ChannelID: &s.channel.ID, Policy: &slow}))(t)

		m := must(d.MoveInstance(d.ctx, fleet.MoveInstance{ID: id, GroupID: &other.ID, Reason: "pet"}))(t)
		if *m.GroupID != other.ID || !m.Moved || m.GrantedAt != nil || m.State.InFlight() {
			t.Errorf("moved machine: %+v", m)
		}
		d.checkCounters()
		if n := must(d.View.GroupNumbers(d.ctx, s.group.ID))(t); n.Total != 0 || n.InFlight != 0 {
			t.Errorf("numbers of the previous group: %+v", n)
		}
		d.reason(s, "m", "1.0.0", rollout.ReasonPaused) // by the new group; its track is ignored
		must(d.MoveInstance(d.ctx, fleet.MoveInstance{ID: id}))(t)
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		d.checkCounters()

		arm := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "g", Arch: "arm64"}))(t)
		_, err := d.MoveInstance(d.ctx, fleet.MoveInstance{ID: id, GroupID: &arm.ID})
		refused(t, err, fault.Invalid, "groupId")
		foreign := d.setupNamed("Other")
		g := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: foreign.app.ID, Name: "g"}))(t)
		_, err = d.MoveInstance(d.ctx, fleet.MoveInstance{ID: id, GroupID: &g.ID})
		refused(t, err, fault.NotFound, "groupId")
		d.checkCounters()
	})
}

// Moving the last machine below the target completes the rollout of its old group.
func TestMovingTheLastMachineCompletesTheRollout(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.check(s, "old", "1.0.0")
		d.check(s, "new", "2.0.0")
		other := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "other"}))(t)
		must(d.MoveInstance(d.ctx, fleet.MoveInstance{ID: s.instance("old"), GroupID: &other.ID}))(t)
		if r := d.rollout(s.group.ID); r.State != rollout.RolloutCompleted {
			t.Errorf("rollout: %+v", r)
		}
		d.checkCounters()
	})
}
