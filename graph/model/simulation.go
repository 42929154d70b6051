package model

import (
	"time"

	"github.com/coreroller/coreroller/rollout/forecast"

	"github.com/coreroller/coreroller/rollout"
)

// Simulation is a forecast of a rollout in columns: the n-th number of each column
// belongs to the n-th time.
type Simulation struct {
	ProjectedEnd   time.Time // zero: not within the horizon
	FinalState     rollout.RolloutState
	Sentence       string
	Halt           *rollout.Halt
	Times          []time.Time
	OnTarget       []int
	InFlight       []int
	Waiting        []int
	Failed         []int
	NotUpdated     []forecast.LeftOut
	Scale          int
	CheckInterval  time.Duration
	UpdateDuration time.Duration
}
