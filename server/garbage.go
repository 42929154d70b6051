package server

import (
	"context"
	"runtime/debug"
	levels "runtime/metrics"
	"time"
)

const (
	// garbageRoom is how many bytes of garbage gather between two collections,
	// however much lives. By itself Go lets as much gather as lives: with little
	// it collected fifty times a second, a tenth of what a check-in costs, and
	// with ten million known machines it would take twice their memory.
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
	// What the collector reckons with.
	live := []levels.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	tick := time.NewTicker(garbageEvery)
	defer tick.Stop()
	for set := 0; ; {
		levels.Read(live)
		sum := uint64(0)
		for i := range live {
			sum += live[i].Value.Uint64()
		}
		// To set it stops the world for a moment.
		if percent := garbagePercent(sum); 10*max(percent-set, set-percent) > percent {
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

// garbagePercent is for runtime/debug.SetGCPercent, of the bytes that live.
func garbagePercent(live uint64) int {
	return int(min(max(100*garbageRoom/max(live, 1), leastGarbage), mostGarbage))
}
