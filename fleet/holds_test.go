package fleet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
)

// waits checks the reason for which the group waits, and returns the wait.
func (d *harness) waits(s *setup, want rollout.Reason) *view.Hold {
	d.t.Helper()
	all := must(d.View.GroupHolds(d.ctx, []uuid.UUID{s.group.ID}))(d.t)
	w := all[s.group.ID]
	switch {
	case w == nil && want != rollout.ReasonNone:
		d.t.Fatalf("the group does not wait, want %s", want)
	case w != nil && (w.Reason != want || w.Sentence == ""):
		d.t.Fatalf("the group waits for %+v, want %s", w, want)
	}
	return w
}

func (d *harness) policy(s *setup, change func(p *rollout.Policy)) {
	d.t.Helper()
	p := must(d.store.Reader().Group.Get(d.ctx, s.group.ID))(d.t).Policy
	change(&p)
	must(d.UpdatePolicy(d.ctx, fleet.UpdatePolicy{GroupID: s.group.ID, Policy: p}))(d.t)
}

func TestGroupWaitReason(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup() // caps: 2 per 15 minutes, 2 in flight
		d.waits(s, rollout.ReasonNone)
		for i := range 2 {
			d.reason(s, fmt.Sprint("m", i), "1.0.0", rollout.ReasonGranted)
		}
		d.waits(s, rollout.ReasonNone) // all machines are in flight
		d.reason(s, "m2", "1.0.0", rollout.ReasonConcurrencyLimit)
		if w := d.waits(s, rollout.ReasonConcurrencyLimit); w.Sentence != "2 of 2 updates are in flight" || w.Until != nil {
			t.Errorf("%+v", w)
		}
		d.reason(s, "m0", "2.0.0", rollout.ReasonUpToDate)
		d.reason(s, "m1", "2.0.0", rollout.ReasonUpToDate)
		if w := d.waits(s, rollout.ReasonPeriodLimit); w.Until == nil || !w.Until.Equal(d.clock().Add(15*time.Minute)) {
			t.Errorf("%+v", w)
		}
		d.wait(15 * time.Minute)
		d.waits(s, rollout.ReasonNone) // m2 would be granted

		must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID, Reason: "holiday"}))(t)
		if w := d.waits(s, rollout.ReasonPaused); w.Sentence != "updates are paused by olga: holiday" {
			t.Errorf("%+v", w)
		}
		must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID}))(t)
		must(d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: s.group.ID, Reason: "smoke"}))(t)
		d.waits(s, rollout.ReasonHalted)
		must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID}))(t)

		d.policy(s, func(p *rollout.Policy) {
			p.Windows = []calendar.Window{{Days: []time.Weekday{time.Tuesday}, Start: 60, End: 300}}
		})
		if w := d.waits(s, rollout.ReasonOutsideWindow); !w.Until.Equal(time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", w)
		}
		d.policy(s, func(p *rollout.Policy) {
			p.Windows = nil
			p.Freezes = []calendar.Freeze{{From: d.clock().Add(-time.Hour), Until: d.clock().Add(time.Hour), Reason: "audit"}}
		})
		d.waits(s, rollout.ReasonFrozen)
		d.policy(s, func(p *rollout.Policy) { p.Freezes = nil })

		// A machine that an operator holds does not count as waiting.
		must(d.HoldInstance(d.ctx, fleet.HoldInstance{ID: s.instance("m2")}))(t)
		must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID}))(t)
		d.waits(s, rollout.ReasonNone)
		must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID}))(t)
		must(d.ReleaseInstance(d.ctx, fleet.ReleaseInstance{ID: s.instance("m2")}))(t)

		must(d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID}))(t)
		d.waits(s, rollout.ReasonNoPackage)
	})
}

// A group does not wait if at least one machine could be granted an update.
func TestGroupWithOneUnblockedMachineDoesNotWait(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.addPackage(s, "1.5.0")
		must(d.AddFloor(d.ctx, fleet.AddFloor{ChannelID: s.channel.ID, PackageID: s.packages["1.5.0"]}))(t)
		must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID}))(t)
		d.reason(s, "old", "1.0.0", rollout.ReasonPaused)
		must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID}))(t)
		d.waits(s, rollout.ReasonNone)
		path := must(d.View.UpdatePath(d.ctx, s.channel.ID, "1.0.0", nil))(t)
		if len(path.Steps) != 2 || path.Steps[0].ID != s.packages["1.5.0"] || path.Reason != rollout.ReasonGranted ||
			path.Sentence != "from 1.0.0 to 1.5.0, which no machine may skip; then to 2.0.0" {
			t.Errorf("%+v", path)
		}
	})
}

// The remaining machines of the open waves come from the machines themselves, not
// from their last answers.
func TestGroupWaitReasonInWaves(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.policy(s, func(p *rollout.Policy) {
			p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = 100, 100, 4*time.Hour
			p.Waves = []rollout.Wave{{Share: 0.3, MinFinished: 1, Soak: time.Hour}, {Share: 0.7, Approval: true}, {Share: 1}}
		})
		var outside []string
		for i := range 60 {
			m := fmt.Sprint("m", i)
			if r := d.check(s, m, "1.0.0").Decision.Reason; r == rollout.ReasonWaveNotReached {
				outside = append(outside, m)
			}
		}
		if n := len(outside); n == 0 || n == 60 {
			t.Fatalf("%d of 60 machines are outside the first wave, want some but not all", n)
		}
		d.waits(s, rollout.ReasonWaveNotReached)

		// The machines of the wave finish; it soaks, then the next wave opens.
		for i := range 60 {
			m := fmt.Sprint("m", i)
			if d.check(s, m, "1.0.0").Decision.Reason == rollout.ReasonGranted {
				d.check(s, m, "2.0.0")
			}
		}
		if w := d.waits(s, rollout.ReasonSoaking); !w.Until.Equal(d.clock().Add(time.Hour)) {
			t.Errorf("%+v", w)
		}
		d.wait(time.Hour)
		// No machine checked in since: the last answers are stale, but the next wave is open.
		d.waits(s, rollout.ReasonNone)
		d.policy(s, func(p *rollout.Policy) { p.MaxUpdatesPerPeriod = 1 })
		d.waits(s, rollout.ReasonPeriodLimit)
		d.policy(s, func(p *rollout.Policy) { p.MaxUpdatesPerPeriod = 100 })
		for _, m := range outside {
			d.check(s, m, "1.0.0")
		}
		d.waits(s, rollout.ReasonWaitingForApproval)
		must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID}))(t)
		for _, m := range outside {
			d.check(s, m, "1.0.0")
		}
		must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID}))(t)
		reach := must(d.View.ControlImpact(d.ctx, s.group.ID, view.ControlAdvance))(t)
		if reach.Eligible == 0 || reach.Sentence == "" {
			t.Errorf("%+v", reach)
		}
		must(d.AdvanceWave(d.ctx, fleet.AdvanceWave{GroupID: s.group.ID}))(t)
		d.waits(s, rollout.ReasonNone)
	})
}

func TestImpactOfControls(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.policy(s, func(p *rollout.Policy) { p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 3, 3 })
		for i := range 3 {
			d.reason(s, fmt.Sprint("m", i), "1.0.0", rollout.ReasonGranted)
		}
		for i := range 4 {
			d.reason(s, fmt.Sprint("w", i), "1.0.0", rollout.ReasonConcurrencyLimit)
		}
		d.report(s, "m0", "1.0.0", rollout.Event{Type: 13, Result: 1})
		reach := func(c view.Control, eligible, now int, sentence string) *view.Impact {
			t.Helper()
			r := must(d.View.ControlImpact(d.ctx, s.group.ID, c))(t)
			if r.Groups != 1 || r.Machines != 7 || r.Eligible != eligible || r.EligibleNow != now || r.Sentence != sentence {
				t.Errorf("%s: %+v", c, r)
			}
			return r
		}
		reach(view.ControlPause, 7, 0, "7 machines in 1 group; 2 offers are withdrawn, 1 update under way finishes, 4 machines wait")
		reach(view.ControlHalt, 7, 0, "7 machines in 1 group; 2 offers are withdrawn, 1 update under way finishes, 4 machines wait until a person resumes it")
		reach(view.ControlResume, 7, 0, "updates are neither paused nor halted: nothing changes")
		_, err := d.View.ControlImpact(d.ctx, s.group.ID, view.ControlAdvance)
		refused(t, err, fault.Conflict, "groupId")
		_, err = d.View.ControlImpact(d.ctx, s.group.ID, "DANCE")
		refused(t, err, fault.Invalid, "control")
		_, err = d.View.ControlImpact(d.ctx, s.app.ID, view.ControlPause)
		refused(t, err, fault.NotFound, "groupId")

		must(d.PauseUpdates(d.ctx, fleet.PauseUpdates{GroupID: s.group.ID}))(t)
		reach(view.ControlPause, 7, 0, "updates are paused already: nothing changes")
		for i := range 2 { // their offers are withdrawn
			d.reason(s, fmt.Sprint("m", i+1), "1.0.0", rollout.ReasonPaused)
		}
		d.wait(15 * time.Minute) // three grants leave the period
		if r := reach(view.ControlResume, 7, 2, "7 machines in 1 group; 7 of them have something to update to, 2 at their next check"); r.ProjectedEnd.IsZero() {
			t.Errorf("no end: %+v", r)
		}
		must(d.ResumeUpdates(d.ctx, fleet.ResumeUpdates{GroupID: s.group.ID}))(t)
		must(d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: s.group.ID}))(t)
		reach(view.ControlHalt, 7, 0, "the rollout is halted already: nothing changes")
		reach(view.ControlResume, 7, 2, "7 machines in 1 group; 7 of them have something to update to, 2 at their next check")

		d.policy(s, func(p *rollout.Policy) { p.Waves = []rollout.Wave{{Canaries: []string{"x"}}, {Share: 1}} })
		reach(view.ControlAdvance, 2, 0, "wave 2 of 2 reaches 100 % of the machines; about 2 more of them would update, none before it is resumed")
		must(d.PromotePackage(d.ctx, fleet.PromotePackage{ChannelID: s.channel.ID}))(t)
		_, err = d.View.ControlImpact(d.ctx, s.group.ID, view.ControlHalt)
		refused(t, err, fault.Conflict, "groupId")
	})
}

func TestUpdatePathIsRefused(t *testing.T) {
	d := newHarness(t, t.TempDir()+"/db")
	s := d.setup()
	for _, from := range []string{"", "1", "v1.0.0", "latest"} {
		_, err := d.View.UpdatePath(d.ctx, s.channel.ID, from, nil)
		refused(t, err, fault.Invalid, "fromVersion")
	}
	_, err := d.View.UpdatePath(d.ctx, s.app.ID, "1.0.0", nil)
	refused(t, err, fault.NotFound, "channelId")
}
