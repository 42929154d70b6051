package rollout

import (
	"testing"
	"time"
)

// settledNewcomers is a group whose known machines are done: those first seen at start.
func settledNewcomers(t *testing.T, waves ...Wave) *rig {
	p := acceptancePolicy()
	p.Waves = waves
	g := newRig(t, p)
	g.target("2.0.0")
	g.w.Rollout.Newcomers = Newcomers{Since: start, CountedAt: start}
	return g
}

func TestKnownMachinesAreCountedOnceAMinuteWhileNewcomersWait(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *World)
		after  time.Duration
		due    bool
	}{
		"counted a minute ago":   {func(*World) {}, time.Minute, true},
		"counted just now":       {func(*World) {}, time.Minute - time.Second, false},
		"none waits":             {func(w *World) { w.Rollout.Newcomers.Wait = false }, time.Hour, false},
		"paused":                 {func(w *World) { w.Rollout.State = RolloutPaused }, time.Hour, false},
		"no machine is behind":   {func(w *World) { w.Census.Behind = 0 }, time.Hour, false},
		"completed, with a late": {func(w *World) { w.Rollout.State = RolloutCompleted }, time.Hour, true},
	} {
		g := settledNewcomers(t)
		g.w.Rollout.Newcomers.Wait, g.w.Census.Behind = true, 1
		c.change(&g.w)
		if got := g.w.KnownDue(start.Add(c.after)); got != c.due {
			t.Errorf("%s: due %v", name, got)
		}
	}
}

// Newcomers wait again for a known machine that appears below the target, unless it cannot update.
func TestNewcomersWaitForKnownMachinesThatCanUpdate(t *testing.T) {
	old := mustVersion(t, "1.0.0")
	canaryFirst, lastBelow := []Wave{{Canaries: []string{"x"}}, {Share: 1}}, []Wave{{Share: 1e-9}}
	for name, c := range map[string]struct {
		waves []Wave
		m     Machine
		wait  bool
	}{
		"known":                      {nil, Machine{Version: old, FirstSeenAt: start, Reason: ReasonPeriodLimit}, true},
		"first seen after the rest":  {nil, Machine{Version: old, FirstSeenAt: start.Add(1), Reason: ReasonPeriodLimit}, false},
		"named by the policy":        {canaryFirst, Machine{ID: "x", Version: old, FirstSeenAt: start.Add(1), Reason: ReasonPeriodLimit}, true},
		"never asked":                {nil, Machine{Version: old, FirstSeenAt: start}, false},
		"on the target":              {nil, Machine{Version: mustVersion(t, "2.0.0"), FirstSeenAt: start, Reason: ReasonUpToDate}, false},
		"silent":                     {nil, Machine{Version: old, FirstSeenAt: start, Reason: ReasonPeriodLimit, Standing: StandingSilent}, false},
		"disabled":                   {nil, Machine{Version: old, FirstSeenAt: start, Reason: ReasonDisabledByClient}, false},
		"outside its prefix":         {nil, Machine{Version: old, FirstSeenAt: start, Reason: ReasonOutsideClientPrefix}, false},
		"overdue for its reboot":     {nil, Machine{Version: old, FirstSeenAt: start, Reason: ReasonUpdateInProgress, Attempt: Attempt{RebootOverdue: true}}, false},
		"in a later wave":            {canaryFirst, Machine{Version: old, FirstSeenAt: start, Reason: ReasonWaveNotReached}, true},
		"outside the last wave":      {lastBelow, Machine{Version: old, FirstSeenAt: start, Reason: ReasonWaveNotReached}, false},
		"before waves were removed":  {nil, Machine{Version: old, FirstSeenAt: start, Reason: ReasonWaveNotReached}, true},
		"last wave reaches everyone": {[]Wave{{Share: 1}}, Machine{Version: old, FirstSeenAt: start, Reason: ReasonWaveNotReached}, true},
	} {
		g := settledNewcomers(t, c.waves...)
		g.w.Join(&c.m)
		if got := g.w.Rollout.Newcomers.Wait; got != c.wait {
			t.Errorf("%s: wait %v", name, got)
		}
		g.w.Rollout.Newcomers = Newcomers{}
		if g.w.Join(&c.m); g.w.Rollout.Newcomers.Wait {
			t.Errorf("%s: waits although all machines count", name)
		}
	}
}

func TestNewcomersStopUnderTheRulesThatHalt(t *testing.T) {
	for name, c := range map[string]struct {
		safe            bool
		share           float64
		least           int
		evidence        Counts
		proofs, others  int // of newcomers, of known machines
		failing, halted bool
	}{
		"no failure":              {true, 0.2, 1, Counts{Succeeded: 1}, 0, 0, false, false},
		"the first one failed":    {true, 0, 0, Counts{Failed: 1}, 0, 0, true, false},
		"not the first":           {true, 0, 0, Counts{Failed: 1, Succeeded: 1}, 1, 0, false, false},
		"both went first":         {true, 0, 0, Counts{Failed: 1, Succeeded: 1}, 1, 1, false, false},
		"a known one went first":  {true, 0, 0, Counts{Failed: 1}, 0, 1, false, false},
		"no safe mode":            {false, 0, 0, Counts{Failed: 1}, 0, 0, false, false},
		"the share is reached":    {false, 0.5, 2, Counts{Failed: 1, Succeeded: 1}, 1, 0, true, true},
		"the share is not":        {false, 0.5, 3, Counts{Failed: 1, Succeeded: 2}, 1, 0, false, false},
		"one too few to judge":    {false, 0.5, 3, Counts{Failed: 2}, 1, 0, false, false},
		"as soon as one finished": {false, 0.5, 0, Counts{Failed: 1}, 1, 0, true, true},
		"none finished":           {false, 0.5, 0, Counts{}, 0, 0, false, false},
		"every failure":           {false, 1e-9, 1, Counts{Failed: 1, Succeeded: 99}, 9, 0, true, true},
	} {
		p := acceptancePolicy()
		p.SafeMode, p.HaltFailureShare, p.HaltMinAttempts = c.safe, c.share, c.least
		n := Newcomers{Evidence: c.evidence, Proofs: c.proofs}
		if got := n.Failing(&p, c.others); got != c.failing {
			t.Errorf("%s: failing %v", name, got)
		}
		if got := tooManyFailed(&p, &c.evidence); got != c.halted {
			t.Errorf("%s: halts %v", name, got)
		}
	}
}

// A newcomer waits while a known machine is below the target, at most for the policy's evidence age.
func TestNewcomerWaitsAtMostForTheEvidenceAge(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *World)
		after  time.Duration
		waits  bool
	}{
		"known machines are behind": {func(*World) {}, 24*time.Hour - time.Second, true},
		"seen for long enough":      {func(*World) {}, 24 * time.Hour, false},
		"no known machine waits":    {func(w *World) { w.Rollout.Newcomers.Wait = false }, 0, false},
		"no machine is behind":      {func(w *World) { w.Census.Behind = 0 }, 0, false},
	} {
		g := settledNewcomers(t)
		g.w.Rollout.Newcomers.Wait, g.w.Census.Behind = true, 1
		c.change(&g.w)
		seen := start.Add(time.Second)
		m := &Machine{Version: mustVersion(t, "1.0.0"), FirstSeenAt: seen}
		d := Decide(&g.w, m, Check{}, seen.Add(c.after))
		if waits := d.Reason == ReasonNewcomerWaits; waits != c.waits || waits && !d.Until.Equal(seen.Add(24*time.Hour)) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// A group in which no active machine was known before counts all machines, and so does a policy without
// an evidence age.
func TestNewcomersNeedAKnownMachine(t *testing.T) {
	for name, c := range map[string]struct {
		age   time.Duration
		known bool
		since time.Time
	}{
		"known":         {time.Hour, true, start.Add(-time.Hour)},
		"none is known": {time.Hour, false, time.Time{}},
		"no age":        {0, true, time.Time{}},
	} {
		p := acceptancePolicy()
		p.EvidenceAge = c.age
		w := World{Policy: compile(t, p)}
		w.Retarget(Aim{Target: pack(t, "2.0.0")}, ID{1}, "salt", Census{Behind: 1}, c.known, start, &Effects{})
		if n := w.Rollout.Newcomers; !n.Since.Equal(c.since) || n.Wait == c.since.IsZero() {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

// Enrolled machines count, newcomers wait for them, and their history says who did it.
func TestEnrolledMachinesAreKnown(t *testing.T) {
	p := acceptancePolicy()
	p.EvidenceAge = time.Hour
	g := newRig(t, p)
	g.target("1.0.0")
	g.check("old", "1.0.0")
	g.now = g.now.Add(2 * time.Hour)
	g.target("2.0.0")
	g.update("old", "1.0.0", "2.0.0")
	g.w.NoteKnown(false, g.now, &g.fx)
	g.want(g.check("new", "1.0.0"), ReasonGranted)
	m := g.machines["new"]
	g.fx = Effects{}
	g.w.Enroll(m, "ada", "rack 7", &g.fx)
	if !m.Enrolled || !m.KnownSince().IsZero() || g.w.newcomer(m) || !g.w.Rollout.Newcomers.Wait {
		t.Errorf("enrolled: %+v, newcomers %+v", m, g.w.Rollout.Newcomers)
	}
	if h := g.fx.History; len(h) != 1 || h[0].Detail != "enrolled by ada: rack 7" {
		t.Errorf("history %+v", h)
	}
	g.want(g.check("other", "1.0.0"), ReasonNewcomerWaits)
}
