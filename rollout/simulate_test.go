package rollout

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

// simulation is a fleet of two versions under a policy with waves.
func simulation(t testing.TB, machines int) Simulation {
	p := DefaultPolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = max(1, machines/20), max(1, machines/20)
	p.Waves = []Wave{{Share: 0.05, Soak: 2 * time.Hour}, {Share: 0.5, Soak: 6 * time.Hour, MinFinished: machines / 100, MinSuccessShare: 0.8}, {Share: 1}}
	return Simulation{
		Policy: p, Reboots: true, Target: pack(t, "3.0.0"), Floors: []*Package{pack(t, "2.0.0")},
		Machines:     []Cohort{{mustVersion(t, "1.0.0"), machines / 4}, {mustVersion(t, "2.0.0"), machines - machines/4}},
		FailureShare: 0.02, SilentShare: 0.01, Now: start, Horizon: 7 * 24 * time.Hour,
	}
}

// last also checks that every point adds up to the fleet.
func last(t *testing.T, f Forecast, machines int) ForecastPoint {
	t.Helper()
	if len(f.Points) == 0 || len(f.Points) > simPoints+2 {
		t.Fatalf("%d points", len(f.Points))
	}
	for i, p := range f.Points {
		if p.OnTarget+p.InFlight+p.Failed+p.Waiting != machines {
			t.Fatalf("point %d does not add up to %d: %+v", i, machines, p)
		}
		if i > 0 && p.At.Before(f.Points[i-1].At) {
			t.Fatalf("point %d goes back in time", i)
		}
	}
	end := f.Points[len(f.Points)-1]
	left := 0
	for _, l := range f.LeftOut {
		left += l.Count
	}
	if left != machines-end.OnTarget {
		t.Fatalf("%d left out and %d on target of %d", left, end.OnTarget, machines)
	}
	return end
}

func TestSimulateFinishes(t *testing.T) {
	for _, n := range []int{1, 40, 2500, 1_000_000} {
		in := simulation(t, n)
		in.FailureShare, in.SilentShare = 0, 0
		f := Simulate(in)
		end := last(t, f, n)
		if end.OnTarget != n || f.Ends.IsZero() || f.Ends.After(start.Add(in.Horizon)) {
			t.Errorf("%d machines: ends %s with %+v, left out %v, halted %v", n, f.Ends, end, f.LeftOut, f.Halted)
		}
		if soaks := 8 * time.Hour; n > 1 && f.Ends.Before(start.Add(soaks)) {
			t.Errorf("%d machines: done at %s, before the soaks are over", n, f.Ends)
		}
	}
}

// A cap of 12 an hour for 480 machines cannot be done before 40 hours, and is
// not much slower either, however the fleet is scaled.
func TestSimulateKeepsThePace(t *testing.T) {
	for _, scale := range []int{1, 100, 10_000} {
		p := acceptancePolicy()
		p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = 12*scale, 12*scale, time.Hour
		in := Simulation{
			Policy: p, Target: pack(t, "2.0.0"), Machines: []Cohort{{mustVersion(t, "1.0.0"), 480 * scale}},
			Now: start, Horizon: 100 * time.Hour,
		}
		f := Simulate(in)
		if d := f.Ends.Sub(start); d < 39*time.Hour || d > 46*time.Hour {
			t.Errorf("× %d (1 for %d): takes %s", scale, f.Each, d)
		}
	}
}

// A small cap on a big fleet: one in the fleet's pace, not one simulated
// machine in the fleet's pace.
func TestSimulateDividesSmallCaps(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = 10, 10, time.Hour
	in := Simulation{
		Policy: p, Target: pack(t, "2.0.0"), Machines: []Cohort{{mustVersion(t, "1.0.0"), 100_000}},
		Now: start, Horizon: 1000 * time.Hour,
	}
	f := Simulate(in)
	if end := last(t, f, 100_000); end.OnTarget < 8_000 || end.OnTarget > 10_500 {
		t.Errorf("%d on target after 1000 hours at 10 per hour", end.OnTarget)
	}
	if len(f.LeftOut) == 0 || f.LeftOut[0].Reason != ReasonPeriodLimit && f.LeftOut[0].Reason != ReasonConcurrencyLimit {
		t.Errorf("left out: %v", f.LeftOut)
	}
}

func TestSimulateFailures(t *testing.T) {
	in := simulation(t, 1000)
	in.Policy.SafeMode = false
	in.FailureShare, in.SilentShare = 0, 0.1
	in.Policy.HaltFailureShare = 0
	f := Simulate(in)
	last(t, f, 1000)
	i := slices.IndexFunc(f.LeftOut, func(l LeftOut) bool { return l.Reason == ReasonNone })
	if i < 0 || f.LeftOut[i].Count < 60 || f.LeftOut[i].Count > 200 {
		t.Errorf("of 1000 machines with 10 %% silence are left out: %v", f.LeftOut)
	}
	if f.Ends.IsZero() {
		t.Error("silent machines keep the rollout from completing")
	}
	in.FailureShare, in.SilentShare, in.Policy.HaltFailureShare = 0.9, 0, 0.2
	f = Simulate(in)
	last(t, f, 1000)
	if f.Halted == nil || f.Halted.Rule != HaltFailureShare || !f.Ends.IsZero() || f.LeftOut[0].Reason != ReasonHalted {
		t.Errorf("90 %% failures: halted %v, ends %s, left out %v", f.Halted, f.Ends, f.LeftOut)
	}
	in.Policy.SafeMode = true
	in.FailureShare = 1
	if f = Simulate(in); f.Halted == nil || f.Halted.Rule != HaltSafeMode {
		t.Errorf("the first one fails in safe mode: %v", f.Halted)
	}
}

func TestSimulateSaysWhoIsLeftOut(t *testing.T) {
	in := simulation(t, 1000)
	in.FailureShare, in.SilentShare = 0, 0
	in.Policy.Waves = []Wave{{Share: 0.3}}
	f := Simulate(in)
	last(t, f, 1000)
	if len(f.LeftOut) != 1 || f.LeftOut[0].Reason != ReasonWaveNotReached || f.LeftOut[0].Count < 600 || f.LeftOut[0].Count > 800 {
		t.Errorf("70 %% in no wave: %v", f.LeftOut)
	}
	in.Policy.UpdatesEnabled = false
	if f = Simulate(in); len(f.LeftOut) != 1 || f.LeftOut[0] != (LeftOut{1000, ReasonPaused}) {
		t.Errorf("updates off: %v", f.LeftOut)
	}
	in.Target = nil
	if f = Simulate(in); len(f.LeftOut) != 1 || f.LeftOut[0].Reason != ReasonNoPackage {
		t.Errorf("no target: %v", f.LeftOut)
	}
	in.Policy.PeriodInterval = 0
	if f = Simulate(in); len(f.Points) != 0 || len(f.Problems) == 0 {
		t.Errorf("a policy that does not compile: %+v", f)
	}
}

// Leases too short for what an update takes show as timeouts.
func TestSimulateShortLease(t *testing.T) {
	in := simulation(t, 100)
	in.Policy.SafeMode, in.Policy.Waves = false, nil
	in.FailureShare, in.SilentShare = 0, 0
	in.Policy.UpdateTimeout, in.UpdateTakes = 10*time.Minute, time.Hour
	in.Policy.HaltFailureShare, in.Policy.HaltMinAttempts = 0.5, 5
	if f := Simulate(in); f.Halted == nil {
		t.Errorf("not halted: ends %s", f.Ends)
	}
}

// Whoever sets a short timeout has updates that take less than that.
func TestSimulateUpdatesWithinTheirTimeout(t *testing.T) {
	in := simulation(t, 100)
	in.FailureShare, in.SilentShare, in.UpdateTakes = 0, 0, 0
	in.Policy.UpdateTimeout = time.Minute
	if f := Simulate(in); f.Ends.IsZero() {
		t.Errorf("did not end: halted %v, left out %v", f.Halted, f.LeftOut)
	}
}

func TestSimulateCanaries(t *testing.T) {
	in := simulation(t, 5000)
	in.FailureShare, in.SilentShare = 0, 0
	in.Policy.Waves = []Wave{{Canaries: []string{"x", "y", "z"}}, {Share: 1}}
	in.Machines = append([]Cohort{{in.Target.Version, 1000}}, Cohort{mustVersion(t, "1.0.0"), 4000})
	f := Simulate(in)
	if last(t, f, 5000); f.Ends.IsZero() {
		t.Errorf("canaries were not found: %v", f.LeftOut)
	}
}

func TestSimulateIsDeterministicAndWritesNothing(t *testing.T) {
	in := simulation(t, 3000)
	a, b := Simulate(in), Simulate(in)
	if !reflect.DeepEqual(a, b) {
		t.Error("two simulations of the same fleet differ")
	}
	if !reflect.DeepEqual(in, simulation(t, 3000)) {
		t.Error("the input was changed")
	}
}

// The cost is bounded: the number of simulated checks, not time, is looked at.
func TestSimulateIsBounded(t *testing.T) {
	for _, c := range []struct {
		machines       int
		every, horizon time.Duration
	}{
		{1 << 40, time.Second, 10 * 365 * 24 * time.Hour},
		{10_000_000, 45 * time.Minute, 30 * 24 * time.Hour},
		{1000, time.Nanosecond, time.Hour},
		{1000, time.Hour, time.Nanosecond},
		{0, time.Hour, time.Hour},
	} {
		in := simulation(t, c.machines)
		in.CheckEvery, in.Horizon = c.every, c.horizon
		var f Forecast
		in2 := in
		in2.CheckEvery, in2.UpdateTakes = max(in.CheckEvery, 1), 10*time.Minute
		s := newSimulator(in2, &f)
		if len(s.machines) > simMachines+2 {
			t.Errorf("%+v: %d machines", c, len(s.machines))
		}
		s.run()
		s.conclude()
		if s.queue.pushed > 2*simChecks+3*simMachines {
			t.Errorf("%+v: %d events", c, s.queue.pushed)
		}
		last(t, f, c.machines)
	}
}
