//go:build !race

package acceptance

// fleetSize is the number of machines of case 25.
const fleetSize = 10_000
