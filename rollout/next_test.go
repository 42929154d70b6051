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
			reached := w.Reaches(other.ID)
			want, got := Decide(&g.w, other, Check{}, g.now), DecideNext(w, other.Version, reached, g.now)
			if !reached && want.Reason == ReasonWaveNotReached && (got.Reason == ReasonSoaking || got.Reason == ReasonWaitingForApproval) {
				// The first machine outside is in the next wave, this one may be in a later one.
				next := *w
				next.Rollout.Wave = w.wave() + 1
				if !next.Reaches(other.ID) {
					continue
				}
			}
			seen[got.Reason]++
			got.Bucket = want.Bucket
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
		w := World{Target: c.target, Floors: c.floors}
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
