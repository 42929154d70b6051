package rollout

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// One test for each promise of docs/promises.md that the engine alone can keep. P3
// and the concurrent part of P1, P2, P6, P8 and P12 need the database; the
// acceptance tests test them.

func TestP1_CapsAreExact(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}, {1, 2, 0}} {
		p := acceptancePolicy()
		p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 5, 5
		g := newRig(t, p)
		g.target("2.0.0")
		granted := 0
		for round := range 3 {
			for i := range 40 {
				if g.check(fmt.Sprint(order[round%3], "-", i), "1.0.0").Reason == ReasonGranted {
					granted++
				}
			}
		}
		if granted != 5 || g.w.Ledger.InFlight != 5 {
			t.Fatalf("120 checks against 5 gave %d offers, %d in flight", granted, g.w.Ledger.InFlight)
		}
	}
}

// During a long day no sliding period contains more grants than the cap, and there
// are never more in flight.
func TestP1_AnyWindowHolds(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = 3, 2, 10*time.Minute
	g := newRig(t, p)
	g.target("2.0.0")
	var grants []time.Time
	for i := range 20_000 {
		g.now = g.now.Add(time.Duration(i*7919%97) * 100 * time.Millisecond)
		id := fmt.Sprint("m", i%60)
		version := "1.0.0"
		if m := g.machines[id]; m != nil && m.Attempt.Open() && i%3 > 0 {
			version = "2.0.0"
		}
		if d := g.check(id, version); d.Reason == ReasonGranted && !d.Again {
			grants = append(grants, g.now)
		}
		if g.w.Ledger.InFlight > 2 {
			t.Fatalf("%d in flight", g.w.Ledger.InFlight)
		}
		if m := g.machines[id]; m.Version.String() == "2.0.0" { // another machine takes its place
			g.w.Depart(m, g.now, &g.fx)
			delete(g.machines, id)
			if d := g.check(id, "1.0.0"); d.Reason == ReasonGranted {
				grants = append(grants, g.now)
			}
		}
	}
	for i := range grants {
		if i+3 < len(grants) && grants[i+3].Sub(grants[i]) < 10*time.Minute {
			t.Fatalf("four grants from %s to %s", grants[i], grants[i+3])
		}
	}
	if len(grants) < 200 {
		t.Fatalf("only %d grants, too few for this test", len(grants))
	}
}

func TestP2_NoGrantContradictsAnEarlierChange(t *testing.T) {
	p := acceptancePolicy()
	for name, c := range map[string]struct {
		change func(g *rig)
		want   Reason
	}{
		"pause": {func(g *rig) {
			q := g.policy
			q.UpdatesEnabled = false
			g.setPolicy(q)
			g.w.PauseUpdates(Pause{By: "ada"}, &g.fx)
		}, ReasonPaused},
		"pause of the rollout alone": {func(g *rig) { g.w.PauseUpdates(Pause{By: "ada"}, &g.fx) }, ReasonPaused},
		"policy alone":               {func(g *rig) { q := g.policy; q.UpdatesEnabled = false; g.setPolicy(q) }, ReasonPaused},
		"halt":                       {func(g *rig) { g.w.HaltRollout("ada", "", g.now, &g.fx) }, ReasonHalted},
		"smaller cap":                {func(g *rig) { q := g.policy; q.MaxConcurrentUpdates = 1; g.setPolicy(q) }, ReasonConcurrencyLimit},
		"smaller rate":               {func(g *rig) { q := g.policy; q.MaxUpdatesPerPeriod = 1; g.setPolicy(q) }, ReasonPeriodLimit},
		"office hours":               {func(g *rig) { q := g.policy; q.OfficeHours = true; g.now = g.now.AddDate(0, 0, 5); g.setPolicy(q) }, ReasonOutsideWindow},
		"blacklisted":                {func(g *rig) { target := *g.w.Target; target.Blacklisted = true; g.retarget(Aim{Target: &target}) }, ReasonBlacklisted},
		"blacklisted floor": {func(g *rig) {
			floor := pack(g.t, "1.5.0")
			floor.Blacklisted = true
			g.retarget(Aim{Target: g.w.Target, Floors: []*Package{floor}})
		}, ReasonBlacklisted},
		"no package":   {func(g *rig) { g.target("") }, ReasonNoPackage},
		"lower target": {func(g *rig) { g.target("0.9.0") }, ReasonUpToDate},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, p)
			g.target("2.0.0")
			g.want(g.check("a", "1.0.0"), ReasonGranted)
			c.change(g)
			g.want(g.check("b", "1.0.0"), c.want)
			g.sound()
		})
	}
}

// P4 concerns database statements. The engine's part: the ledger row does not grow
// with the fleet.
func TestP4_TheLedgerStaysSmall(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = 1_000_000, 1_000_000, time.Hour
	g := newRig(t, p)
	g.target("2.0.0")
	old := mustVersion(t, "1.0.0")
	for i := range 20_000 {
		m := &Machine{ID: fmt.Sprint(i), Version: old}
		g.w.Join(m)
		g.now = g.now.Add(time.Second)
		if d := g.w.Check(m, Check{}, g.now, &g.fx); d.Reason != ReasonGranted {
			t.Fatal(d.Detail())
		}
		if n := len(g.w.Ledger.Spends); n > maxSpends {
			t.Fatalf("%d entries", n)
		}
	}
	if n, _ := g.w.Ledger.used(g.now, time.Hour, 1); n < 3600 || n > 3600+3600/spendGrains {
		t.Errorf("%d grants within the hour, at one per second", n)
	}
}

// After any three events in any order, the attempt of a silent machine ends with
// its lease. FuzzReport and the random histories try longer sequences.
func TestP5_EveryAttemptEndsWithItsLease(t *testing.T) {
	events := []Event{
		{Type: 13, Result: 1}, {Type: 14, Result: 1}, {Type: 800, Result: 1}, {Type: 3, Result: 1},
		{Type: 3, Result: 2, HasPrevious: true}, {Type: 3, Result: 2, PreviousVersion: "1.0.0", HasPrevious: true},
		{Type: 3, Code: 9}, {Type: 3, Code: 44}, {Type: 3, Result: 9}, {Type: 1000, Result: 7},
	}
	for a := range events {
		for b := range events {
			for c := range events {
				p := acceptancePolicy()
				g := newRig(t, p)
				g.target("2.0.0")
				g.want(g.check("m", "1.0.0"), ReasonGranted)
				for _, e := range []Event{events[a], events[b], events[c]} {
					g.request("m", request{version: "1.0.0", events: []Event{e}})
					g.sound()
					if m := g.machines["m"]; m.Attempt.Open() && m.Attempt.LeaseUntil.Sub(g.now) > p.MaxSilence() {
						t.Fatalf("events %d, %d, %d: lease until %s", a, b, c, m.Attempt.LeaseUntil)
					}
					g.now = g.now.Add(time.Minute)
				}
				g.wait(p.MaxSilence())
				if m := g.machines["m"]; m.Attempt.Open() || g.w.Ledger.InFlight != 0 {
					t.Fatalf("events %d, %d, %d leave state %d", a, b, c, m.State)
				}
			}
		}
	}
}

func TestP6_ExpiredLeaseIsATimeout(t *testing.T) {
	for name, end := range map[string]func(g *rig){
		"by the worker":          func(g *rig) { g.tick() },
		"by its own check":       func(g *rig) { g.check("m", "1.0.0") },
		"by its own late report": func(g *rig) { g.event("m", "1.0.0", 14, 1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, acceptancePolicy())
			g.target("2.0.0")
			g.want(g.check("m", "1.0.0"), ReasonGranted)
			g.event("m", "1.0.0", 13, 1, 0)
			g.now = g.now.Add(time.Hour - time.Nanosecond)
			if g.tick(); len(g.fx.Ended) != 0 {
				t.Fatalf("ended early: %+v", g.fx.Ended)
			}
			g.now = g.now.Add(time.Nanosecond)
			end(g)
			if len(g.fx.Ended) != 1 || g.fx.Ended[0].Outcome != OutcomeTimeout || g.w.Rollout.Evidence.TimedOut != 1 {
				t.Fatalf("ended: %+v", g.fx.Ended)
			}
		})
	}
}

// Only reports of progress restart the lease, and pings after the installation. A
// ping after the lease expired does not restore the attempt.
func TestP6_OnlyProgressRestartsTheLease(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.want(g.check("m", "1.0.0"), ReasonGranted)
	lease := func(want time.Duration) {
		t.Helper()
		if got := g.machines["m"].Attempt.LeaseUntil.Sub(start); got != want {
			t.Fatalf("the lease ends %s after the grant, want %s", got, want)
		}
	}
	step := func(act func()) { g.now = g.now.Add(10 * time.Minute); act() }
	step(func() { g.check("m", "1.0.0") })
	lease(time.Hour)
	step(func() { g.event("m", "1.0.0", 13, 1, 0) })
	lease(80 * time.Minute)
	step(func() { g.check("m", "1.0.0") })
	lease(80 * time.Minute)
	step(func() { g.event("m", "1.0.0", 13, 1, 0) })
	lease(100 * time.Minute)
	step(func() { g.event("m", "1.0.0", 14, 1, 0) })
	lease(110 * time.Minute)
	step(func() { g.request("m", request{version: "1.0.0", ping: true}) })
	lease(110 * time.Minute)
	step(func() { g.event("m", "1.0.0", 3, 1, 0) })
	lease(70*time.Minute + 150*time.Minute) // three polls
	step(func() { g.request("m", request{version: "1.0.0", ping: true}) })
	lease(80*time.Minute + 150*time.Minute)
	g.now = start.Add(230 * time.Minute)
	g.request("m", request{version: "1.0.0", ping: true})
	if g.tick(); g.machines["m"].State != StateError {
		t.Error("a ping restored an attempt that had ended")
	}
}

func TestP7_ReportedVersionIsStored(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.want(g.check("m", "1.0.0"), ReasonGranted)
	g.target("3.0.0")
	g.want(g.check("m", "3.0.0"), ReasonUpToDate)
	m := g.machines["m"]
	if m.Version.String() != "3.0.0" || m.State != StateComplete {
		t.Errorf("stored %s in state %d", m.Version, m.State)
	}
	if e := g.fx.Ended; len(e) != 1 || e[0].Outcome != OutcomeSucceeded || e[0].Attempt.Version.String() != "2.0.0" || e[0].From.String() != "1.0.0" {
		t.Errorf("ended: %+v", e)
	}
	if g.w.Rollout.Proven() || g.w.Rollout.Evidence != (Counts{}) {
		t.Error("the old rollout's success is evidence for the new one")
	}
}

func TestP8_FailureEventHaltsAtOnce(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 9, 9
	p.HaltFailureShare, p.HaltMinAttempts = 0.2, 5
	g := newRig(t, p)
	g.target("2.0.0")
	for i := range 6 {
		g.want(g.check(fmt.Sprint(i), "1.0.0"), ReasonGranted)
	}
	for i := range 4 {
		g.check(fmt.Sprint(i), "2.0.0")
	}
	g.event("4", "1.0.0", 3, 0, 9)
	h := g.w.Rollout.Halt
	if g.w.Rollout.State != RolloutHalted || h.Rule != HaltFailureShare || h.Failed != 1 || h.Finished != 5 || h.Share != 0.2 {
		t.Fatalf("rollout %+v", g.w.Rollout)
	}
	if !slices.Equal(h.Machines, []string{"4"}) || len(g.activities(ActivityRolloutHalted)) != 1 {
		t.Errorf("halt %+v, activities %+v", h, g.fx.Activities)
	}
	// The grant that was not started is not repeated, and nothing else is granted.
	g.want(g.check("5", "1.0.0"), ReasonHalted)
	g.want(g.check("new", "1.0.0"), ReasonHalted)
	// A failure after the halt writes no second one.
	g.event("4", "1.0.0", 3, 0, 9)
	if len(g.activities(ActivityRolloutHalted)) != 0 {
		t.Error("halted twice")
	}
}

func TestP8_AtMostTwentyFailedMachinesAreListed(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 99, 99
	p.HaltFailureShare, p.HaltMinAttempts = 1, 30
	g := newRig(t, p)
	g.target("2.0.0")
	for i := range 30 {
		g.want(g.check(fmt.Sprint(i), "1.0.0"), ReasonGranted)
		g.event(fmt.Sprint(i), "1.0.0", 3, 0, 9)
	}
	if h := g.w.Rollout.Halt; len(h.Machines) != 20 || h.Machines[0] != "10" || h.Machines[19] != "29" {
		t.Errorf("halt names %v", h.Machines)
	}
}

func TestP9_ResumeIgnoresEarlierFailures(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 9, 9
	p.HaltFailureShare, p.HaltMinAttempts = 0.5, 2
	g := newRig(t, p)
	g.target("2.0.0")
	for i := range 4 {
		g.want(g.check(fmt.Sprint(i), "1.0.0"), ReasonGranted)
		g.event(fmt.Sprint(i), "1.0.0", 13, 1, 0)
	}
	g.event("0", "1.0.0", 3, 0, 9)
	g.event("1", "1.0.0", 3, 0, 9)
	if g.w.Rollout.State != RolloutHalted {
		t.Fatal("not halted")
	}
	g.fx = Effects{}
	g.w.ResumeUpdates("ada", "understood", g.now, &g.fx)
	if a := g.activities(ActivityResumed); len(a) != 1 || g.w.Rollout.Evidence != (Counts{}) || g.w.Rollout.Failing != nil {
		t.Fatalf("resumed with %+v, %+v", a, g.w.Rollout)
	}
	// Attempts from before the resume that fail or time out do not halt again.
	g.event("2", "1.0.0", 3, 0, 9)
	g.wait(2 * time.Hour)
	if len(g.w.Rollout.Failing) != 0 || g.machines["3"].State != StateError || g.w.Rollout.State != RolloutActive || g.w.Rollout.Evidence.Finished() != 0 {
		t.Fatalf("old attempts count: %+v", g.w.Rollout)
	}
	// New failures halt again.
	for i := range 2 {
		g.want(g.check(fmt.Sprint(i), "1.0.0"), ReasonGranted)
		g.event(fmt.Sprint(i), "1.0.0", 3, 0, 9)
	}
	if h := g.w.Rollout.Halt; g.w.Rollout.State != RolloutHalted || h.Finished != 2 {
		t.Errorf("new failures: %+v", g.w.Rollout)
	}
}

func TestP10_EveryWayToCompleteIsDetected(t *testing.T) {
	for name, finish := range map[string]func(g *rig){
		"by check":      func(g *rig) { g.check("b", "2.0.0") },
		"by event":      func(g *rig) { g.event("b", "2.0.0", 3, 2, 0) },
		"by quarantine": func(g *rig) { g.event("b", "1.0.0", 3, 0, 44) },
		"by silence":    func(g *rig) { g.wait(12 * time.Hour); g.check("a", "2.0.0"); g.wait(12 * time.Hour) },
		"by hold":       func(g *rig) { g.w.Hold(g.machines["b"], Override{Kind: OverrideHold}, g.now, &g.fx) },
		"by leaving, worker": func(g *rig) {
			m := g.machines["b"]
			g.w.Leave(m)
			delete(g.machines, "b")
			g.order = g.order[:1]
			g.tick()
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, acceptancePolicy())
			g.target("2.0.0")
			g.check("a", "1.0.0")
			g.check("b", "1.0.0")
			g.check("a", "2.0.0")
			if g.w.Rollout.State != RolloutActive {
				t.Fatal("completed while b is behind")
			}
			finish(g)
			if g.w.Rollout.State != RolloutCompleted || g.w.Rollout.EndedAt.IsZero() || len(g.activities(ActivityRolloutFinished)) != 1 {
				t.Fatalf("rollout %+v, activities %+v", g.w.Rollout, g.fx.Activities)
			}
			g.sound()
			// Machines that join later are updated, and the rollout does not complete twice.
			g.wait(15 * time.Minute)
			g.want(g.check("late", "1.0.0"), ReasonGranted)
			g.check("late", "2.0.0")
			if len(g.activities(ActivityRolloutFinished)) != 0 {
				t.Error("finished twice")
			}
		})
	}
}

func TestP11_GrowingWaveRemovesNoMachine(t *testing.T) {
	for _, salt := range []string{"one", "two"} {
		w := World{Policy: compile(t, Policy{
			UpdatesEnabled: true, MaxUpdatesPerPeriod: 1, MaxConcurrentUpdates: 1, PeriodInterval: 1, UpdateTimeout: 1, RebootTimeout: 1, MaxAttempts: 1, RebootOverdueAfter: 1, RebootOverdueLimit: 1,
			Waves: []Wave{{Share: 0.01, MinFinished: 1}, {Share: 0.5, MinFinished: 1}, {Share: 1}},
		})}
		w.Rollout.Salt = salt
		var in [3]int
		for i := range 10_000 {
			id := fmt.Sprintf("%032x", i)
			before := false
			for wave := range 3 {
				now := w.reaches(wave, id, 0, Bucket(salt, id))
				if before && !now {
					t.Fatalf("%s is in wave %d and not in the next", id, wave)
				}
				if now {
					in[wave]++
				}
				before = now
			}
		}
		if in[0] < 60 || in[0] > 140 || in[1] < 4800 || in[1] > 5200 || in[2] != 10_000 {
			t.Errorf("waves of 1, 50 and 100 %% of 10,000 hold %v", in)
		}
	}
	// Another rollout has another order.
	if Bucket("one", "m") == Bucket("two", "m") {
		t.Error("two salts give the same bucket")
	}
	// The bucket is the documented one.
	if got, want := Bucket("salt", "m"), bucketByHand("salt", "m"); got != want {
		t.Errorf("bucket %v, by hand %v", got, want)
	}
}

func TestP12_OneStartPerRollout(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	started := 0
	for _, version := range []string{"2.0.0", "3.0.0"} {
		g.target(version)
		if len(g.activities(ActivityRolloutStarted)) != 0 {
			t.Fatal("started without a grant")
		}
		for i := range 10 {
			g.check(fmt.Sprint(i), "1.0.0")
			started += len(g.activities(ActivityRolloutStarted))
			g.wait(10 * time.Minute)
		}
		g.w.ResumeUpdates("ada", "", g.now, &g.fx)
		g.check("x", "1.0.0")
		started += len(g.activities(ActivityRolloutStarted))
	}
	if started != 2 {
		t.Errorf("%d starts of two rollouts", started)
	}
}

// The offer is always higher than the version of the machine, for any target and
// floors.
func TestNothingIsDowngraded(t *testing.T) {
	versions := []string{"", "0.9.0", "1.0.0-rc.1", "1.0.0", "1.0.0+5", "1.5.0", "2.0.0", "10.0.0"}
	for _, target := range versions[1:] {
		for _, floor := range versions[1:] {
			for _, running := range versions {
				g := newRig(t, acceptancePolicy())
				g.target(target, floor)
				d := g.check("m", running)
				r := mustVersion(t, running)
				if d.Offer != nil && !r.Less(d.Offer.Version) || (d.Offer == nil) != !r.Less(g.w.Target.Version) {
					t.Fatalf("target %s, floor %s: %q is offered %v (%s)", target, floor, running, d.Offer, d.Reason)
				}
			}
		}
	}
}
