package server

import (
	"context"
	"runtime/debug"
	levels "runtime/metrics"
	"time"
)

const (
	// garbageRoom is how many bytes of garbage gather between two collections,
	// besides as many as a collection has to look at: stacks, and what has
	// pointers. By itself Go lets as much gather as lives. With little that is
	// a collection every few megabytes, up to a tenth of what a check-in costs;
	// with many known machines, whose memory has no pointers, it is twice theirs.
	garbageRoom = 64 << 20
	// leastGarbage is the least that gathers, in percent of what lives.
	leastGarbage = 25
	// mostGarbage bounds what gathers until the pace is set anew, when much more
	// lives than just before.
	mostGarbage = 400
	// garbageEvery is how often the pace is set anew: as soon as a storm has
	// opened its connections, whose stacks count as live.
	garbageEvery = time.Second
)

// PaceGarbage sets how often this process collects its garbage, until the
// context ends.
func PaceGarbage(ctx context.Context) {
	// The first three are what the collector reckons with.
	samples := []levels.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}, {Name: "/gc/scan/total:bytes"}}
	tick := time.NewTicker(garbageEvery)
	defer tick.Stop()
	for set := 0; ; {
		levels.Read(samples)
		live := samples[0].Value.Uint64() + samples[1].Value.Uint64() + samples[2].Value.Uint64()
		// To set it stops the world for a moment.
		if percent := garbagePercent(live, samples[3].Value.Uint64()); 10*max(percent-set, set-percent) > percent {
			debug.SetGCPercent(percent)
			set = percent
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// garbagePercent is for runtime/debug.SetGCPercent, of the bytes that live and
// of those that a collection looks at.
func garbagePercent(live, scanned uint64) int {
	return int(min(max(100*(garbageRoom+scanned)/max(live, 1), leastGarbage), mostGarbage))
}
