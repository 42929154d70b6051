package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// histogram records durations with an error below 1 %, in constant memory. It is
// safe for concurrent use.
type histogram struct {
	mu  sync.Mutex
	hdr *hdrhistogram.Histogram
	max time.Duration // exact
}

// maxRecorded is far above the timeout of a request. Longer durations count as
// this one, except in max.
const maxRecorded = time.Hour

func newHistogram() *histogram {
	const digits = 2 // significant decimal digits: 1 %
	return &histogram{hdr: hdrhistogram.New(1, int64(maxRecorded), digits)}
}

func (h *histogram) add(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.max = max(h.max, d)
	_ = h.hdr.RecordValue(int64(min(max(d, 0), maxRecorded))) // fails only above maxRecorded
}

// percentile returns the duration that a share of all durations, from 0 to 1,
// does not exceed.
func (h *histogram) percentile(share float64) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if share >= 1 {
		return h.max
	}
	return min(h.max, time.Duration(h.hdr.ValueAtPercentile(100*share)))
}
