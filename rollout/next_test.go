package rollout

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

// DecideNext agrees with Decide for a new machine at every step of a long history,
// inside and outside the open waves.
func TestDecideNextAgreesWithDecide(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.SafeMode = 1, true
	p.Windows = []calendar.Window{{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, Start: 6 * 60, End: 20 * 60}}
	p.Waves = []Wave{{Share: 0.1, Canaries: []string{"m1", "m2"}, MinFinished: 2}, {Share: 0.2, Soak: time.Hour}, {Share: 0.5, MinFinished: 3, MinSuccessShare: 0.5, Approval: true}, {Share: 1}}
	g := newRig(t, p)
	g.target("2.0.0")
	random := rand.New(rand.NewPCG(1, 2))
	seen := map[Reason]int{}
	for i := range 6000 {
		id := fmt.Sprint("m", random.IntN(60))
		version := "1.0.0"
		if m := g.machines[id]; m != nil {
			version = m.Version.String()
			if m.Attempt.Open() && random.IntN(4) > 0 {
				version = m.Attempt.Version.String()
			}
		}
		g.check(id, version)
		g.wait(time.Duration(random.IntN(6)) * time.Minute)
		switch i % 500 {
		case 60:
			g.w.HaltRollout("ada", "look", g.now, &g.fx)
		case 70, 170, 220, 270, 320, 370, 420, 470:
			g.w.ResumeUpdates("ada", "fine", g.now, &g.fx)
		case 400:
			g.w.ApproveWave(g.now, &g.fx)
		case 499:
			g.target(fmt.Sprintf("2.%d.0", i))
		}
		w := g.w.Settled(g.now)
		for k := range 5 {
			other := &Machine{ID: fmt.Sprint("other-", i, "-", k), Version: mustVersion(t, "1.0.0")}
			reached := w.Reaches(other.ID, 0)
			want, got := Decide(&g.w, other, Check{}, g.now), DecideNext(w, other.Version, reached, g.now)
			if !reached && want.Reason == ReasonWaveNotReached && (got.Reason == ReasonSoaking || got.Reason == ReasonWaitingForApproval) {
				// The first machine outside is in the next wave, this one may be in a later one.
				next := *w
				next.Rollout.Wave = w.wave() + 1
				if !next.Reaches(other.ID, other.SelectedWave) {
					continue
				}
			}
			seen[got.Reason]++
			got.Bucket, got.Own = want.Bucket, want.Own
			if got != want {
				t.Fatalf("at %s, reached %v: DecideNext %+v, Decide %+v", g.now, reached, got, want)
			}
			if w.Wait(got) == "" {
				t.Fatalf("no text for %+v", got)
			}
		}
	}
	for _, r := range []Reason{
		ReasonHalted, ReasonOutsideWindow, ReasonWaveNotReached, ReasonSoaking, ReasonWaitingForApproval,
		ReasonSafeModeFirst, ReasonConcurrencyLimit, ReasonPeriodLimit, ReasonGranted,
	} {
		if seen[r] == 0 {
			t.Errorf("%s never occurred, so it is not tested (%v)", r, seen)
		}
	}
}

func TestWait(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 9, 9
	p.Waves = []Wave{{Canaries: []string{"a", "b"}, Soak: time.Hour, Approval: true}, {Share: 0.5, MinFinished: 4, MinSuccessShare: 0.9}, {Share: 0.75}}
	g := newRig(t, p)
	g.target("2.0.0")
	expect := func(want string) {
		t.Helper()
		w := g.w.Settled(g.now)
		if got := w.Wait(DecideNext(w, mustVersion(t, "1.0.0"), false, g.now)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	expect("wave 1 of 3 reaches 2 listed machines; its gate waits: 0 of 2 updates finished")
	g.update("a", "1.0.0", "2.0.0")
	expect("wave 1 of 3 reaches 2 listed machines; its gate waits: 1 of 2 updates finished")
	g.update("b", "1.0.0", "2.0.0")
	expect("wave 1 of 3 soaks until 2026-03-02 11:00:00 UTC, then the next wave needs an approval")
	g.wait(time.Hour)
	expect("the next wave opens after an approval of wave 1")
	g.w.ApproveWave(g.now, &g.fx)
	expect("wave 2 of 3 reaches 50 % of the machines; its gate waits: 0 of 4 updates finished")
	g.w.Rollout.WaveCounts = Counts{Granted: 4, Succeeded: 3, Failed: 1}
	expect("wave 2 of 3 reaches 50 % of the machines; its gate waits: 75 % of them succeeded, 90 % is required")
	g.w.NextWave("ada", "", g.now, &g.fx)
	expect("wave 3 of 3 reaches 75 % of the machines and is the last; other machines are not updated")
	g.w.HaltRollout("ada", "smoke", g.now, &g.fx)
	expect("the rollout is halted: stopped by ada: smoke")
}

func TestPathOverFloors(t *testing.T) {
	black := func(p *Package) *Package { p.Blacklisted = true; return p }
	floors := []*Package{pack(t, "1.5.0"), pack(t, "1.8.0")}
	for _, c := range []struct {
		from   string
		target *Package
		floors []*Package
		end    Reason
		steps  string
	}{
		{"1.0.0", pack(t, "2.0.0"), floors, ReasonGranted, "[1.5.0 1.8.0 2.0.0]"},
		{"1.5.0", pack(t, "2.0.0"), floors, ReasonGranted, "[1.8.0 2.0.0]"},
		{"1.9.0", pack(t, "2.0.0"), floors, ReasonGranted, "[2.0.0]"},
		{"2.0.0", pack(t, "2.0.0"), floors, ReasonUpToDate, "[]"},
		{"3.0.0", pack(t, "2.0.0"), floors, ReasonUpToDate, "[]"},
		{"1.0.0", nil, nil, ReasonNoPackage, "[]"},
		{"1.0.0", pack(t, "1.8.0"), floors, ReasonGranted, "[1.5.0 1.8.0]"},
		{"1.0.0", black(pack(t, "2.0.0")), floors, ReasonBlacklisted, "[]"},
		{"1.0.0", pack(t, "2.0.0"), []*Package{pack(t, "1.5.0"), black(pack(t, "1.8.0"))}, ReasonBlacklisted, "[1.5.0]"},
	} {
		w := World{Aim: Aim{Target: c.target, Floors: c.floors}}
		steps, end := w.Path(mustVersion(t, c.from))
		texts := []string{}
		for _, s := range steps {
			texts = append(texts, s.Version.String())
		}
		if end != c.end || fmt.Sprint(texts) != c.steps {
			t.Errorf("from %s: %v, %s; want %s, %s", c.from, texts, end, c.steps, c.end)
		}
	}
}

// A wave that only adds canaries reaches its first new one; a wave that adds none says so.
func TestNextMachineMayBeACanaryOfTheNextWave(t *testing.T) {
	for name, c := range map[string]struct {
		next Wave
		want string
	}{
		"a new canary": {Wave{Share: 0.5, Canaries: []string{"a", "b"}}, "wave 1 of 3 soaks until 2026-03-02 11:00:00 UTC, then the next wave opens"},
		"no new one":   {Wave{Share: 0.5, Canaries: []string{"a"}}, "wave 1 of 3 reaches 1 listed machine and 50 % of the machines, and the next wave adds no machines"},
		"a share":      {Wave{Share: 0.6}, "wave 1 of 3 soaks until 2026-03-02 11:00:00 UTC, then the next wave opens"},
	} {
		p := acceptancePolicy()
		p.Waves = []Wave{{Share: 0.5, Canaries: []string{"a"}, Soak: time.Hour}, c.next, {Share: 1}}
		g := newRig(t, p)
		g.target("2.0.0")
		if got := g.w.Wait(DecideNext(&g.w, mustVersion(t, "1.0.0"), false, g.now)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestWaitNamesTheApprovalOnlyWhileItIsMissing(t *testing.T) {
	p := acceptancePolicy()
	p.Waves = []Wave{{Share: 0.5, Soak: time.Hour, Approval: true}, {Share: 1}}
	g := newRig(t, p)
	g.target("2.0.0")
	const soaks = "wave 1 of 2 soaks until 2026-03-02 11:00:00 UTC, then the next wave "
	for _, want := range []string{soaks + "needs an approval", soaks + "opens"} {
		if got := g.w.Wait(DecideNext(&g.w, mustVersion(t, "1.0.0"), false, g.now)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		g.w.ApproveWave(g.now, &g.fx)
	}
}

// The gate of a wave without conditions misses nothing, and one of a share misses the share only.
func TestWaitNamesWhatTheGateMisses(t *testing.T) {
	for name, c := range map[string]struct {
		wave   Wave
		counts Counts
		aside  int
		want   string
	}{
		"enough finished":      {Wave{Share: 0.5, MinFinished: 2, MinSuccessShare: 1}, Counts{Succeeded: 1, Failed: 1}, 0, "; its gate waits: 50 % of them succeeded, 100 % is required"},
		"both":                 {Wave{Share: 0.5, MinFinished: 3, MinSuccessShare: 1}, Counts{Succeeded: 1, Failed: 1}, 0, "; its gate waits: 2 of 3 updates finished, 50 % of them succeeded, 100 % is required"},
		"none finished":        {Wave{Share: 0.5, MinFinished: 1, MinSuccessShare: 1}, Counts{}, 0, "; its gate waits: 0 of 1 update finished"},
		"failed before resume": {Wave{Share: 0.5, MinFinished: 2, MinSuccessShare: 1}, Counts{Succeeded: 1, Failed: 1}, 1, "; its gate waits: 1 of 2 updates finished"},
		"exactly the share":    {Wave{Share: 0.5, MinFinished: 3, MinSuccessShare: 0.5}, Counts{Succeeded: 1, Failed: 1}, 0, "; its gate waits: 2 of 3 updates finished"},
		"any share":            {Wave{Share: 0.5, MinFinished: 3}, Counts{Failed: 2}, 0, "; its gate waits: 2 of 3 updates finished"},
		"nothing":              {Wave{Share: 0.5}, Counts{}, 0, ""},
	} {
		p := acceptancePolicy()
		p.Waves = []Wave{c.wave, {Share: 1}}
		g := newRig(t, p)
		g.w.Target = pack(t, "2.0.0")
		g.w.Rollout.WaveCounts, g.w.Rollout.SetAside = c.counts, c.aside
		if got, want := g.w.Wait(Decision{Reason: ReasonWaveNotReached}), "wave 1 of 2 reaches 50 % of the machines"+c.want; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Machines are outside the open waves only while a wave with a share below 100 % is the current one.
func TestReachedMachines(t *testing.T) {
	for name, c := range map[string]struct {
		waves  []Wave
		holds  bool
		inside bool
	}{
		"no waves":      {nil, false, true},
		"canaries":      {[]Wave{{Canaries: []string{"x"}}, {Share: 1}}, true, false},
		"named":         {[]Wave{{Canaries: []string{"m"}}, {Share: 1}}, true, true},
		"named later":   {[]Wave{{Canaries: []string{"x"}}, {Share: 1, Canaries: []string{"m"}}}, true, false},
		"all at once":   {[]Wave{{Share: 1}}, false, true},
		"a small share": {[]Wave{{Share: 1e-9}}, true, false},
	} {
		p := acceptancePolicy()
		p.Waves = c.waves
		g := newRig(t, p)
		g.w.Target = pack(t, "2.0.0")
		if holds, inside := g.w.WavesHold(), g.w.Reaches("m", selectedWave(p, "m")); holds != c.holds || inside != c.inside {
			t.Errorf("%s: waves hold %v, m is inside %v", name, holds, inside)
		}
	}
}

// No machine is outside a wave of 100 %, so the next one is decided like one inside.
func TestNextMachineIsInsideAWaveOfAllMachines(t *testing.T) {
	p := acceptancePolicy()
	p.Waves = []Wave{{Share: 1, MinFinished: 1}, {Share: 1}}
	g := newRig(t, p)
	g.target("2.0.0")
	for _, reached := range []bool{true, false} {
		g.want(DecideNext(&g.w, mustVersion(t, "1.0.0"), reached, g.now), ReasonGranted)
	}
}

// While a rollout is paused no wave opens, so nothing waits for an approval that is not required.
func TestExplainOfAPausedWaveNamesNoApproval(t *testing.T) {
	for approval, want := range map[bool]Reason{false: ReasonWaveNotReached, true: ReasonWaitingForApproval} {
		p := acceptancePolicy()
		p.Waves = []Wave{{Canaries: []string{"x"}, Soak: time.Hour, Approval: approval}, {Share: 1}}
		g := newRig(t, p)
		g.target("2.0.0")
		g.update("x", "1.0.0", "2.0.0")
		g.check("m", "1.0.0")
		g.w.PauseUpdates(Pause{}, &g.fx)
		g.wait(time.Hour)
		if steps := Explain(&g.w, g.machines["m"], Check{}, g.now); steps[11].Reason != want {
			t.Errorf("approval %v: %+v", approval, steps[11])
		}
	}
}

// When only newcomers are left, a gate asks for no more known machines than finished, without those that
// failed before a resume.
func TestGateWaitsForNoKnownMachineWhenAllAreDone(t *testing.T) {
	p := acceptancePolicy()
	p.Waves = []Wave{{Share: 0.5, MinFinished: 5}, {Share: 1}}
	for aside := range 2 {
		g := newRig(t, p)
		g.target("2.0.0")
		g.w.Rollout.WaveCounts, g.w.Rollout.SetAside = Counts{Succeeded: 2, Failed: aside}, aside
		if g.w.Advance(g.now, &g.fx); g.w.Rollout.Wave != 0 {
			t.Errorf("open before: %+v", g.w.Rollout)
		}
		g.w.Rollout.Newcomers.Since = start
		if g.w.Advance(g.now, &g.fx); g.w.Rollout.Wave != 1 {
			t.Errorf("%d set aside: %+v", aside, g.w.Rollout)
		}
	}
}
