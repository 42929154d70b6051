package graph

import (
	"testing"
	"time"
)

// MessageInterval is the shortest time between two messages of a subscription.
const MessageInterval = messageInterval

// SlowLoaders lets loaders collect keys for 50 ms, so that the number of
// statements does not depend on the speed of the machine.
func SlowLoaders(t testing.TB) {
	previous := loaderWait
	loaderWait = 50 * time.Millisecond
	t.Cleanup(func() { loaderWait = previous })
}
