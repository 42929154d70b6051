package fleet_test

import (
	"strings"
	"testing"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// waves gives the group of the setup waves, and no other rule that holds a machine.
func (d *harness) waves(s *setup, waves ...rollout.Wave) {
	d.t.Helper()
	p := policy.Default()
	p.SafeMode, p.HaltFailureShare, p.MaxConcurrentUpdates, p.MaxUpdatesPerPeriod, p.Waves = false, 0, 1000, 1000, waves
	must(d.UpdatePolicy(d.ctx, fleet.UpdatePolicy{GroupID: s.group.ID, Policy: p}))(d.t)
}

func (d *harness) sent(s *setup, machine, oem string) rollout.Reason {
	d.t.Helper()
	return must(d.Machines.CheckIn(d.t.Context(), checkin.CheckIn{
		AppID: s.app.ID.String(), Track: "t", Machine: machine, Version: "1.0.0", UpdateCheck: true, Ping: true, Attributes: checkin.Attributes{OEM: &oem},
	}))(d.t).Decision.Reason
}

func (d *harness) wantReasons(s *setup, want map[string]rollout.Reason) {
	d.t.Helper()
	for machine, r := range want {
		oem, _, _ := strings.Cut(machine, "-")
		if got := d.sent(s, machine, oem); got != r {
			d.t.Errorf("%s: %v, want %v", machine, got, r)
		}
	}
}

const (
	granted = rollout.ReasonGranted
	held    = rollout.ReasonWaveNotReached
)

func TestWavesSelectMachinesByTheirLabels(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.waves(s, rollout.Wave{Expression: "'canary' in tags", MinFinished: 1}, rollout.Wave{Share: 1})
		for range 3 { // also from memory
			d.wantReasons(s, map[string]rollout.Reason{"gce-1": held, "gce-2": held})
		}
		must(d.LabelInstance(d.ctx, fleet.LabelInstance{ID: s.instance("gce-2"), Labels: job.Labels{AddTags: []string{"canary"}}}))(t)
		d.wantReasons(s, map[string]rollout.Reason{"gce-1": held, "gce-2": granted})

		// Its wave opens the next one when it has finished.
		d.check(s, "gce-2", "2.0.0")
		d.wantReasons(s, map[string]rollout.Reason{"gce-1": granted})
		d.checkCounters()
	})
}

// What a machine sends selects it with the same check, and a changed expression with its
// next one, on every server.
func TestWavesSelectMachinesByWhatTheySend(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.waves(s, rollout.Wave{Expression: "oem == 'azure'", MinFinished: 9}, rollout.Wave{Share: 1})
		d.wantReasons(s, map[string]rollout.Reason{"gce-1": held, "azure-1": granted, "ami-1": held})
		if r := d.sent(s, "gce-1", "azure"); r != granted {
			t.Errorf("a machine that sends another OEM: %v", r)
		}
		d.waves(s, rollout.Wave{Expression: "oem == 'azure'", MinFinished: 9}, rollout.Wave{Expression: "oem == 'ami'", MinFinished: 1}, rollout.Wave{Share: 1})
		d.wantReasons(s, map[string]rollout.Reason{"ami-1": held})
		d.waves(s, rollout.Wave{Expression: "oem == 'ami'", MinFinished: 9}, rollout.Wave{Share: 1})
		d.wantReasons(s, map[string]rollout.Reason{"ami-1": granted, "azure-2": held})
		d.checkCounters()
	})
}

// Without a check, the walk stores which wave selects a machine; and a wave by share whose
// machines are all selected before has none to wait for.
func TestWalkStoresSelectedWaves(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		wave := func(machine string) int {
			return must(d.store.Reader().Instance.Get(d.ctx, s.instance(machine)))(t).SelectedWave
		}
		d.from(s, "a", "azure")
		d.from(s, "b", "gce")
		must(d.MoveInstance(d.ctx, fleet.MoveInstance{ID: s.instance("b"), GroupID: &s.group.ID}))(t)
		d.waves(s, rollout.Wave{Share: 0.1}, rollout.Wave{Share: 0.1, Expression: "oem == 'azure'"}, rollout.Wave{Share: 1, Expression: "oem != ''"})
		d.must(d.Upkeep.Work(d.ctx))
		if a, b := wave("a"), wave("b"); a != 2 || b != 3 {
			t.Errorf("selected waves %d and %d, want 2 and 3", a, b)
		}
		d.waves(s)
		d.must(d.Upkeep.Work(d.ctx))
		if a, b := wave("a"), wave("b"); a != 0 || b != 0 {
			t.Errorf("without expressions: %d and %d", a, b)
		}
	})
}

// A machine that moves to another group is selected by the waves of that group.
func TestMovedMachineIsSelectedByTheWavesOfItsGroup(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		d.waves(s, rollout.Wave{Expression: "oem == 'gce'", MinFinished: 9}, rollout.Wave{Expression: "oem == 'azure'", MinFinished: 9}, rollout.Wave{Share: 1})
		other := d.smart(s, "other", "'x' in tags", 0)
		d.wantReasons(s, map[string]rollout.Reason{"azure-1": held})
		p := other.Policy
		p.Waves = []rollout.Wave{{Expression: "oem == 'azure'", MinFinished: 9}, {Share: 1}}
		must(d.UpdatePolicy(d.ctx, fleet.UpdatePolicy{GroupID: other.ID, Policy: p}))(t)
		must(d.LabelInstance(d.ctx, fleet.LabelInstance{ID: s.instance("azure-1"), Labels: job.Labels{AddTags: []string{"x"}}}))(t)
		d.inGroup(s, "azure-1", other)
		d.wantReasons(s, map[string]rollout.Reason{"azure-1": granted})
		d.wantReasons(s, map[string]rollout.Reason{"azure-2": held})
		must(d.MoveInstance(d.ctx, fleet.MoveInstance{ID: s.instance("azure-2"), GroupID: &other.ID}))(t)
		d.wantReasons(s, map[string]rollout.Reason{"azure-2": granted})
		d.checkCounters()
	})
}

func TestExpressionsOfWavesAreChecked(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *harness) {
		s := d.setup()
		for field, waves := range map[string][]rollout.Wave{
			"policy.waves[0].expression":  {{Expression: "oem = 'azure'", MinFinished: 1}, {Share: 1}},
			"policy.waves[0].minFinished": {{Expression: "oem == 'azure'"}, {Share: 1}},
			"policy.waves[1].expression":  {{Share: 0.5}, {Share: 1, Expression: "oem"}},
		} {
			p := policy.Default()
			p.Waves = waves
			_, err := d.UpdatePolicy(d.ctx, fleet.UpdatePolicy{GroupID: s.group.ID, Policy: p})
			if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), field) {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
}
