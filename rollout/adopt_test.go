package rollout

import (
	"testing"
	"time"
)

// An imported attempt counts as in flight but spends no grant, belongs to the current
// rollout if it has its version, and ends as any other. Adopting a machine again changes
// the counts by the difference only.
func TestAdoptedMachinesAreCountedOnce(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	current, other := g.w.Rollout.ID, ID{9}
	attempt := func(version string) Attempt {
		return Attempt{Rollout: other, Package: ID{8}, Version: mustVersion(t, version), GrantedAt: start.Add(-2 * time.Hour), DownloadingAt: start.Add(-time.Hour)}
	}
	adopt := func(m *Machine, version string, s State, a Attempt, silent bool) Effects {
		var fx Effects
		g.w.Adopt(m, Adopted{Version: mustVersion(t, version), State: s, Attempt: a, Silent: silent}, start, &fx)
		return fx
	}
	a, b, c, d := &Machine{ID: "a", FirstSeenAt: start.Add(-time.Hour)}, &Machine{ID: "b"}, &Machine{ID: "c"}, &Machine{ID: "d"}
	adopt(a, "1.0.0", StateDownloading, attempt("2.0.0"), false)
	fx := adopt(b, "1.0.0", StateDownloading, attempt("1.5.0"), false)
	adopt(c, "2.0.0", StateComplete, Attempt{}, false)
	adopt(d, "1.0.0", StateError, Attempt{}, true)
	if a.Attempt.Rollout != current || b.Attempt.Rollout != other || len(fx.Progress) != 1 || fx.Progress[0].Rollout != other {
		t.Errorf("the attempts are %+v and %+v, progress %+v", a.Attempt, b.Attempt, fx.Progress)
	}
	if !a.Attempt.LeaseUntil.Equal(start.Add(time.Hour)) {
		t.Errorf("the lease ends at %s, want an hour after the import", a.Attempt.LeaseUntil)
	}
	if l := g.w.Ledger; l.InFlight != 2 || len(l.Spends) != 0 {
		t.Errorf("the ledger is %+v", l)
	}
	if want := (Census{Behind: 2, OnTarget: 1}); g.w.Census != want { // d is silent
		t.Errorf("the census is %+v, want %+v", g.w.Census, want)
	}
	if w := g.w.Rollout.WaveCounts; w.Granted != 1 || w.Downloading != 1 {
		t.Errorf("the wave counts %+v", w)
	}

	// Read again: it has downloaded.
	later := attempt("2.0.0")
	later.DownloadedAt = start
	fx = adopt(a, "1.0.0", StateDownloaded, later, false)
	var sum Counts
	for _, p := range fx.Progress {
		sum = sum.Plus(p.Counts)
	}
	if (sum != Counts{Downloaded: 1}) || g.w.Ledger.InFlight != 2 {
		t.Errorf("reading again counted %+v, in flight %d", sum, g.w.Ledger.InFlight)
	}

	// It completes here.
	fx = Effects{}
	g.w.Observe(a, mustVersion(t, "2.0.0"), true, start.Add(time.Minute), &fx)
	if a.State != StateComplete || g.w.Ledger.InFlight != 1 || len(fx.Ended) != 1 || fx.Ended[0].Outcome != OutcomeSucceeded {
		t.Errorf("after its check from the new version: %+v, ended %+v", a, fx.Ended)
	}
}

// The reason of an imported machine is what a check would get, as far as it is known, so that it
// is in the census.
func TestAdoptedMachinesHaveAReason(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(g *rig)
		version string
		want    Reason
	}{
		"no package": {func(*rig) {}, "1.0.0", ReasonNoPackage},
		"up to date": {func(g *rig) { g.target("2.0.0") }, "2.0.0", ReasonUpToDate},
		"free":       {func(g *rig) { g.target("2.0.0") }, "1.0.0", ReasonGranted},
		"paused": {func(g *rig) {
			g.target("2.0.0")
			p := acceptancePolicy()
			p.UpdatesEnabled = false
			g.setPolicy(p)
		}, "1.0.0", ReasonPaused},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, acceptancePolicy())
			c.prepare(g)
			m, fx := &Machine{ID: "a"}, Effects{}
			g.w.Adopt(m, Adopted{Version: mustVersion(t, c.version)}, start, &fx)
			if m.Reason != c.want {
				t.Errorf("the reason is %q, want %q", m.Reason, c.want)
			}
			if n := g.w.Census.machines(); n != 1 && c.want != ReasonNoPackage {
				t.Errorf("%d machines in the census", n)
			}
		})
	}
}
