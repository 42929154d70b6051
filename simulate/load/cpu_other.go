//go:build !unix

package load

import "time"

// CPUTime is not available on this system.
func CPUTime() time.Duration { return 0 }
