package rollout

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/policy"
)

// count counts the current wave among all machines, as the worker does.
func (g *rig) count() Roster {
	var all []Member
	for _, id := range g.order {
		m := g.machines[id]
		all = append(all, Member{m.ID, m.Version, m.Standing == StandingActive, m.FirstSeenAt, m.SelectedWave})
	}
	g.fx = Effects{}
	g.w.CountWave(all, g.now, &g.fx)
	return g.w.Rollout.Roster
}

// byBucket returns n machine ids, the lowest bucket first.
func (g *rig) byBucket(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprint("m", i))
	}
	salt := g.w.Rollout.Salt
	slices.SortFunc(ids, func(a, b string) int {
		if Bucket(salt, a) < Bucket(salt, b) {
			return -1
		}
		return 1
	})
	return ids
}

// rosterRig is a group with a target and a first wave that contains almost no machine.
func rosterRig(t *testing.T, first Wave) *rig {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 9, 9
	p.Waves = []Wave{first, {Share: 1}}
	g := newRig(t, p)
	g.target("2.0.0")
	return g
}

func TestWaveWithoutMachinesGetsTheLowestBucket(t *testing.T) {
	g := rosterRig(t, Wave{Share: 1e-9, MinFinished: 3})
	ids := g.byBucket(4)
	for _, id := range []string{ids[2], ids[1], ids[3]} {
		g.want(g.check(id, "1.0.0"), ReasonWaveNotReached)
	}
	if r := g.count(); !slices.Equal(r.Elected, ids[1:2]) || r.Eligible != 1 || r.Machines != 3 {
		t.Fatalf("elected %+v", r)
	}
	// Until the grant the election is repeated, so a machine with a lower bucket replaces the elected one.
	g.want(g.check(ids[0], "1.0.0"), ReasonWaveNotReached)
	if r := g.count(); !slices.Equal(r.Elected, ids[:1]) || r.Eligible != 1 || r.Machines != 4 {
		t.Fatalf("elected again %+v", r)
	}
	g.want(g.check(ids[1], "1.0.0"), ReasonWaveNotReached)
	g.want(g.check(ids[0], "1.0.0"), ReasonGranted)
	g.wait(time.Minute)
	if r := g.count(); !slices.Equal(r.Elected, ids[:1]) || r.Eligible != 1 || r.Chosen != "" {
		t.Errorf("after the grant: %+v", r)
	}
	// One machine is enough for the gate, which asks for no more than the wave has.
	g.check(ids[0], "2.0.0")
	if g.w.Rollout.Wave != 1 {
		t.Errorf("the second wave is not open: %+v", g.w.Rollout)
	}
}

// The elected machine has its grant: one with a lower bucket that joins then does not replace it.
func TestElectionEndsWithTheGrant(t *testing.T) {
	g := rosterRig(t, Wave{Share: 1e-9, MinFinished: 3})
	ids := g.byBucket(3)
	for _, id := range ids[1:] {
		g.check(id, "1.0.0")
	}
	g.count()
	g.want(g.check(ids[1], "1.0.0"), ReasonGranted)
	g.want(g.check(ids[0], "1.0.0"), ReasonWaveNotReached)
	if r := g.count(); !slices.Equal(r.Elected, ids[1:2]) || r.Eligible != 1 {
		t.Errorf("elected %+v", r)
	}
	g.want(g.check(ids[0], "1.0.0"), ReasonWaveNotReached)
}

// A grant of another machine does not end the election.
func TestElectionSurvivesTheGrantOfAnotherMachine(t *testing.T) {
	g := rosterRig(t, Wave{Share: 1e-9, MinFinished: 3})
	p := g.policy
	p.OnDemand = policy.OnDemandSkipsPacing
	g.setPolicy(p)
	ids := g.byBucket(3)
	for _, id := range ids[1:] {
		g.check(id, "1.0.0")
	}
	g.count()
	g.want(g.request(ids[2], request{version: "1.0.0", check: true, demands: Check{OnDemand: true}}), ReasonGranted)
	g.want(g.check(ids[0], "1.0.0"), ReasonWaveNotReached)
	if r := g.count(); !slices.Equal(r.Elected, ids[:1]) {
		t.Errorf("elected %+v", r)
	}
}

func TestCountOfAWave(t *testing.T) {
	old, target := mustVersion(t, "1.0.0"), mustVersion(t, "2.0.0")
	for name, c := range map[string]struct {
		wave     Wave
		change   func(r *Rollout)
		all      []Member
		eligible int
		elected  int
	}{
		"machines of the wave":              {Wave{Share: 0.999999, MinFinished: 9}, nil, []Member{{"a", old, true, start, 0}, {"b", old, true, start, 0}}, 2, 0},
		"silent ones do not count":          {Wave{Share: 0.999999, MinFinished: 9}, nil, []Member{{"b", old, false, start, 0}, {"a", old, true, start, 0}}, 1, 0},
		"nor do those on the target":        {Wave{Share: 0.999999, MinFinished: 9}, nil, []Member{{"b", target, true, start, 0}, {"a", old, true, start, 0}}, 1, 0},
		"nor do newcomers":                  {Wave{Share: 0.999999, MinFinished: 9}, func(r *Rollout) { r.Newcomers.Since = start }, []Member{{"a", old, true, start, 0}, {"b", old, true, start.Add(1), 0}}, 1, 0},
		"finished ones do":                  {Wave{Share: 0.999999, MinFinished: 9}, func(r *Rollout) { r.WaveCounts.Succeeded = 3 }, []Member{{"a", old, true, start, 0}}, 4, 0},
		"but not those before a resume":     {Wave{Share: 0.999999, MinFinished: 9}, func(r *Rollout) { r.WaveCounts.Failed, r.SetAside = 3, 2 }, []Member{{"a", old, true, start, 0}}, 2, 0},
		"nothing to update":                 {Wave{Share: 0.999999, MinFinished: 9}, nil, []Member{{"a", target, true, start, 0}}, -1, 0},
		"elected when none is in the wave":  {Wave{Share: 1e-9, MinFinished: 9}, nil, []Member{{"a", old, true, start, 0}, {"b", old, true, start, 0}}, 1, 1},
		"not when one finished":             {Wave{Share: 1e-9, MinFinished: 9}, func(r *Rollout) { r.WaveCounts.Succeeded = 1 }, []Member{{"a", old, true, start, 0}}, 1, 0},
		"but when it failed before":         {Wave{Share: 1e-9, MinFinished: 9}, func(r *Rollout) { r.WaveCounts.Failed, r.SetAside = 1, 1 }, []Member{{"a", old, true, start, 0}}, 1, 1},
		"canaries are never elected":        {Wave{Canaries: []string{"x"}}, nil, []Member{{"a", old, true, start, 0}}, 1, 0},
		"active canaries are not awaited":   {Wave{Canaries: []string{"x", "y"}}, nil, []Member{{"x", target, true, start, 0}, {"a", old, true, start, 0}}, 1, 0},
		"silent canaries are awaited":       {Wave{Canaries: []string{"x", "y"}}, nil, []Member{{"x", old, false, start, 0}, {"y", old, true, start, 0}}, 2, 0},
		"one that is selected is awaited":   {Wave{Expression: "machine in ['x']", MinFinished: 9}, nil, []Member{{"a", old, true, start, 0}}, 1, 0},
		"selected machines are counted":     {Wave{Expression: "machine in ['x']", MinFinished: 9}, nil, []Member{{"a", old, true, start, 0}, {"x", old, true, start, 1}, {"y", old, true, start, 1}}, 2, 0},
		"not those of a later wave":         {Wave{Share: 1e-9, MinFinished: 9}, nil, []Member{{"a", old, true, start, 2}}, 1, 1},
		"canaries of a share are not":       {Wave{Share: 1e-9, MinFinished: 9, Canaries: []string{"x", "y"}}, nil, []Member{{"x", old, true, start, 0}, {"a", old, true, start, 0}}, 1, 0},
		"not counted in a group of 1,000":   {Wave{Share: 0.999999, MinFinished: 9}, nil, slices.Repeat([]Member{{"a", old, true, start, 0}}, MaxRoster), -1, 0},
		"counted in a group of 999":         {Wave{Share: 0.999999, MinFinished: 9999}, nil, slices.Repeat([]Member{{"a", old, true, start, 0}}, MaxRoster-1), MaxRoster - 1, 0},
		"a canary elsewhere is not elected": {Wave{Canaries: []string{"x"}, MinFinished: 1}, nil, []Member{{"a", old, true, start, 0}, {"b", old, true, start, 0}}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := rosterRig(t, c.wave)
			r := &g.w.Rollout
			if c.change != nil {
				c.change(r)
			}
			for _, m := range c.all {
				switch {
				case m.Active && m.Version == old:
					g.w.Census.Behind++
				case m.Active:
					g.w.Census.OnTarget++
				}
			}
			g.w.CountWave(c.all, g.now, &g.fx)
			if o := r.Roster; o.Eligible != c.eligible || len(o.Elected) != c.elected || (o.Chosen != "") != (c.elected > 0) || o.Machines != g.w.Census.Behind+g.w.Census.OnTarget || !o.At.Equal(g.now) {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestWaveIsCountedAgainWhenItMayHaveChanged(t *testing.T) {
	counted := func(machines int) func(w *World) {
		return func(w *World) { w.Rollout.Roster.Machines = machines }
	}
	for name, c := range map[string]struct {
		change func(w *World)
		after  time.Duration
		due    bool
	}{
		"just counted":             {counted(8), time.Minute - time.Second, false},
		"a minute later":           {counted(8), time.Minute, true},
		"the gate holds":           {func(w *World) { w.Rollout.Roster.Machines, w.Rollout.GateAt = 8, start }, time.Hour, false},
		"a quarter more":           {counted(6), 0, true},
		"less than a quarter more": {func(w *World) { counted(8)(w); w.Census.Behind += 2 }, 0, false},
		"a quarter fewer":          {func(w *World) { counted(8)(w); w.Census.Behind -= 3 }, 0, true},
		"just a quarter fewer":     {func(w *World) { counted(8)(w); w.Census.Behind -= 2 }, 0, false},
		"never counted":            {func(w *World) { counted(8)(w); w.Rollout.Roster.At = time.Time{} }, 0, true},
		"another wave":             {func(w *World) { counted(8)(w); w.Rollout.Roster.Wave = 1 }, 0, true},
		"the last wave":            {func(w *World) { counted(8)(w); w.Rollout.Wave = 1 }, time.Hour, false},
		"paused":                   {func(w *World) { counted(8)(w); w.Rollout.State = RolloutPaused }, time.Hour, false},
		"no target":                {func(w *World) { counted(8)(w); w.Target = nil }, time.Hour, false},
		"none behind":              {func(w *World) { counted(8)(w); w.Census = Census{OnTarget: 8} }, time.Hour, false},
		"1,000 machines":           {func(w *World) { counted(1000)(w); w.Census.Behind = 994 }, time.Hour, false},
		"999 machines":             {func(w *World) { counted(999)(w); w.Census.Behind = 993 }, time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := rosterRig(t, Wave{Share: 0.1, MinFinished: 9})
			g.w.Census = Census{Behind: 2, OnTarget: 6}
			g.w.Rollout.Roster = Roster{At: start, Eligible: 1}
			c.change(&g.w)
			if got := g.w.RosterDue(start.Add(c.after)); got != c.due {
				t.Errorf("due %v", got)
			}
		})
	}
}

// What was counted for another wave or a smaller group says nothing about this gate.
func TestGateUsesOnlyAFreshCount(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *World)
		opens  bool
	}{
		"counted":              {func(*World) {}, true},
		"none eligible":        {func(w *World) { w.Rollout.Roster.Eligible = 0 }, true},
		"not known":            {func(w *World) { w.Rollout.Roster.Eligible = -1 }, false},
		"not counted":          {func(w *World) { w.Rollout.Roster.At = time.Time{} }, false},
		"counted another wave": {func(w *World) { w.Rollout.Roster.Wave = 1 }, false},
		"999 machines":         {func(w *World) { w.Census = Census{Behind: 900, OnTarget: 99} }, true},
		"1,000 machines":       {func(w *World) { w.Census = Census{Behind: 900, OnTarget: 100} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := rosterRig(t, Wave{Share: 0.1, MinFinished: 9})
			g.w.Census = Census{Behind: 2, OnTarget: 6}
			g.w.Rollout.WaveCounts = Counts{Granted: 2, Succeeded: 2}
			g.w.Rollout.Roster = Roster{At: start, Eligible: 2, Machines: 8}
			c.change(&g.w)
			g.w.Advance(g.now, &g.fx)
			if opened := g.w.Rollout.Wave == 1; opened != c.opens {
				t.Errorf("the next wave is open: %v", opened)
			}
		})
	}
}

func TestWaveThatIsPassedSaysSo(t *testing.T) {
	g := rosterRig(t, Wave{Canaries: []string{"x"}})
	g.check("x", "2.0.0")
	g.check("a", "1.0.0")
	g.count()
	list := g.activities(ActivityWaveAdvanced)
	if g.w.Rollout.Wave != 1 || len(list) != 1 || list[0].Detail != "wave 2 of 2: 100 % of the machines; wave 1 had no machine that could update" {
		t.Errorf("wave %d, %+v", g.w.Rollout.Wave, list)
	}
	g = rosterRig(t, Wave{Canaries: []string{"x"}})
	g.check("a", "1.0.0")
	g.check("x", "1.0.0")
	g.count()
	g.check("x", "2.0.0")
	if list := g.activities(ActivityWaveAdvanced); len(list) != 1 || list[0].Detail != "wave 2 of 2: 100 % of the machines" {
		t.Errorf("%+v", list)
	}
}

func TestCensusCountsMachinesOfEachPlace(t *testing.T) {
	c := Census{Behind: 1, OnTarget: 2, OtherBuild: 4}
	if n := c.machines(); n != 7 {
		t.Errorf("%d machines, want 7", n)
	}
}
