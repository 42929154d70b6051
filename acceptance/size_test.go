//go:build !race

package acceptance

const (
	fleetSize    = 10_000 // machines of case 25
	randomRounds = 5      // of P1
	randomSteps  = 40     // of P5
)
