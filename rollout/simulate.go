package rollout

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	simMachines = 2000    // most machines that are simulated one by one
	simChecks   = 200_000 // most checks of a simulation, at about half a microsecond each
	simPoints   = 200
	simRounds   = 400 // checks of a machine that a close look goes ahead
	simSalt     = "simulation"
	simSilence  = 24 * time.Hour // until a silent machine counts no longer
)

// Simulate plays the rollout with the engine itself. It writes nothing, needs
// no randomness (who fails is a hash) and gives the same forecast for the same
// input.
//
// Its cost does not grow with the fleet: above about 2,000 machines, fewer for
// a long horizon, one simulated machine stands for several, and the caps and
// the finished attempts a gate waits for are divided alike. A cap smaller than
// that divisor becomes one grant per stretched period. The halt rule keeps its
// numbers, because it acts on the first attempts, whatever the fleet's size.
// Read the curve as a shape, good to about the size of one simulated machine.
func Simulate(in Simulation) Forecast {
	if in.CheckEvery = cmp.Or(max(in.CheckEvery, 0), 45*time.Minute); in.Horizon <= 0 {
		// Machines that ask often are done soon: looked at closely first.
		in.Horizon = 14 * 24 * time.Hour
		if near := in; in.CheckEvery < in.Horizon/simRounds {
			near.Horizon = simRounds * in.CheckEvery
			if f := Simulate(near); !f.Ends.IsZero() || f.Halted != nil {
				return f
			}
		}
	}
	in.UpdateTakes = cmp.Or(max(in.UpdateTakes, 0), min(10*time.Minute, in.Policy.UpdateTimeout/2), 10*time.Minute)
	_, problems := Compile(in.Policy)
	f := Forecast{Problems: problems, Each: 1, CheckEvery: in.CheckEvery, UpdateTakes: in.UpdateTakes}
	if slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning }) {
		return f
	}
	s := newSimulator(in, &f)
	s.run()
	s.conclude()
	return f
}

// scaled divides a policy for a fleet of which one machine in each is
// simulated.
func scaled(p Policy, each int, takes time.Duration) Policy {
	if each == 1 {
		return p
	}
	period, at := p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = max(1, period/each), max(1, at/each)
	if period < each || at < each {
		// The slower of the two paces, as one grant per stretched period.
		pace := stretch(p.PeriodInterval, each, period)
		if at < each {
			pace = max(pace, stretch(takes, each, at))
		}
		p.MaxUpdatesPerPeriod, p.PeriodInterval = 1, pace
	}
	p.Waves = slices.Clone(p.Waves)
	for i := range p.Waves {
		w := &p.Waves[i]
		w.MinFinished = (w.MinFinished + each - 1) / each
		w.Canaries = w.Canaries[:(len(w.Canaries)+each-1)/each]
	}
	return p
}

// stretch is d × each ÷ n without overflow.
func stretch(d time.Duration, each, n int) time.Duration {
	f := float64(d) * float64(each) / float64(n)
	return time.Duration(min(f, float64(math.MaxInt64/4)))
}
