package rollout

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"
)

// bucketByHand computes Bucket as it is documented.
func bucketByHand(salt, machine string) float64 {
	sum := sha256.Sum256([]byte(salt + machine))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

func TestBucketOfLongIDs(t *testing.T) {
	if id := strings.Repeat("x", 500); Bucket("salt", id) != bucketByHand("salt", id) {
		t.Error("an id longer than the buffer gets a different bucket")
	}
}

func TestReduceCode(t *testing.T) {
	for text, want := range map[string]int{
		"":                      0,
		"13":                    13,
		"268435469":             13,
		"1342177289":            9,
		"-1879048147":           45,
		"-1":                    0x0FFFFFFF,
		" 44 ":                  44,
		"268437956":             2500,
		"4294967296":            0,
		"garbage":               0,
		"0x10":                  0,
		"99999999999999999999":  0,
		"-99999999999999999999": 0,
	} {
		if got := ReduceCode(text); got != want {
			t.Errorf("%q is reduced to %d, want %d", text, got, want)
		}
	}
}

func TestDescribeCode(t *testing.T) {
	for code, want := range map[int]string{
		0: "no error code (code 0)", 9: "download failed (code 9)", 6: "code 6", 44: "rolled back (code 44)", 45: "code 45",
		2000: "no connection for the update check (code 2000)", 2503: "the update check got HTTP status 503 (code 2503)", 3000: "code 3000", -1: "code -1",
	} {
		if got := DescribeCode(code); got != want {
			t.Errorf("code %d is %q, want %q", code, got, want)
		}
	}
}

func TestReasonsRoundTrip(t *testing.T) {
	for r := range reasonCount {
		if r != ReasonNone && (r.String() == "" || ParseReason(r.String()) != r) {
			t.Errorf("reason %d reads %q", r, r)
		}
		if d := (Decision{Reason: r}).Detail(); (d == "") != (r == ReasonNone) || d != "" && d == r.String() {
			t.Errorf("reason %s has the text %q", r, d)
		}
	}
	if ParseReason("nonsense") != ReasonNone || reasonCount.String() != "" {
		t.Error("an unknown reason has a text")
	}
}

func TestSlicesAreReplacedNotWritten(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.MaxAttempts = 99, 99, 99
	g := newRig(t, p)
	g.target("2.0.0")
	for range 30 {
		was := g.w
		spends, failing := slices.Clone(was.Ledger.Spends), slices.Clone(was.Rollout.Failing)
		g.check("a", "1.0.0")
		g.event("a", "1.0.0", 3, 0, 9)
		g.check("b", "1.0.0")
		g.event("b", "1.0.0", 3, 0, 9)
		if !slices.Equal(was.Ledger.Spends, spends) || !slices.Equal(was.Rollout.Failing, failing) {
			t.Fatal("a copy of the world was changed")
		}
	}
}

func TestNextChange(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 9, 9
	g := newRig(t, p)
	next := func(want time.Time) {
		t.Helper()
		if got := g.w.NextChange(g.now); !got.Equal(want) {
			t.Fatalf("next change at %s, want %s", got, want)
		}
	}
	next(time.Time{}) // no target, no waves
	p.Waves = []Wave{{Canaries: []string{"a"}, Soak: time.Hour}, {Share: 0.5, Soak: time.Hour, Approval: true}, {Share: 1}}
	g.setPolicy(p)
	g.target("2.0.0")
	next(time.Time{}) // the gate waits for machine a
	g.update("a", "1.0.0", "2.0.0")
	next(start.Add(time.Hour))
	g.now = g.now.Add(2 * time.Hour)
	next(g.now) // overdue: the soak has ended
	g.tick()
	next(time.Time{}) // only an approval opens the next wave
	if !g.w.ApproveWave(g.now, &g.fx) {
		t.Fatal("nothing to approve")
	}
	next(g.now.Add(time.Hour))
	g.w.PauseUpdates(Pause{}, &g.fx)
	next(time.Time{})
	g.w.ResumeUpdates("", "", g.now, &g.fx)
	g.wait(time.Hour)
	if g.w.Rollout.Wave != 2 {
		t.Fatalf("wave %d", g.w.Rollout.Wave)
	}
	next(time.Time{})
}

func TestRetarget(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	if old := g.target("2.0.0"); old.ID != (ID{}) {
		t.Errorf("the first target ends %+v", old)
	}
	g.check("m", "1.0.0")
	was := g.w.Rollout
	if old := g.target("2.0.0", "1.5.0"); old.ID != (ID{}) || g.w.Rollout.ID != was.ID || len(g.w.Floors) != 1 {
		t.Error("retargeting to the same package starts another rollout")
	}
	old := g.target("3.0.0")
	if old.ID != was.ID || old.State != RolloutSuperseded || !old.EndedAt.Equal(g.now) {
		t.Errorf("superseded: %+v", old)
	}
	if r := g.w.Rollout; r.ID == was.ID || r.Version.String() != "3.0.0" || r.Salt == was.Salt || r.Wave != 0 || !r.StartedAt.IsZero() {
		t.Errorf("the new rollout: %+v", r)
	}
	g.update("m", "1.0.0", "3.0.0")
	g.w.PauseUpdates(Pause{}, &g.fx)
	if old := g.target(""); old.State != RolloutCompleted || g.w.Rollout.ID != (ID{}) || g.w.Target != nil {
		t.Errorf("completed, then paused, ends as %+v", old)
	}
	if g.w.Census != (Census{}) {
		t.Errorf("census without a target: %+v", g.w.Census)
	}
	// Every active machine already runs a higher version: nothing to do.
	if g.target("0.9.0"); g.w.Rollout.State != RolloutCompleted {
		t.Errorf("an older package: %+v", g.w.Rollout)
	}
}

// If a report arrives before Observe, the stored version decides whether the
// machine reached the target.
func TestReportOfTheRunningVersion(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.check("m", "1.0.0")
	m, e := g.machines["m"], Event{Type: 3, Result: 2, PreviousVersion: "1.0.0", HasPrevious: true}
	if g.w.Report(m, e, g.now, &g.fx); m.State != StateGranted {
		t.Fatalf("at %s: state %d", m.Version, m.State)
	}
	m.Version = mustVersion(t, "2.0.0")
	if g.w.Report(m, e, g.now, &g.fx); m.State != StateComplete {
		t.Fatalf("at %s: state %d", m.Version, m.State)
	}
}

// Events without a check, Leave without Abandon, HaltRollout and NextWave without
// a rollout, times in the past: nothing panics, and the counts stay right.
func TestUnusualCalls(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.w.HaltRollout("ada", "", g.now, &g.fx)
	g.w.PauseUpdates(Pause{}, &g.fx)
	g.w.ResumeUpdates("", "", g.now, &g.fx)
	g.w.Advance(g.now, &g.fx)
	if g.w.NextWave("ada", "", g.now, &g.fx) || g.w.ApproveWave(g.now, &g.fx) || g.w.Rollout.ID != (ID{}) || g.w.Rollout.State != RolloutActive || g.w.Rollout.Epoch != 0 {
		t.Errorf("without a target: %+v", g.w.Rollout)
	}
	g.target("2.0.0")
	g.check("m", "1.0.0")
	m := g.machines["m"]
	g.w.Leave(m)
	if g.w.Ledger.InFlight != 0 || g.w.Census != (Census{}) {
		t.Errorf("after leaving: %+v, %+v", g.w.Ledger, g.w.Census)
	}
	g.w.Abandon(m, g.now, &g.fx)
	g.w.Leave(&Machine{Standing: StandingSilent})
	if g.w.Ledger.InFlight != 0 || g.w.Census != (Census{}) {
		t.Errorf("after leaving twice: %+v, %+v", g.w.Ledger, g.w.Census)
	}
}

// An override with an end expires at the next request.
func TestOverridesExpire(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	m := g.machine("m", mustVersion(t, "1.0.0"))
	g.seen["m"] = g.now
	until := g.now.Add(time.Hour)
	g.w.Hold(m, Override{Kind: OverrideHold, Until: until, By: "ada", Reason: "night shift"}, g.now, &g.fx)
	if d := g.check("m", "1.0.0"); d.Reason != ReasonHeld || !d.Until.Equal(until) || d.By != "ada" || m.Standing != StandingOverridden {
		t.Errorf("held: %+v, standing %d", d, m.Standing)
	}
	g.now = until
	if d := Decide(&g.w, m, Check{}, g.now); d.Reason != ReasonGranted {
		t.Errorf("at its end: %s", d.Detail())
	}
	g.want(g.check("m", "1.0.0"), ReasonGranted)
	if m.Override != (Override{}) || m.Standing != StandingActive {
		t.Errorf("not dropped: %+v", m)
	}
	g.sound()
}

// Hold, Release and events do not make a silent machine active; only Observe
// does.
func TestSilentMachinesStaySilentUntilSeen(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.check("m", "1.0.0")
	g.wait(25 * time.Hour)
	m := g.machines["m"]
	for _, act := range []func(){
		func() { g.w.Hold(m, Override{Kind: OverrideHold}, g.now, &g.fx) },
		func() { g.w.Release(m, "ada", g.now, &g.fx) },
	} {
		if act(); m.Standing != StandingSilent {
			t.Fatalf("standing %d", m.Standing)
		}
		g.sound()
	}
	g.check("m", "1.0.0")
	if m.Standing != StandingActive {
		t.Errorf("seen, standing %d", m.Standing)
	}
	g.sound()
}

func TestOnlyARestartWithAnEmptyPreviousVersionIsIdle(t *testing.T) {
	for e, idle := range map[Event]bool{
		{Type: 3, Result: 2, HasPrevious: true}:                             true,
		{Type: 3, Result: 2, HasPrevious: true, PreviousVersion: "0.0.0.0"}: true,
		{Type: 3, Result: 2, HasPrevious: true, PreviousVersion: "1.0.0"}:   false,
		{Type: 3, Result: 2}:                     false,
		{Type: 3, Result: 1, HasPrevious: true}:  false,
		{Type: 13, Result: 2, HasPrevious: true}: false,
	} {
		if e.Idle() != idle {
			t.Errorf("%+v: idle %v", e, e.Idle())
		}
	}
}
