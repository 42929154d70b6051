package rollout

import (
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

// stallRig is a group with one machine below the target 2.0.0 that never begins.
func stallRig(t *testing.T, p Policy) *rig {
	g := newRig(t, p)
	g.check("m", "1.0.0")
	g.target("2.0.0")
	return g
}

// noteStall records at a time after start whether the rollout is stalled.
func (g *rig) noteStall(after time.Duration) Stall {
	g.now, g.fx = start.Add(after), Effects{}
	g.w.NoteStall(g.now, &g.fx)
	return g.w.Rollout.Stall
}

// stallsAfter fails unless the rollout stalls exactly after this time.
func (g *rig) stallsAfter(quiet time.Duration) {
	g.t.Helper()
	if s := g.noteStall(quiet - time.Second); s != (Stall{}) {
		g.t.Errorf("stalled before %s: %+v", quiet, s)
	}
	if s := g.noteStall(quiet); s.Since.IsZero() {
		g.t.Errorf("not stalled after %s", quiet)
	}
}

func TestRolloutStallsAfterTwoPollsWithoutProgress(t *testing.T) {
	p := acceptancePolicy()
	stallRig(t, p).stallsAfter(100 * time.Minute)
	p.UpdateTimeout = 5 * time.Hour
	stallRig(t, p).stallsAfter(5 * time.Hour)
	p.UpdateTimeout, p.PollInterval = time.Minute, 20*time.Minute
	stallRig(t, p).stallsAfter(time.Hour) // machines vary an interval by half
}

func TestStallIsAnnouncedOnceAndEndsWithProgress(t *testing.T) {
	g := stallRig(t, acceptancePolicy())
	s := g.noteStall(2 * time.Hour)
	if !s.Since.Equal(start) || s.Cause != "the next check would be granted, but no waiting machine has begun an update" || s.Action == "" {
		t.Errorf("stalled: %+v", s)
	}
	if list := g.activities(ActivityRolloutStalled); len(list) != 1 || list[0].Detail != "the rollout stalled: "+s.Cause {
		t.Errorf("activities %+v", list)
	}
	if again := g.noteStall(3 * time.Hour); again != s || len(g.fx.Activities) != 0 {
		t.Errorf("an hour later: %+v, %+v", again, g.fx.Activities)
	}
	g.want(g.check("m", "1.0.0"), ReasonGranted)
	if g.w.Rollout.Stall != (Stall{}) {
		t.Error("a grant does not end the stall")
	}
	if s := g.noteStall(24 * time.Hour); s != (Stall{}) {
		t.Errorf("stalled while an update is in flight: %+v", s)
	}
}

// A stage and a result are progress too, but only of a machine of this rollout.
func TestProgressOfAnotherRolloutDoesNotEndAStall(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	for _, id := range []string{"old", "m"} {
		g.check(id, "1.0.0")
	}
	g.target("1.5.0")
	g.want(g.check("old", "1.0.0"), ReasonGranted)
	g.now = start.Add(time.Hour - time.Minute)
	g.target("2.0.0")
	began := g.now
	progress := func(want time.Time) {
		t.Helper()
		if !g.w.Rollout.ProgressAt.Equal(want) {
			t.Errorf("last progress at %s, want %s", g.w.Rollout.ProgressAt, want)
		}
	}
	g.event("old", "1.0.0", 13, 1, 0)
	progress(began)
	g.now = g.now.Add(time.Minute)
	g.event("old", "1.0.0", 14, 1, 0)
	progress(began)
	g.check("old", "1.5.0") // its attempt in the first rollout succeeds; the next step is granted
	progress(g.now)

	g.now = g.now.Add(time.Minute)
	g.event("old", "1.5.0", 13, 1, 0)
	progress(g.now)
	g.now = g.now.Add(time.Minute)
	g.event("old", "1.5.0", 3, 0, 10)
	progress(g.now)
}

func TestResultOfAnotherRolloutIsNoProgress(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.check("m", "1.0.0")
	g.target("1.5.0")
	g.want(g.check("m", "1.0.0"), ReasonGranted)
	g.event("m", "1.0.0", 13, 1, 0)
	g.target("2.0.0")
	began := g.now
	g.now = g.now.Add(time.Minute)
	g.event("m", "1.0.0", 3, 0, 10)
	if !g.w.Rollout.ProgressAt.Equal(began) {
		t.Error("a failure in the earlier rollout is progress")
	}
}

func TestStallNamesItsCause(t *testing.T) {
	for name, c := range map[string]struct {
		change        func(g *rig, p *Policy)
		cause, action string // "" when it is not stalled
	}{
		"blacklisted": {func(g *rig, _ *Policy) { g.w.Target.Blacklisted = true },
			"package 2.0.0 is blacklisted for the channel", "promote another package, or remove the package from the blacklist"},
		"canary missing": {func(_ *rig, p *Policy) { p.Waves = []Wave{{Canaries: []string{"gone"}}, {Share: 1}} },
			"wave 1 of 2 reaches 1 listed machine; its gate waits: 0 of 1 update finished", "open the next wave, or name canaries that can update"},
		"blacklisted in a wave": {func(g *rig, p *Policy) {
			g.w.Target.Blacklisted = true
			p.Waves = []Wave{{Canaries: []string{"gone"}}, {Share: 1}}
		}, "package 2.0.0 is blacklisted for the channel", "promote another package, or remove the package from the blacklist"},
		"newcomers failed": {func(g *rig, p *Policy) {
			p.Waves = []Wave{{Share: 0.5}}
			g.w.Rollout.Newcomers = Newcomers{Since: start.Add(-time.Hour), Evidence: Counts{Granted: 1, Failed: 1}}
			p.HaltFailureShare, p.HaltMinAttempts = 1, 1
		}, "1 of 1 finished attempt of machines first seen shortly before the rollout or later failed; no further one updates until a person resumes", "look at their failures, then resume the rollout"},
		"period": {func(g *rig, p *Policy) {
			p.PeriodInterval = 24 * time.Hour
			g.w.Ledger.Spends = []Spend{{start, start, 2}}
		}, "", ""},
		"paused":         {func(g *rig, _ *Policy) { g.w.PauseUpdates(Pause{}, &g.fx) }, "", ""},
		"halted":         {func(g *rig, _ *Policy) { g.w.HaltRollout("ada", "", start, &g.fx) }, "", ""},
		"none behind":    {func(g *rig, _ *Policy) { g.w.Silence(g.machines["m"], start, &g.fx) }, "", ""},
		"completed":      {func(g *rig, _ *Policy) { g.w.Rollout.State = RolloutCompleted }, "", ""},
		"no target":      {func(g *rig, _ *Policy) { g.target("") }, "", ""},
		"approval":       {func(_ *rig, p *Policy) { p.Waves = []Wave{{Share: 1e-9, Approval: true}, {Share: 1}} }, "", ""},
		"window closed":  {func(_ *rig, p *Policy) { p.Windows = hours(8, 11) }, "", ""},
		"window opened":  {func(_ *rig, p *Policy) { p.Windows = hours(11, 20) }, "", ""},
		"window is open": {func(_ *rig, p *Policy) { p.Windows = hours(8, 20) }, "the next check would be granted, but no waiting machine has begun an update", "explain one of the waiting machines; if they poll less often, set the policy's poll interval"},
	} {
		t.Run(name, func(t *testing.T) {
			p := acceptancePolicy()
			g := stallRig(t, p)
			c.change(g, &p)
			g.setPolicy(p)
			if s := g.noteStall(2 * time.Hour); s.Cause != c.cause || s.Action != c.action || s.Since.IsZero() != (c.cause == "") {
				t.Errorf("%+v", s)
			}
		})
	}
}

// hours is a window on every day.
func hours(from, until int) []calendar.Window {
	return []calendar.Window{{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, Start: from * 60, End: until * 60}}
}

func TestOtherBuildsAreCountedInTheCause(t *testing.T) {
	target := mustVersion(t, "2.0.0")
	for n, want := range map[int]string{
		1: "1 machine runs another build of 2.0.0, which is never offered to it: build metadata does not order versions",
		2: "2 machines run another build of 2.0.0, which is never offered to them: build metadata does not order versions",
	} {
		if got := otherBuilds(n, target); got != want {
			t.Errorf("%q", got)
		}
	}
}

// Machines on other builds do not hide those below the target.
func TestStallCountsBothKindsOfMachines(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.w.Census = Census{Behind: 1, OtherBuild: 1}
	if s := g.w.stall(g.now.Add(48 * time.Hour)); s.Since.IsZero() {
		t.Errorf("not stalled: %+v", s)
	}
}
