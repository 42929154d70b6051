package rollout

import (
	"testing"
	"time"
)

func TestOnlyAWaveThatRequiresAnApprovalCanBeApproved(t *testing.T) {
	for name, c := range map[string]struct {
		waves    []Wave
		change   func(w *World)
		approved bool
	}{
		"required":         {[]Wave{{Share: 0.5, Approval: true, Soak: time.Hour}, {Share: 1}}, nil, true},
		"not required":     {[]Wave{{Share: 0.5, Soak: time.Hour}, {Share: 1, Approval: true}}, nil, false},
		"approved already": {[]Wave{{Share: 0.5, Approval: true, Soak: time.Hour}, {Share: 1}}, func(w *World) { w.Rollout.Approved = true }, false},
		"the last wave":    {[]Wave{{Share: 1, Approval: true}}, nil, false},
		"no waves":         {nil, nil, false},
		"no target":        {[]Wave{{Share: 0.5, Approval: true, Soak: time.Hour}, {Share: 1}}, func(w *World) { w.Target = nil }, false},
	} {
		p := acceptancePolicy()
		p.Waves = c.waves
		g := newRig(t, p)
		g.target("2.0.0")
		if c.change != nil {
			c.change(&g.w)
		}
		if got := g.w.ApproveWave(g.now, &g.fx); got != c.approved {
			t.Errorf("%s: approved %v", name, got)
		}
	}
}

func TestEachResumeStartsAnEpoch(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	for n := range 3 {
		if g.w.Rollout.Epoch != n {
			t.Errorf("epoch %d after %d resumes", g.w.Rollout.Epoch, n)
		}
		g.w.ResumeUpdates("ada", "", g.now, &g.fx)
	}
}

// A pause or a resume of a group without target changes no rollout.
func TestPauseNeedsARunningRollout(t *testing.T) {
	for state, want := range map[RolloutState]RolloutState{
		RolloutActive: RolloutPaused, RolloutCompleted: RolloutPaused, RolloutPaused: RolloutPaused,
		RolloutHalted: RolloutHalted, RolloutSuperseded: RolloutSuperseded,
	} {
		g := newRig(t, acceptancePolicy())
		g.target("2.0.0")
		g.w.Rollout.State = state
		if g.w.PauseUpdates(Pause{By: "ada"}, &g.fx); g.w.Rollout.State != want {
			t.Errorf("from state %d to %d, want %d", state, g.w.Rollout.State, want)
		}
	}
	g := newRig(t, acceptancePolicy())
	if g.w.PauseUpdates(Pause{By: "ada"}, &g.fx); g.w.Rollout.State != RolloutActive || g.w.Pause.By != "ada" {
		t.Errorf("without a target: %+v", g.w.Rollout)
	}
}

// A policy with fewer waves leaves the rollout in the last one: nothing changes with time any more.
func TestNoChangeFollowsTheLastWave(t *testing.T) {
	p := acceptancePolicy()
	p.Waves = []Wave{{Share: 0.5, Soak: time.Hour}, {Share: 1}}
	g := newRig(t, p)
	g.target("2.0.0")
	if at := g.w.NextChange(g.now); !at.Equal(start.Add(time.Hour)) {
		t.Errorf("the soak ends at %s", at)
	}
	p.Waves = p.Waves[:1]
	g.w.Policy = compile(t, p)
	if at := g.w.NextChange(g.now); !at.IsZero() {
		t.Errorf("in the last wave something changes at %s", at)
	}
}

// A version that another group's request brought (see Relabel) is judged at the next request of the machine.
func TestVersionThatIsAlreadyStoredChangesTheResult(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.check("m", "1.0.0")
	g.event("m", "1.0.0", 3, 0, 10)
	m := g.machines["m"]
	g.w.Relabel(m, mustVersion(t, "2.0.0"))
	g.sound()
	if g.check("m", "2.0.0"); m.State != StateComplete || m.Last.Outcome != OutcomeCameBack {
		t.Errorf("state %d, last result %+v", m.State, m.Last)
	}
	g.sound()
}
