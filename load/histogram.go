package load

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// histogram counts times in buckets that are less than 1 % wide: 128 for each
// power of two. It is safe for concurrent use and takes the same memory for a
// minute and a day.
type histogram struct {
	buckets [58 * fine]atomic.Uint64
	max     atomic.Int64
}

const fine = 128

func (h *histogram) add(d time.Duration) {
	v := uint64(max(d, 0))
	shift := max(0, bits.Len64(v)-8) // keeps 8 bits, the highest of which is set
	h.buckets[shift*fine+int(v>>shift)].Add(1)
	for {
		most := h.max.Load()
		if int64(d) <= most || h.max.CompareAndSwap(most, int64(d)) {
			return
		}
	}
}

// percentile is the upper end of the bucket that a share of all times is below.
func (h *histogram) percentile(share float64) time.Duration {
	var total uint64
	for i := range h.buckets {
		total += h.buckets[i].Load()
	}
	if share >= 1 || total == 0 {
		return time.Duration(h.max.Load())
	}
	rank := uint64(share*float64(total)) + 1
	var seen uint64
	for i := range h.buckets {
		if seen += h.buckets[i].Load(); seen >= rank {
			shift := max(0, i/fine-1)
			top := time.Duration((uint64(i-shift*fine)+1)<<shift - 1)
			return min(top, time.Duration(h.max.Load()))
		}
	}
	return time.Duration(h.max.Load())
}
