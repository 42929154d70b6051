package rollout

import "time"

// Simulation is an assumed fleet and the policy to try on it.
type Simulation struct {
	Policy   Policy
	Reboots  bool
	Target   *Package
	Floors   []*Package
	Machines []Cohort // by the version they run now

	CheckEvery  time.Duration // between two checks of a machine; 0 means 45 min
	UpdateTakes time.Duration // from the grant to running the new version; 0 means 10 min, at most half the update timeout

	FailureShare float64 // 0 to 1 of the attempts report an error half way
	SilentShare  float64 // 0 to 1 of the attempts are never heard of again

	Now     time.Time
	Horizon time.Duration // how far to look; 0 means 14 days
}

// Cohort is machines that run the same version.
type Cohort struct {
	Version Version
	Count   int
}

// Forecast is how the rollout would go.
type Forecast struct {
	Points   []ForecastPoint // evenly spaced from Now on, at most 201; ends early when nothing moves any more
	Ends     time.Time       // every active machine runs the target; zero: not within the horizon
	LeftOut  []LeftOut       // machines below the target at the end, most of them first
	Halted   *Halt           // nil: not halted; its numbers are simulated machines
	Problems []Problem       // the policy does not compile or warns; no points in the first case
	Each     int             // machines of the fleet that one simulated machine stands for, about

	CheckEvery, UpdateTakes time.Duration // what was assumed
}

// ForecastPoint is where the fleet stands at a moment. The four numbers add up
// to the fleet.
type ForecastPoint struct {
	At       time.Time
	OnTarget int
	InFlight int
	Failed   int // the last attempt failed, or the machine fell silent
	Waiting  int // below the target, nothing under way
}

// LeftOut is machines that do not reach the target within the horizon, by the
// reason of their last check; ReasonNone: they fell silent.
type LeftOut struct {
	Count  int
	Reason Reason
}
