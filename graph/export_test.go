package graph

import (
	"testing"
	"time"
)

// Pace is the shortest time between two messages of a subscription.
const Pace = pace

// Patient lets loaders wait for keys that come late on a busy machine, so that
// the number of their statements does not depend on its speed.
func Patient(t testing.TB) {
	usual := gatherTime
	gatherTime = 50 * time.Millisecond
	t.Cleanup(func() { gatherTime = usual })
}
