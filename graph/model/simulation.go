package model

import (
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/forecast"
)

// Simulation is how a rollout would go, by columns: the n-th number of every
// column belongs to the n-th moment.
type Simulation struct {
	ProjectedEnd time.Time // zero: not within the horizon
	Ends         rollout.RolloutState
	Sentence     string
	Halt         *rollout.Halt
	Times        []time.Time
	OnTarget     []int
	InFlight     []int
	Waiting      []int
	Failed       []int
	LeftOut      []forecast.LeftOut
	Scale        int
	CheckEvery   time.Duration
	UpdateTakes  time.Duration
}
