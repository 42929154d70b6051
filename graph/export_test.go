package graph

import "time"

// MessageInterval is the shortest time between two messages of a subscription.
const MessageInterval = messageInterval

// SlowLoaders lets loaders collect keys for 50 ms, so that the number of statements
// does not depend on the speed of the machine. Call it before the tests, because
// they run in parallel.
func SlowLoaders() { loaderWait = 50 * time.Millisecond }
