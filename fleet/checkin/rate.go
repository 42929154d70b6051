package checkin

import (
	"sync/atomic"
	"time"
)

// rateSeconds is the span over which the rate of check-ins is averaged.
const rateSeconds = 30

// rate counts events per second. Each slot packs a second and its count into one
// word, so that counting costs a single compare-and-swap.
type rate struct {
	slots [rateSeconds + 2]atomic.Uint64
}

const rateBits = 24 // bits of the count, enough for 16 million check-ins per second

func (r *rate) note(now time.Time) {
	second := uint64(now.Unix()) //nolint:gosec // G115: the clock is after 1970
	slot := &r.slots[second%uint64(len(r.slots))]
	for {
		was := slot.Load()
		is := was + 1
		if was>>rateBits != second {
			is = second<<rateBits + 1
		}
		if slot.CompareAndSwap(was, is) {
			return
		}
	}
}

// perSecond returns the mean of the last whole seconds.
func (r *rate) perSecond(now time.Time) float64 {
	end, n := uint64(now.Unix()), uint64(0) //nolint:gosec // G115: the clock is after 1970
	for i := range r.slots {
		v := r.slots[i].Load()
		if second := v >> rateBits; second < end && second+rateSeconds >= end {
			n += v & (1<<rateBits - 1)
		}
	}
	return float64(n) / rateSeconds
}
