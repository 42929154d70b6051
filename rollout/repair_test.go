package rollout

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// ahead runs f while the clock is a day ahead.
func (g *rig) ahead(f func()) {
	g.now = g.now.Add(24 * time.Hour)
	f()
	g.now = g.now.Add(-24 * time.Hour)
}

// repair repairs the group and its machines, as the worker does.
func (g *rig) repair() {
	g.fx = Effects{}
	g.w.Repair(g.now, &g.fx)
	for _, id := range g.order {
		g.w.RepairLease(g.machines[id], g.now, &g.fx)
	}
}

func TestGrantsFromTheFutureBlockOnePeriod(t *testing.T) {
	p := acceptancePolicy()
	p.MaxConcurrentUpdates = 10
	g := newRig(t, p)
	g.target("2.0.0")
	g.want(g.check("early", "1.0.0"), ReasonGranted)
	g.ahead(func() {
		g.want(g.check("a", "1.0.0"), ReasonGranted)
		g.want(g.check("b", "1.0.0"), ReasonGranted)
	})
	g.repair()
	if len(g.fx.Activities) != 1 || g.fx.Activities[0].Kind != ActivityTimesRepaired ||
		g.fx.Activities[0].Detail != "stored times were up to 1 day in the future and were set to now: a server's clock was wrong" {
		t.Errorf("activities %+v", g.fx.Activities)
	}
	if d := g.check("c", "1.0.0"); d.Reason != ReasonPeriodLimit || d.Until.After(g.now.Add(p.PeriodInterval)) {
		t.Errorf("answered %+v", d)
	}
	g.repair()
	if len(g.fx.Activities)+len(g.fx.History) != 0 {
		t.Errorf("repaired twice: %+v", g.fx)
	}
	g.now = g.now.Add(p.PeriodInterval)
	g.want(g.check("c", "1.0.0"), ReasonGranted)
}

func TestRepairedLedgerKeepsItsGrants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		period := time.Duration(rapid.IntRange(1, 3600).Draw(t, "period")) * time.Second
		var l Ledger
		now, total := start, 0
		for range rapid.IntRange(0, 40).Draw(t, "grants") {
			now = now.Add(time.Duration(rapid.IntRange(-7200, 7200).Draw(t, "seconds")) * time.Second)
			l.spend(now, period)
		}
		for _, s := range l.Spends {
			total += s.Count
		}
		was := slices.Clone(l.Spends)
		l.repair(now)
		for i, s := range l.Spends {
			if total -= s.Count; s.First.After(s.Last) || i > 0 && s.First.Before(l.Spends[i-1].Last) {
				t.Fatalf("entry %d of %v", i, l.Spends)
			}
		}
		if total != 0 {
			t.Fatalf("%d grants were lost: %v became %v", total, was, l.Spends)
		}
		if n := l.Granted(now.Add(period+Skew), period); n != 0 {
			t.Fatalf("%d grants count after a period: %v", n, l.Spends)
		}
	})
}

func TestLeaseFromTheFutureIsCut(t *testing.T) {
	p := acceptancePolicy()
	g := newRig(t, p)
	g.target("2.0.0")
	g.want(g.check("right", "1.0.0"), ReasonGranted)
	right := g.machines["right"].Attempt.LeaseUntil
	g.ahead(func() {
		g.machines["right"].LastSeenAt = g.now // a ping restarts no lease
		g.want(g.check("future", "1.0.0"), ReasonGranted)
		g.event("future", "1.0.0", 13, 1, 0)
	})
	g.repair()
	if a := g.machines["right"].Attempt; !a.LeaseUntil.Equal(right) || !g.machines["right"].LastSeenAt.Equal(g.now) {
		t.Errorf("a right lease became %+v", a)
	}
	a := g.machines["future"].Attempt
	if !a.GrantedAt.Equal(g.now) || !a.DownloadingAt.Equal(g.now) || !a.LeaseUntil.Equal(g.now.Add(p.UpdateTimeout)) {
		t.Errorf("a lease from the future became %+v", a)
	}
	if len(g.fx.History) != 1 || g.fx.History[0].Machine != "future" {
		t.Errorf("history %+v", g.fx.History)
	}
	g.wait(p.UpdateTimeout)
	for _, id := range []string{"right", "future"} {
		if m := g.machines[id]; m.Attempt.Open() || m.Last.Outcome != OutcomeTimeout {
			t.Errorf("%s: %+v", id, m)
		}
	}
	g.sound()
}

func TestExtensionOfAnOutageThatWasNoneIsTakenBack(t *testing.T) {
	p := acceptancePolicy()
	g := newRig(t, p)
	g.target("2.0.0")
	g.want(g.check("m", "1.0.0"), ReasonGranted)
	m := g.machines["m"]
	outage := Outage{From: g.now.Add(time.Second), To: g.now.Add(24 * time.Hour)}
	g.w.Outages = []Outage{outage}
	g.ahead(func() { g.w.Expire(m, g.now, &g.fx) })
	if !m.Attempt.Open() || m.Attempt.Extended < 24*time.Hour {
		t.Fatalf("attempt %+v", m.Attempt)
	}
	g.repair()
	if m.Attempt.Extended < 24*time.Hour || len(g.fx.History) != 0 {
		t.Errorf("an outage was ignored: %+v", m.Attempt)
	}
	g.w.Outages = nil
	g.repair()
	if m.Attempt.Extended != 0 || !m.Attempt.LeaseUntil.Equal(g.now.Add(p.UpdateTimeout)) {
		t.Errorf("attempt %+v", m.Attempt)
	}
}

func TestSoakFromTheFutureBeginsNow(t *testing.T) {
	p := acceptancePolicy()
	p.Waves = []Wave{{Share: 0.5, Soak: time.Hour}, {Share: 1}}
	g := newRig(t, p)
	g.ahead(func() {
		g.target("2.0.0")
		g.check("m", "1.0.0")
	})
	g.repair()
	if r := g.w.Rollout; !r.GateAt.Equal(g.now) || !r.WaveAt.Equal(g.now) || !r.CreatedAt.Equal(g.now) || !r.ProgressAt.Equal(g.now) {
		t.Fatalf("rollout %+v", r)
	}
	g.wait(time.Hour)
	if g.w.Rollout.Wave != 1 {
		t.Errorf("wave %d after its soak time", g.w.Rollout.Wave)
	}
}

func TestSmallDifferencesAreNotRepaired(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.now = g.now.Add(5 * time.Second)
	g.want(g.check("m", "1.0.0"), ReasonGranted)
	was := *g.machines["m"]
	g.now = start
	g.repair()
	if len(g.fx.Activities)+len(g.fx.History) != 0 || *g.machines["m"] != was {
		t.Errorf("repaired: %+v", g.fx)
	}
}

func TestAgoSkipsOutages(t *testing.T) {
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	outages := []Outage{{at(1), at(2)}, {at(10), at(20)}, {at(22), at(23)}}
	for _, c := range []struct{ hours, want int }{{1, 23}, {2, 21}, {3, 20}, {4, 9}, {12, 0}, {13, -1}} {
		if got := Ago(at(24), time.Duration(c.hours)*time.Hour, outages); !got.Equal(at(c.want)) {
			t.Errorf("%d hours ago is %s, want %s", c.hours, got, at(c.want))
		}
	}
}

func TestRepairOfAMachineReportsWhetherItChanged(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.check("m", "1.0.0")
	m := g.machines["m"]
	if g.w.RepairMachine(m, g.now, &g.fx) || g.w.RepairLease(m, g.now, &g.fx) {
		t.Error("right times were changed")
	}
	g.ahead(func() { g.check("m", "1.0.0") })
	if !g.w.RepairMachine(m, g.now, &g.fx) || g.w.RepairMachine(m, g.now, &g.fx) {
		t.Error("not repaired once")
	}
	g.ahead(func() { g.check("m", "1.0.0") })
	if !g.w.RepairLease(m, g.now, &g.fx) || g.w.RepairLease(m, g.now, &g.fx) {
		t.Error("not repaired once, with the lease")
	}
}

// What a real outage added stays when the lease is cut.
func TestLeaseThatIsCutKeepsItsExtension(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.w.Reboots = false
	g.target("2.0.0")
	g.ahead(func() { g.check("m", "1.0.0") })
	g.w.Outages = []Outage{outage(25*time.Hour, 26*time.Hour)}
	m := g.machines["m"]
	g.ahead(func() {
		g.now = g.now.Add(2 * time.Hour)
		g.w.Expire(m, g.now, &g.fx)
	})
	g.now = start
	const extension = time.Hour + 50*time.Minute // and the usual time between polls
	if m.Attempt.Extended != extension {
		t.Fatalf("extended by %s", m.Attempt.Extended)
	}
	g.repair()
	if want := start.Add(g.policy.UpdateTimeout + extension); !m.Attempt.LeaseUntil.Equal(want) {
		t.Errorf("the lease ends at %s, want %s", m.Attempt.LeaseUntil, want)
	}
}
