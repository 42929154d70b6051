//go:build race

package acceptance

// Less of everything: the race detector makes SQLite, which is Go here, ten
// times slower.
const (
	fleetSize    = 1_000
	randomRounds = 3
	randomSteps  = 25
)
