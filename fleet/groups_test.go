package fleet_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

func TestPauseAndResume(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		g := must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID, Reason: "weekend"}))(t)
		if g.Policy.UpdatesEnabled || g.PausedBy != "olga" || g.PauseReason != "weekend" || !g.PausedAt.Equal(d.clock()) {
			t.Errorf("paused group: %+v", g)
		}
		decision := d.check(s, "m", "1.0.0").Decision
		if decision.Reason != rollout.ReasonPaused || decision.By != "olga" || decision.Because != "weekend" {
			t.Errorf("check in a paused group: %+v", decision)
		}
		if r := d.rollout(s.group.ID); r.State != rollout.RolloutPaused {
			t.Errorf("rollout is in state %d", r.State)
		}
		again := must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID, Reason: "weekend"}))(t)
		if again.PauseReason != "weekend" || again.Revision != g.Revision {
			t.Errorf("pausing twice changed %+v", again)
		}

		g = must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID, Reason: "monday"}))(t)
		if !g.Policy.UpdatesEnabled || g.PausedBy != "" || g.PausedAt != nil {
			t.Errorf("resumed group: %+v", g)
		}
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID}))(t)

		if p, r := d.activities(rollout.ActivityPaused), d.activities(rollout.ActivityResumed); len(p) != 1 || len(r) != 1 || p[0].Actor != "olga" {
			t.Errorf("activities: %v, %v", p, r)
		}
		if a := d.audits("pauseUpdates"); len(a) != 1 || a[0].Reason != "weekend" || a[0].Before == "" || a[0].After == a[0].Before ||
			a[0].ObjectID != s.group.ID || *a[0].ApplicationID != s.app.ID {
			t.Errorf("audit of the pause: %+v", a)
		}
	})
}

func TestHaltAndResumeWithoutPause(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		must(d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: s.group.ID, Reason: "smoke"}))(t)
		d.reason(s, "m", "1.0.0", rollout.ReasonHalted)
		must(d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: s.group.ID}))(t)
		must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID, Reason: "false alarm"}))(t)
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		if n := len(d.audits("haltRollout")); n != 1 {
			t.Errorf("%d audit rows of the halt", n)
		}
		if a := d.audits("resumeUpdates"); len(a) != 1 || a[0].After == "" {
			t.Errorf("audit of the resume: %+v", a)
		}

		must(d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID}))(t)
		_, err := d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: s.group.ID})
		refused(t, err, fault.Conflict, "groupId")
	})
}

func TestPolicyChangesTakeEffectAndAreRefusedWhenStale(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		for _, m := range []string{"a", "b"} {
			d.reason(s, m, "1.0.0", rollout.ReasonGranted)
		}
		d.reason(s, "c", "1.0.0", rollout.ReasonConcurrencyLimit)

		p, revision := s.group.Policy, s.group.Revision
		p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 3, 3
		g := must(d.UpdatePolicy(d.ctx, fleet.UpdatePolicy{GroupID: s.group.ID, Policy: p, Reason: "more", ExpectedRevision: &revision}))(t)
		if g.Revision != revision+1 {
			t.Errorf("revision %d after %d", g.Revision, revision)
		}
		d.reason(s, "c", "1.0.0", rollout.ReasonGranted)
		_, err := d.UpdatePolicy(d.ctx, fleet.UpdatePolicy{GroupID: s.group.ID, Policy: s.group.Policy, ExpectedRevision: &revision})
		refused(t, err, fault.Conflict, "expectedRevision")

		// The same policy again changes nothing.
		same := must(d.UpdatePolicy(d.ctx, fleet.UpdatePolicy{GroupID: s.group.ID, Policy: p}))(t)
		if same.Revision != g.Revision {
			t.Error("storing the same policy incremented the revision")
		}
		p.UpdatesEnabled, p.SafeMode = false, true
		must(d.UpdatePolicy(d.ctx, fleet.UpdatePolicy{GroupID: s.group.ID, Policy: p, Reason: "off"}))(t)
		d.reason(s, "d", "1.0.0", rollout.ReasonPaused)

		changed := d.activities(rollout.ActivityPolicyChanged)
		if len(changed) != 2 || changed[0].Detail != "updates per period: 2 → 3; updates at once: 2 → 3" || changed[1].Detail != "safe mode: off → on" {
			t.Errorf("activities: %v", changed)
		}
		if n := len(d.activities(rollout.ActivityPaused)); n != 1 {
			t.Errorf("%d activities of a pause", n)
		}
		d.checkCounters()
	})
}

func TestWavesAdvanceAndAreClamped(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		p := s.group.Policy
		p.Waves = []rollout.Wave{{Canaries: []string{"canary"}, Approval: true}, {Share: 1, Soak: time.Hour, MinFinished: 1}, {Share: 1}}
		must(d.UpdatePolicy(d.ctx, fleet.UpdatePolicy{GroupID: s.group.ID, Policy: p}))(t)
		d.reason(s, "m", "1.0.0", rollout.ReasonWaveNotReached)
		must(d.AdvanceWave(d.ctx, fleet.AdvanceWave{GroupID: s.group.ID, Reason: "hurry"}))(t)
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		must(d.AdvanceWave(d.ctx, fleet.AdvanceWave{GroupID: s.group.ID}))(t)
		_, err := d.AdvanceWave(d.ctx, fleet.AdvanceWave{GroupID: s.group.ID})
		refused(t, err, fault.Conflict, "groupId")

		p.Waves = p.Waves[:1]
		must(d.UpdatePolicy(d.ctx, fleet.UpdatePolicy{GroupID: s.group.ID, Policy: p}))(t)
		if r := d.rollout(s.group.ID); r.Wave != 0 {
			t.Errorf("wave %d of one", r.Wave)
		}
		if n := len(d.activities(rollout.ActivityWaveAdvanced)); n != 2 {
			t.Errorf("%d activities of waves", n)
		}
	})
}

func TestCreatingAGroupStartsItsRollout(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		r := d.rollout(s.group.ID)
		if r == nil || r.Version != "2.0.0" || r.State != rollout.RolloutActive {
			t.Fatalf("rollout of a new group: %+v", r)
		}
		empty := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "Empty"}))(t)
		if empty.Track != "Empty" || empty.Arch != "amd64" || !empty.Policy.SafeMode || d.rollout(empty.ID) != nil {
			t.Errorf("group without channel: %+v", empty)
		}
		off := policy.Default()
		off.UpdatesEnabled = false
		paused := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "Off", ChannelID: &s.channel.ID, Policy: &off}))(t)
		if r := d.rollout(paused.ID); r.State != rollout.RolloutPaused || paused.PausedBy != operator.Name {
			t.Errorf("group created with updates off: %+v, %+v", paused, r)
		}
	})
}

func TestUpdateGroupChangesChannelAndNames(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		p3 := d.addPackage(s, "3.0.0")
		other := must(d.CreateChannel(d.ctx, fleet.CreateChannel{ApplicationID: s.app.ID, Name: "other", PackageID: &p3}))(t)
		before := d.rollout(s.group.ID)
		g := must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, Name: new("new"), Track: new("u"), SetChannel: true, ChannelID: &other.ID}))(t)
		if g.Name != "new" || g.Track != "u" || *g.ChannelID != other.ID {
			t.Errorf("updated group: %+v", g)
		}
		after := d.rollout(s.group.ID)
		if after.ID == before.ID || after.Version != "3.0.0" {
			t.Errorf("rollout after another channel: %+v", after)
		}
		old := must(d.store.Reader().GroupRollout.Get(d.ctx, before.ID))(t)
		if old.State != rollout.RolloutSuperseded || old.EndedAt == nil {
			t.Errorf("rollout before: %+v", old)
		}
		if a := d.check(s, "m", "2.0.0"); a.Verdict != catalog.VerdictOK || len(g.Aliases) != 1 || g.Aliases[0] != "t" {
			t.Errorf("the old track does not find the group %+v: %+v", g, a)
		}
		must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, Aliases: []string{}}))(t)
		if a := d.check(s, "m", "2.0.0"); a.Verdict != catalog.VerdictUnknownGroup {
			t.Errorf("the removed alias still finds the group: %+v", a)
		}
		must(d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, SetChannel: true}))(t)
		if r := d.rollout(s.group.ID); r != nil {
			t.Errorf("rollout without channel: %+v", r)
		}
		_, err := d.UpdateGroup(d.ctx, fleet.UpdateGroup{ID: s.group.ID, Name: new("x"), ExpectedRevision: new(int64(1))})
		refused(t, err, fault.Conflict, "expectedRevision")
	})
}

func TestDeletedGroupLeavesItsMachines(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		d.must(d.DeleteGroup(d.ctx, fleet.DeleteGroup{ID: s.group.ID, Reason: "merged", Force: true}))
		m := must(d.store.Reader().Instance.Get(d.ctx, s.instance("m")))(t)
		if m.GroupID != nil {
			t.Errorf("machine of a deleted group: %+v", m)
		}
		if a := d.check(s, "m", "1.0.0"); a.Verdict != catalog.VerdictUnknownGroup {
			t.Errorf("check after the deletion: %+v", a)
		}
		_, err := d.HoldInstance(d.ctx, fleet.HoldInstance{ID: m.ID})
		refused(t, err, fault.Conflict, "id")

		second := must(d.CreateGroup(d.ctx, fleet.CreateGroup{ApplicationID: s.app.ID, Name: "g2", Track: "t", ChannelID: &s.channel.ID}))(t)
		must(d.MoveInstance(d.ctx, fleet.MoveInstance{ID: m.ID, GroupID: &second.ID}))(t)
		d.checkCounters()
		d.reason(s, "m", "1.0.0", rollout.ReasonGranted)
		d.checkCounters()
	})
}

func TestSimulationOfAWholeRolloutStartsAtZero(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		for _, m := range []string{"a", "b", "c"} {
			d.check(s, m, "2.0.0")
		}
		first := func(whole bool) (onTarget, end int) {
			f := must(d.View.SimulateRollout(d.ctx, view.SimulateRollout{GroupID: s.group.ID, Whole: whole}))(t)
			return f.Points[0].OnTarget, f.Points[len(f.Points)-1].OnTarget
		}
		if begin, end := first(false); begin != 3 || end != 3 {
			t.Errorf("remaining rollout: %d to %d on target", begin, end)
		}
		if begin, end := first(true); begin != 0 || end != 3 {
			t.Errorf("whole rollout: %d to %d on target", begin, end)
		}
	})
}

func TestExplainAndSimulateWriteNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		for _, m := range []string{"a", "b", "c"} {
			d.check(s, m, "1.0.0")
		}
		e := must(d.View.ExplainUpdate(d.ctx, s.instance("c")))(t)
		if e.Decision.Reason != rollout.ReasonConcurrencyLimit || len(e.Steps) < 10 || e.Instance.MachineID != "c" {
			t.Errorf("explanation: %+v", e)
		}
		f := must(d.View.SimulateRollout(d.ctx, view.SimulateRollout{GroupID: s.group.ID}))(t)
		if f.Ends.IsZero() || len(f.Points) == 0 {
			t.Errorf("forecast: %+v", f)
		}
		p3 := d.addPackage(s, "3.0.0")
		must(d.View.SimulateRollout(d.ctx, view.SimulateRollout{GroupID: s.group.ID, PackageID: &p3, FailureShare: .5}))(t)
		_, err := d.View.SimulateRollout(d.ctx, view.SimulateRollout{GroupID: s.group.ID, FailureShare: 2})
		refused(t, err, fault.Invalid, "failureShare")
		_, err = d.View.SimulateRollout(d.ctx, view.SimulateRollout{GroupID: s.group.ID, PackageID: new(uuid.New())})
		refused(t, err, fault.NotFound, "packageId")

		reach := must(d.View.PromotionImpact(d.ctx, s.channel.ID, p3))(t)
		if reach.Machines != 3 || reach.Eligible != 3 || reach.EligibleNow != 0 || reach.ProjectedEnd.IsZero() {
			t.Errorf("reach of a promotion with the cap in use: %+v", reach)
		}
		d.reason(s, "c", "1.0.0", rollout.ReasonConcurrencyLimit)
		if n := len(d.activities(rollout.ActivityRolloutStarted)); n != 1 {
			t.Errorf("%d rollouts started, want 1", n)
		}
	})
}
