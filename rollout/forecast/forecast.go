// Package forecast predicts a rollout: it runs the engine of package rollout on an
// assumed fleet. It is pure: it writes nothing, needs no randomness (a hash decides
// which machines fail), and the same input always gives the same result.
package forecast

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// Input is an assumed fleet and the policy to try on it.
type Input struct {
	Policy  rollout.Policy
	Reboots bool // machines reboot into the new version
	rollout.Aim
	Machines []Cohort // by the version they run now

	CheckEvery  time.Duration // between two checks of a machine; 0 means 45 min
	UpdateTakes time.Duration // from the grant to running the new version; 0 means 10 min, at most half the update timeout

	FailureShare float64 // share of attempts that report an error half way, 0 to 1
	SilentShare  float64 // share of attempts after which the machine stays silent, 0 to 1

	Now     time.Time
	Horizon time.Duration // how far to look ahead; 0 means 14 days
}

// Cohort is a number of machines that run the same version.
type Cohort struct {
	Version rollout.Version
	Count   int
}

// Result is the predicted course of the rollout.
type Result struct {
	Points   []Point          // evenly spaced from Now on, at most 201; ends when nothing changes any more
	Ends     time.Time        // when every active machine runs the target; zero: not within the horizon
	LeftOut  []LeftOut        // machines below the target at the end, largest count first
	Halted   *rollout.Halt    // nil: not halted; its numbers count simulated machines
	Problems []policy.Problem // of the policy; there are no points if one is not a warning
	Each     int              // about how many machines of the fleet one simulated machine represents

	CheckEvery, UpdateTakes time.Duration // the assumed values
}

// Point is the state of the fleet at one time. The four counts add up to the
// fleet.
type Point struct {
	At       time.Time
	OnTarget int
	InFlight int
	Failed   int // the last attempt failed, or the machine fell silent
	Waiting  int // below the target, no attempt open
}

// LeftOut counts machines that do not reach the target within the horizon, by
// the reason of their last check; ReasonNone: they fell silent.
type LeftOut struct {
	Count  int
	Reason rollout.Reason
}

const (
	maxMachines = 2000    // machines that are simulated one by one
	maxChecks   = 200_000 // checks of one simulation, about half a microsecond each
	maxPoints   = 200
	nearChecks  = 400 // checks of each machine within the shorter horizon that is tried first
	salt        = "simulation"
	silentAfter = 24 * time.Hour // after this time without a check a machine counts as silent
)

// Run predicts a rollout.
//
// Its cost does not grow with the fleet. Above about 2,000 machines, fewer for
// a long horizon, one simulated machine represents several; the caps and the
// finished attempts a gate requires are divided by the same number. A cap below
// that number becomes one grant per longer period. The halt rule keeps its
// numbers, because it reacts to the first attempts in a fleet of any size. The
// curve is exact to about the size of one simulated machine.
func Run(in Input) Result {
	if in.CheckEvery = cmp.Or(max(in.CheckEvery, 0), 45*time.Minute); in.Horizon <= 0 {
		in.Horizon = 14 * 24 * time.Hour
		// Machines that check often finish early. A shorter horizon then leaves
		// room for more simulated machines.
		if near := in; in.CheckEvery < in.Horizon/nearChecks {
			near.Horizon = nearChecks * in.CheckEvery
			if r := Run(near); !r.Ends.IsZero() || r.Halted != nil {
				return r
			}
		}
	}
	in.UpdateTakes = cmp.Or(max(in.UpdateTakes, 0), min(10*time.Minute, in.Policy.UpdateTimeout/2), 10*time.Minute)
	_, problems := policy.Compile(in.Policy)
	r := Result{Problems: problems, Each: 1, CheckEvery: in.CheckEvery, UpdateTakes: in.UpdateTakes}
	if slices.ContainsFunc(problems, func(p policy.Problem) bool { return !p.Warning }) {
		return r
	}
	s := newSimulator(in, &r)
	s.run()
	s.conclude()
	return r
}

// scaled adapts a policy to a fleet in which one simulated machine represents
// "each" machines.
func scaled(p rollout.Policy, each int, takes time.Duration) rollout.Policy {
	if each == 1 {
		return p
	}
	period, at := p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = max(1, period/each), max(1, at/each)
	if period < each || at < each {
		// The slower of both caps, as one grant per longer period.
		longer := multiply(p.PeriodInterval, each, period)
		if at < each {
			longer = max(longer, multiply(takes, each, at))
		}
		p.MaxUpdatesPerPeriod, p.PeriodInterval = 1, longer
	}
	p.Waves = slices.Clone(p.Waves)
	for i := range p.Waves {
		w := &p.Waves[i]
		w.MinFinished = (w.MinFinished + each - 1) / each
		w.Canaries = w.Canaries[:(len(w.Canaries)+each-1)/each]
	}
	return p
}

// multiply returns d × by ÷ over without overflow.
func multiply(d time.Duration, by, over int) time.Duration {
	f := float64(d) * float64(by) / float64(over)
	return time.Duration(min(f, float64(math.MaxInt64/4)))
}
