package fleet_test

import (
	"fmt"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rollout"
)

// replace replaces a group with its current values and some changes, as a script does.
func (d *harness) replace(s *setup, change func(*fleet.ReplaceGroup), policy func(*rollout.Policy)) error {
	d.t.Helper()
	row := must(d.store.Reader().Group.Get(d.ctx, s.group.ID))(d.t)
	in := fleet.ReplaceGroup{ID: row.ID, Name: row.Name, Description: row.Description, ChannelID: row.ChannelID, Policy: func(p rollout.Policy) rollout.Policy {
		if r := d.rollout(row.ID); r != nil && r.State == rollout.RolloutHalted {
			p.UpdatesEnabled = false // as the API shows it
		}
		policy(&p)
		return p
	}}
	change(&in)
	_, err := d.ReplaceGroup(d.ctx, in)
	return err
}

func TestReplacingAGroupRecordsTheVerbOfEachChange(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		nothing := func(*fleet.ReplaceGroup) {}
		same := func(*rollout.Policy) {}
		count := func() map[string]int {
			n := map[string]int{}
			for _, verb := range []string{"updateGroup", "updatePolicy", "pauseUpdates", "resumeUpdates"} {
				n[verb] = len(d.audits(verb))
			}
			return n
		}
		want := map[string]int{"updateGroup": 0, "updatePolicy": 0, "pauseUpdates": 0, "resumeUpdates": 0}
		step := func(what, verb string, change func(*fleet.ReplaceGroup), policy func(*rollout.Policy)) {
			t.Helper()
			d.must(d.replace(s, change, policy))
			if verb != "" {
				want[verb]++
			}
			if is := count(); fmt.Sprint(is) != fmt.Sprint(want) {
				t.Errorf("%s: audit %v, want %v", what, is, want)
			}
		}
		enable := func(on bool) func(*rollout.Policy) { return func(p *rollout.Policy) { p.UpdatesEnabled = on } }
		state := func(want rollout.RolloutState) {
			t.Helper()
			if r := d.rollout(s.group.ID); r.State != want {
				t.Errorf("the rollout is in state %d, want %d", r.State, want)
			}
		}

		step("nothing", "", nothing, same)
		step("a pause", "pauseUpdates", nothing, enable(false))
		state(rollout.RolloutPaused)
		step("and its end", "resumeUpdates", nothing, enable(true))
		state(rollout.RolloutActive)
		must(d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: s.group.ID, Reason: "smoke"}))(t)
		step("a halted group as it is shown", "", nothing, same)
		state(rollout.RolloutHalted)
		step("a halted group with another policy", "updatePolicy", nothing, func(p *rollout.Policy) { p.MaxUpdatesPerPeriod = 7 })
		state(rollout.RolloutHalted)
		step("the end of the halt", "resumeUpdates", nothing, enable(true))
		state(rollout.RolloutActive)
		if a := d.audits("resumeUpdates"); a[len(a)-1].Before == "" || a[len(a)-1].After == a[len(a)-1].Before {
			t.Errorf("the audit of the resume shows %+v", a)
		}
		step("another name", "updateGroup", func(in *fleet.ReplaceGroup) { in.Name = "other" }, same)
		must(d.HaltRollout(d.ctx, fleet.HaltRollout{GroupID: s.group.ID}))(t)
		step("name, policy and the end of a halt", "updateGroup", func(in *fleet.ReplaceGroup) { in.Name, in.Description = "g", "all" },
			func(p *rollout.Policy) { p.UpdatesEnabled, p.SafeMode = true, true })
		state(rollout.RolloutActive)
		row := must(d.store.Reader().Group.Get(d.ctx, s.group.ID))(t)
		if row.Name != "g" || row.Description != "all" || !row.Policy.SafeMode || row.Policy.MaxUpdatesPerPeriod != 7 || row.Policy.PeriodInterval == 0 {
			t.Errorf("the group is %+v", row)
		}
		step("no channel", "updateGroup", func(in *fleet.ReplaceGroup) { in.ChannelID = nil }, same)

		// A refused change leaves everything unchanged.
		err := d.replace(s, func(in *fleet.ReplaceGroup) { in.Name = "half" }, func(p *rollout.Policy) { p.PeriodInterval = 0 })
		refused(t, err, fault.Invalid, "policy.periodInterval")
		refused(t, d.replace(s, func(in *fleet.ReplaceGroup) { in.Name = " " }, same), fault.Invalid, "name")
		if row := must(d.store.Reader().Group.Get(d.ctx, s.group.ID))(t); row.Name != "g" {
			t.Errorf("a refused change left the name %q", row.Name)
		}
		d.checkCounters()
	})
}

func TestUpdatingTheChannelPackageIsAPromotion(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		pkg := d.addPackage(s, "3.0.0")
		row := must(d.UpdateChannel(d.ctx, fleet.UpdateChannel{ID: s.channel.ID, SetPackage: true, PackageID: &pkg}))(t)
		if *row.PackageID != pkg || len(d.audits("updateChannel")) != 0 || len(d.audits("promotePackage")) != 2 {
			t.Errorf("%+v, audit %d and %d", row, len(d.audits("updateChannel")), len(d.audits("promotePackage")))
		}
		name := "d"
		row = must(d.UpdateChannel(d.ctx, fleet.UpdateChannel{ID: s.channel.ID, Name: &name, SetPackage: true}))(t)
		if row.PackageID != nil || row.Name != "d" || len(d.audits("updateChannel")) != 1 {
			t.Errorf("%+v, audit %d", row, len(d.audits("updateChannel")))
		}
	})
}

func TestSkipMovesTheStartOfAList(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		const size = 9
		for i := range size {
			d.check(s, fmt.Sprintf("m%d", i), fmt.Sprintf("1.%d.0", i%4))
		}
		for skip := range size + 3 {
			l := machines.List{Filter: machines.Filter{Group: &s.group.ID, Standings: machines.Seen()}, Limit: 100}
			more, err := d.View.Skip(d.ctx, &l, skip)
			d.must(err)
			rows := must(d.View.Machines(d.ctx, l, nil))(t)
			if more != (skip < size) || more && (len(rows) != size-skip || rows[0].MachineID != fmt.Sprintf("m%d", skip)) {
				t.Errorf("after %d: %v, %d machines", skip, more, len(rows))
			}
			if !more || skip == 0 {
				continue
			}
			if _, err := d.View.Skip(d.ctx, &l, 1); err != nil { // continues from the first skip
				t.Error(err)
			}
			if rows := must(d.View.Machines(d.ctx, l, nil))(t); len(rows) != size-skip-1 {
				t.Errorf("after %d and one more: %d machines", skip, len(rows))
			}
		}
		l := machines.List{Limit: 1}
		if _, err := d.View.Skip(d.ctx, &l, 1); err == nil {
			t.Error("Skip accepted a list of all groups")
		}
	})
}
