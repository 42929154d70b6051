package server

import (
	"context"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"
)

// gcAllowance is how many bytes a small process may allocate between two garbage
// collections. Go's default, as many as are in use, costs a small fleet 4 to 5 % of
// its processor time.
const gcAllowance = 64 << 20

// TuneGC adjusts the garbage collector's target (GOGC) of this process once a second
// until the context ends: gcAllowance, but at most 400 % of the live heap and at
// least Go's default of 100 %.
func TuneGC(ctx context.Context) {
	live := []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for percent := uint64(100); ; {
		runtimemetrics.Read(live)
		if is := min(max(100*gcAllowance/max(live[0].Value.Uint64(), 1), 100), 400); is != percent {
			percent = is
			debug.SetGCPercent(int(is))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
