package server

import (
	"context"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"
)

const (
	// gcAllowance is how many bytes are allocated between two collections, in
	// addition to the bytes that a collection scans (stacks, and heap objects
	// with pointers). Go's default of one live heap is too small for few
	// machines: collections every few megabytes take up to a tenth of a
	// check-in's cost. For many machines it is too large: their memory has no
	// pointers, and the default doubles it.
	gcAllowance = 64 << 20
	// minGCPercent keeps collections from running back to back on a large heap.
	minGCPercent = 25
	// maxGCPercent limits memory if the live heap grows sharply between two
	// adjustments.
	maxGCPercent = 400
	// gcInterval is short enough to react to a burst of new connections, whose
	// stacks count as live.
	gcInterval = time.Second
)

// TuneGC adjusts the garbage collector's target (GOGC) of this process until
// the context ends.
func TuneGC(ctx context.Context) {
	// The collector's target is relative to the sum of the first three.
	samples := []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}, {Name: "/gc/scan/total:bytes"}}
	tick := time.NewTicker(gcInterval)
	defer tick.Stop()
	for current := 0; ; {
		runtimemetrics.Read(samples)
		live := samples[0].Value.Uint64() + samples[1].Value.Uint64() + samples[2].Value.Uint64()
		// SetGCPercent stops the world, so changes below 10 % are skipped.
		if percent := gcPercent(live, samples[3].Value.Uint64()); 10*max(percent-current, current-percent) > percent {
			debug.SetGCPercent(percent)
			current = percent
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// gcPercent is the argument of debug.SetGCPercent for the given live and scanned
// bytes.
func gcPercent(live, scanned uint64) int {
	return int(min(max(100*(gcAllowance+scanned)/max(live, 1), minGCPercent), maxGCPercent))
}
