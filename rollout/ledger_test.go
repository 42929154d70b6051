package rollout

import (
	"slices"
	"testing"
	"time"
)

// The clocks of processes differ: a grant is never recorded before the previous
// one.
func TestLedgerWithClocksThatDiffer(t *testing.T) {
	var l Ledger
	l.spend(start, time.Hour)
	l.spend(start.Add(-10*time.Minute), time.Hour)
	if n, frees := l.used(start.Add(55*time.Minute), time.Hour, 1); n != 2 || !frees.Equal(start.Add(time.Hour)) {
		t.Errorf("%d used, frees %s", n, frees)
	}
}

// Compared with a list of all grants, merged entries never exceed the cap and
// delay a grant by at most 1/128 of the period.
func TestLedgerAgreesWithAListOfGrants(t *testing.T) {
	const limit = 300
	for _, every := range []time.Duration{time.Nanosecond, time.Second, 7 * time.Second, 28 * time.Second, time.Minute} {
		t.Run(every.String(), func(t *testing.T) { ledgerAgainstList(t, time.Hour, every, limit) })
		// A period longer than the day for which older entries are kept.
		t.Run("100 × "+every.String(), func(t *testing.T) { ledgerAgainstList(t, 100*time.Hour, 100*every, limit) })
	}
}

func ledgerAgainstList(t *testing.T, period, every time.Duration, limit int) {
	var l Ledger
	var grants []time.Time
	var delayed time.Duration
	for now := start; now.Before(start.Add(5 * period)); now = now.Add(every) {
		recent := len(grants) - lowerBound(grants, now.Add(-period))
		used, _ := l.used(now, period, limit)
		if used < recent {
			t.Fatalf("the ledger has %d of %d grants", used, recent)
		}
		if used < limit {
			l.spend(now, period)
			grants = append(grants, now)
			delayed = 0
		} else if recent < limit {
			if delayed += every; delayed > period/spendGrains {
				t.Fatalf("a grant is delayed by %s", delayed)
			}
		}
		if every < time.Millisecond && len(grants) == limit {
			break
		}
	}
	for i := range grants {
		if i+limit < len(grants) && grants[i+limit].Sub(grants[i]) < period {
			t.Fatalf("%d grants within a period", limit+1)
		}
	}
}

// lowerBound returns how many grants are at or before a given time.
func lowerBound(grants []time.Time, at time.Time) int {
	i, _ := slices.BinarySearchFunc(grants, at, func(g, at time.Time) int {
		if g.After(at) {
			return 1
		}
		return -1
	})
	return i
}

// A much longer period may merge entries, which only delays grants.
func TestLedgerAfterALongerPeriod(t *testing.T) {
	var l Ledger
	now := start
	for range 400 {
		now = now.Add(time.Second)
		l.spend(now, time.Minute)
	}
	before, _ := l.used(now, time.Hour, 1)
	if before < 128 {
		t.Fatalf("%d grants of the last hour are counted", before)
	}
	for range 200 {
		now = now.Add(time.Minute)
		l.spend(now, 24*time.Hour)
		if len(l.Spends) > maxSpends {
			t.Fatalf("%d entries", len(l.Spends))
		}
	}
	if n, _ := l.used(now, 24*time.Hour, 1); n != before+200 {
		t.Errorf("%d grants are counted, want %d", n, before+200)
	}
}

// Grants closer together than 1/128 of the period share an entry; those exactly as far apart do not.
func TestLedgerEntriesAreApartByAGrainOfThePeriod(t *testing.T) {
	const grain = time.Minute / spendGrains
	for apart, entries := range map[time.Duration]int{grain - 1: 1, grain: 2} {
		var l Ledger
		l.spend(start, time.Minute)
		l.spend(start.Add(apart), time.Minute)
		if len(l.Spends) != entries {
			t.Errorf("%s apart: %d entries, want %d", apart, len(l.Spends), entries)
		}
	}
}

// A ledger keeps 129 entries, and no grant is forgotten when they are full.
func TestLedgerKeepsAsManyEntriesAsItMay(t *testing.T) {
	var l Ledger
	for i := range maxSpends {
		l.spend(start.Add(time.Duration(i)*time.Second), time.Second)
	}
	if len(l.Spends) != maxSpends {
		t.Errorf("%d entries, want %d", len(l.Spends), maxSpends)
	}
	now := start.Add(time.Hour)
	l.spend(now, 24*time.Hour)
	if n := l.Granted(now, 24*time.Hour); len(l.Spends) != maxSpends || n != maxSpends+1 {
		t.Errorf("%d entries count %d grants, want %d and %d", len(l.Spends), n, maxSpends, maxSpends+1)
	}
}

// More grants than the cap allows: the answer says when enough of them leave the period, not when the first
// does.
func TestPeriodLimitEndsWhenEnoughGrantsLeftThePeriod(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 3, 9
	g := newRig(t, p)
	g.target("2.0.0")
	for _, id := range []string{"a", "b", "c"} {
		g.want(g.check(id, "1.0.0"), ReasonGranted)
		g.now = g.now.Add(time.Minute)
	}
	p.MaxUpdatesPerPeriod = 1
	g.setPolicy(p)
	last := g.now.Add(-time.Minute)
	if d := g.check("d", "1.0.0"); d.Reason != ReasonPeriodLimit || d.InFlight != 3 || d.Cap != 1 || !d.Until.Equal(last.Add(p.PeriodInterval)) {
		t.Errorf("%+v", d)
	}
}

// A machine takes back the grant that it lost before it began, others do not. No
// machine beyond the cap gets one.
func TestMachineTakesBackItsWithdrawnGrant(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = 2, 3, time.Hour
	g := newRig(t, p)
	g.target("2.0.0")
	g.want(g.check("a", "1.0.0"), ReasonGranted)
	g.want(g.check("b", "1.0.0"), ReasonGranted)
	g.event("b", "1.0.0", 13, 1, 0)
	g.w.PauseUpdates(Pause{By: "ada"}, &g.fx)
	g.want(g.check("a", "1.0.0"), ReasonPaused)
	g.event("b", "1.0.0", 3, 0, 9)
	g.now = g.now.Add(10 * time.Minute)
	g.w.ResumeUpdates("ada", "", g.now, &g.fx)
	g.want(g.check("c", "1.0.0"), ReasonPeriodLimit)
	g.want(g.check("b", "1.0.0"), ReasonPeriodLimit) // it began, and failed
	g.want(g.check("a", "1.0.0"), ReasonGranted)
	if n := g.w.Ledger.Granted(g.now, time.Hour); n != 2 {
		t.Errorf("%d grants in the period", n)
	}
	g.now = g.now.Add(51 * time.Minute) // b's grant left the period, a's new one did not
	g.want(g.check("c", "1.0.0"), ReasonGranted)
	g.want(g.check("d", "1.0.0"), ReasonPeriodLimit)
	g.sound()
}

// The time at which a held machine may get its grant back depends on the other grants.
func TestHeldMachineWaitsForTheGrantsOfOthers(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = 2, 2, time.Hour
	g := newRig(t, p)
	g.target("2.0.0")
	g.want(g.check("a", "1.0.0"), ReasonGranted)
	g.now = g.now.Add(10 * time.Minute)
	g.want(g.check("b", "1.0.0"), ReasonGranted)
	g.event("b", "1.0.0", 13, 1, 0)
	g.w.PauseUpdates(Pause{By: "ada"}, &g.fx)
	g.want(g.check("a", "1.0.0"), ReasonPaused)
	p.MaxUpdatesPerPeriod = 1
	g.setPolicy(p)
	g.w.ResumeUpdates("ada", "", g.now, &g.fx)
	d := g.check("a", "1.0.0")
	if d.Reason != ReasonPeriodLimit || d.InFlight != 1 || !d.Until.Equal(start.Add(70*time.Minute)) {
		t.Errorf("%s", d.Detail())
	}
}

// An offer that is withdrawn and made again in the same check costs nothing either.
func TestWithdrawnOfferIsMadeAgainInTheSameCheck(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 1, 1
	g := newRig(t, p)
	g.target("2.0.0")
	g.want(g.check("a", "1.0.0"), ReasonGranted)
	g.target("3.0.0")
	g.now = g.now.Add(time.Second)
	if d := g.check("a", "1.0.0"); d.Reason != ReasonGranted || d.Again || d.Offer.Version.String() != "3.0.0" {
		t.Errorf("%s", d.Detail())
	}
	g.want(g.check("b", "1.0.0"), ReasonConcurrencyLimit)
	// In another group it takes nothing back.
	m := g.machines["a"]
	g.w.PauseUpdates(Pause{By: "ada"}, &g.fx)
	g.check("a", "1.0.0")
	if m.WithdrawnAt.IsZero() {
		t.Error("the withdrawn grant is not known")
	}
	if g.w.Depart(m, g.now, &g.fx); !m.WithdrawnAt.IsZero() {
		t.Error("it kept the grant of the group it left")
	}
}
