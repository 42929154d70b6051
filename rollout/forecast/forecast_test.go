package forecast

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// start is a Monday, 10:00 UTC.
var start = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)

func mustVersion(t testing.TB, text string) rollout.Version {
	t.Helper()
	v, ok := rollout.ParseVersion(text)
	if !ok {
		t.Fatalf("%q is not a version", text)
	}
	return v
}

func pack(t testing.TB, text string) *rollout.Package {
	t.Helper()
	return &rollout.Package{ID: rollout.ID{text[0]}, Version: mustVersion(t, text)}
}

// capped is a policy without waves, safe mode and halt rule.
func capped(grants int) rollout.Policy {
	p := policy.Default()
	p.SafeMode, p.HaltFailureShare = false, 0
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = grants, grants, time.Hour
	return p
}

// example is a fleet of two versions under a policy with waves.
func example(t testing.TB, machines int) Input {
	p := policy.Default()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = max(1, machines/20), max(1, machines/20)
	p.Waves = []rollout.Wave{{Share: 0.05, Soak: 2 * time.Hour}, {Share: 0.5, Soak: 6 * time.Hour, MinFinished: machines / 100, MinSuccessShare: 0.8}, {Share: 1}}
	return Input{
		Policy: p, Reboots: true, Aim: rollout.Aim{Target: pack(t, "3.0.0"), Floors: []*rollout.Package{pack(t, "2.0.0")}},
		Machines:     []Cohort{{mustVersion(t, "1.0.0"), machines / 4}, {mustVersion(t, "2.0.0"), machines - machines/4}},
		FailureShare: 0.02, SilentShare: 0.01, Now: start, Horizon: 7 * 24 * time.Hour,
	}
}

// last returns the last point and checks that every point adds up to the fleet.
func last(t *testing.T, f Result, machines int) Point {
	t.Helper()
	if len(f.Points) == 0 || len(f.Points) > maxPoints+2 {
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

func TestFinishes(t *testing.T) {
	for _, n := range []int{1, 40, 2500, 1_000_000} {
		in := example(t, n)
		in.FailureShare, in.SilentShare = 0, 0
		f := Run(in)
		end := last(t, f, n)
		if end.OnTarget != n || f.Ends.IsZero() || f.Ends.After(start.Add(in.Horizon)) {
			t.Errorf("%d machines: ends %s with %+v, left out %v, halted %v", n, f.Ends, end, f.LeftOut, f.Halted)
		}
		if soaks := 8 * time.Hour; n > 1 && f.Ends.Before(start.Add(soaks)) {
			t.Errorf("%d machines: done at %s, before the soaks are over", n, f.Ends)
		}
	}
}

// With a cap of 12 per hour, 480 machines take 40 hours and not much longer, for
// any scale of the fleet.
func TestKeepsThePace(t *testing.T) {
	for _, scale := range []int{1, 100, 10_000} {
		in := Input{
			Policy: capped(12 * scale), Aim: rollout.Aim{Target: pack(t, "2.0.0")}, Machines: []Cohort{{mustVersion(t, "1.0.0"), 480 * scale}},
			Now: start, Horizon: 100 * time.Hour,
		}
		f := Run(in)
		if d := f.Ends.Sub(start); d < 39*time.Hour || d > 46*time.Hour {
			t.Errorf("× %d (1 for %d): takes %s", scale, f.Each, d)
		}
	}
}

// The first machine of a small group finishes before the others checked for the first
// time. The rollout ends with the last machine, and not at all while one is left.
func TestEndsWithTheLastMachine(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		machines, grants int
		period           time.Duration
		atLeast          time.Duration // 0: not within the horizon
	}{
		{machines: 1, grants: 1, period: 2 * day, atLeast: 10 * time.Minute},
		{machines: 2, grants: 1, period: 2 * day, atLeast: 2 * day},
		{machines: 4, grants: 1, period: 2 * day, atLeast: 6 * day},
		{machines: 7, grants: 1, period: 2 * day, atLeast: 12 * day},
		{machines: 8, grants: 1, period: 2 * day},
		{machines: 40, grants: 3, period: 7 * day},
		{machines: 3, grants: 1, period: 12 * time.Hour, atLeast: day},
		{machines: 60, grants: 5, period: day, atLeast: 11 * day},
	} {
		in := Input{
			Policy: capped(c.grants), Aim: rollout.Aim{Target: pack(t, "2.0.0")}, Machines: []Cohort{{mustVersion(t, "1.0.0"), c.machines}}, Now: start,
		}
		in.Policy.PeriodInterval, in.Policy.MaxConcurrentUpdates = c.period, 2
		f := Run(in)
		end := last(t, f, c.machines)
		if c.atLeast == 0 {
			if !f.Ends.IsZero() || end.OnTarget == c.machines {
				t.Errorf("%+v: ends %s after the start with %+v", c, f.Ends.Sub(start), end)
			}
			continue
		}
		done := slices.IndexFunc(f.Points, func(p Point) bool { return p.OnTarget == c.machines })
		if done < 0 || f.Ends.After(f.Points[done].At) || done > 0 && !f.Ends.After(f.Points[done-1].At) {
			t.Errorf("%+v: ends %s after the start, but point %d of %d is the first with all machines", c, f.Ends.Sub(start), done, len(f.Points))
		}
		if d := f.Ends.Sub(start); d < c.atLeast || d > c.atLeast+2*time.Hour+time.Duration(c.machines)*time.Hour {
			t.Errorf("%+v: takes %s", c, d)
		}
	}
}

// A share of a small group that contains no machine gets one, as in the server.
func TestEveryWaveOfASmallGroupHasAMachine(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 12, 30} {
		in := Input{Policy: capped(100), Aim: rollout.Aim{Target: pack(t, "2.0.0")}, Machines: []Cohort{{mustVersion(t, "1.0.0"), n}}, Now: start}
		in.Policy.Waves = []rollout.Wave{{Share: 0.05, Soak: 2 * time.Hour, MinFinished: 1}, {Share: 0.5, Soak: 6 * time.Hour, MinFinished: 2, MinSuccessShare: 0.8}, {Share: 1}}
		if f := Run(in); last(t, f, n).OnTarget != n || f.Ends.IsZero() {
			t.Errorf("%d machines: left out %v", n, f.LeftOut)
		}
	}
}

// A cap below the number of machines that one simulated machine represents is
// scaled as well.
func TestDividesSmallCaps(t *testing.T) {
	in := Input{
		Policy: capped(10), Aim: rollout.Aim{Target: pack(t, "2.0.0")}, Machines: []Cohort{{mustVersion(t, "1.0.0"), 100_000}},
		Now: start, Horizon: 1000 * time.Hour,
	}
	f := Run(in)
	if end := last(t, f, 100_000); end.OnTarget < 8_000 || end.OnTarget > 10_500 {
		t.Errorf("%d on target after 1000 hours at 10 per hour", end.OnTarget)
	}
	if len(f.LeftOut) == 0 || f.LeftOut[0].Reason != rollout.ReasonPeriodLimit && f.LeftOut[0].Reason != rollout.ReasonConcurrencyLimit {
		t.Errorf("left out: %v", f.LeftOut)
	}
}

func TestFailures(t *testing.T) {
	in := example(t, 1000)
	in.Policy.SafeMode = false
	in.FailureShare, in.SilentShare = 0, 0.1
	in.Policy.HaltFailureShare = 0
	f := Run(in)
	last(t, f, 1000)
	i := slices.IndexFunc(f.LeftOut, func(l LeftOut) bool { return l.Reason == rollout.ReasonNone })
	if i < 0 || f.LeftOut[i].Count < 60 || f.LeftOut[i].Count > 200 {
		t.Errorf("of 1000 machines with 10 %% silence are left out: %v", f.LeftOut)
	}
	if f.Ends.IsZero() {
		t.Error("silent machines prevent completion")
	}
	in.FailureShare, in.SilentShare, in.Policy.HaltFailureShare = 0.9, 0, 0.2
	f = Run(in)
	last(t, f, 1000)
	if f.Halted == nil || f.Halted.Rule != rollout.HaltFailureShare || !f.Ends.IsZero() || f.LeftOut[0].Reason != rollout.ReasonHalted {
		t.Errorf("90 %% failures: halted %v, ends %s, left out %v", f.Halted, f.Ends, f.LeftOut)
	}
	in.Policy.SafeMode = true
	in.FailureShare = 1
	if f = Run(in); f.Halted == nil || f.Halted.Rule != rollout.HaltSafeMode {
		t.Errorf("the first one fails in safe mode: %v", f.Halted)
	}
}

func TestLeftOutNamesTheReason(t *testing.T) {
	in := example(t, 1000)
	in.FailureShare, in.SilentShare = 0, 0
	in.Policy.Waves = []rollout.Wave{{Share: 0.3}}
	f := Run(in)
	last(t, f, 1000)
	if len(f.LeftOut) != 1 || f.LeftOut[0].Reason != rollout.ReasonWaveNotReached || f.LeftOut[0].Count < 600 || f.LeftOut[0].Count > 800 {
		t.Errorf("70 %% in no wave: %v", f.LeftOut)
	}
	in.Policy.UpdatesEnabled = false
	if f = Run(in); len(f.LeftOut) != 1 || f.LeftOut[0] != (LeftOut{1000, rollout.ReasonPaused}) {
		t.Errorf("updates off: %v", f.LeftOut)
	}
	in.Target = nil
	if f = Run(in); len(f.LeftOut) != 1 || f.LeftOut[0].Reason != rollout.ReasonNoPackage {
		t.Errorf("no target: %v", f.LeftOut)
	}
	in.Policy.PeriodInterval = 0
	if f = Run(in); len(f.Points) != 0 || len(f.Problems) == 0 {
		t.Errorf("a policy that does not compile: %+v", f)
	}
}

// Leases shorter than an update show as timeouts.
func TestShortLease(t *testing.T) {
	in := example(t, 100)
	in.Policy.SafeMode, in.Policy.Waves = false, nil
	in.FailureShare, in.SilentShare = 0, 0
	in.Policy.UpdateTimeout, in.UpdateTakes = 10*time.Minute, time.Hour
	in.Policy.HaltFailureShare, in.Policy.HaltMinAttempts = 0.5, 5
	if f := Run(in); f.Halted == nil {
		t.Errorf("not halted: ends %s", f.Ends)
	}
}

// With a short update timeout the assumed duration of an update is shorter, too.
func TestUpdatesWithinTheirTimeout(t *testing.T) {
	in := example(t, 100)
	in.FailureShare, in.SilentShare, in.UpdateTakes = 0, 0, 0
	in.Policy.UpdateTimeout = time.Minute
	if f := Run(in); f.Ends.IsZero() {
		t.Errorf("does not end: halted %v, left out %v", f.Halted, f.LeftOut)
	}
}

func TestCanaries(t *testing.T) {
	in := example(t, 5000)
	in.FailureShare, in.SilentShare = 0, 0
	in.Policy.Waves = []rollout.Wave{{Canaries: []string{"x", "y", "z"}}, {Share: 1}}
	in.Machines = append([]Cohort{{in.Target.Version, 1000}}, Cohort{mustVersion(t, "1.0.0"), 4000})
	f := Run(in)
	if last(t, f, 5000); f.Ends.IsZero() {
		t.Errorf("canaries were not found: %v", f.LeftOut)
	}
}

func TestIsDeterministicAndWritesNothing(t *testing.T) {
	in := example(t, 3000)
	a, b := Run(in), Run(in)
	if !reflect.DeepEqual(a, b) {
		t.Error("two simulations of the same fleet differ")
	}
	if !reflect.DeepEqual(in, example(t, 3000)) {
		t.Error("the input was changed")
	}
}

// The number of simulated checks is limited for any input.
func TestIsBounded(t *testing.T) {
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
		in := example(t, c.machines)
		in.CheckEvery, in.Horizon = c.every, c.horizon
		var f Result
		in2 := in
		in2.CheckEvery, in2.UpdateTakes = max(in.CheckEvery, 1), 10*time.Minute
		s := newSimulator(in2, &f)
		if len(s.machines) > maxMachines+2 {
			t.Errorf("%+v: %d machines", c, len(s.machines))
		}
		s.run()
		s.conclude()
		if s.queue.pushed > 2*maxChecks+3*maxMachines {
			t.Errorf("%+v: %d events", c, s.queue.pushed)
		}
		last(t, f, c.machines)
	}
}

func BenchmarkRun(b *testing.B) {
	million := example(b, 1_000_000)
	stuck := million // the worst case: every machine checks until the horizon
	stuck.Horizon = 30 * 24 * time.Hour
	stuck.Policy.Waves = []rollout.Wave{{Share: 0.0001, MinFinished: 1_000_000}, {Share: 1}}
	for name, in := range map[string]Input{"million": million, "stuck": stuck} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Run(in)
			}
		})
	}
}
