//go:build race

package acceptance

// fleetSize is a tenth of the case's number: the race detector makes SQLite,
// which is Go here, ten times slower.
const fleetSize = 1_000
