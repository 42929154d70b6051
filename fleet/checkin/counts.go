package checkin

import (
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
)

// result is how a check-in ended.
type result uint8

// The results of check-ins.
const (
	resultCached    result = iota // answered from the idle cache
	resultCommitted               // answered after its transaction
	resultMirror                  // answered as that of a mirror, without a decision
	resultRefused                 // it reached no group
	resultFailed                  // the lane was full, or the database or the disk refused it
	resultCount
)

var resultText = [resultCount]string{"cached", "committed", "mirror", "refused", "failed"}

// Event kinds by what the protocol names with a type and a result. All that is not known
// is other, so that machines cannot add series.
const (
	eventOther = iota
	eventDownloadStarted
	eventDownloadFinished
	eventInstalled
	eventCompleted
	eventRestarted
	eventDeferred
	eventFailed
	eventCount
)

var eventText = [eventCount]string{"other", "download_started", "download_finished", "installed", "completed", "restarted", "deferred", "failed"}

func kindOf(e *rollout.Event) int {
	switch {
	case e.Result == rollout.ResultError:
		return eventFailed
	case e.Type == rollout.EventDownloadStarted:
		return eventDownloadStarted
	case e.Type == rollout.EventDownloadFinished:
		return eventDownloadFinished
	case e.Type == rollout.EventInstalled:
		return eventInstalled
	case e.Type != rollout.EventUpdateComplete:
		return eventOther
	case e.Result == rollout.ResultSuccess:
		return eventCompleted
	case e.Result == rollout.ResultRestart:
		return eventRestarted
	case e.Result == rollout.ResultDeferred:
		return eventDeferred
	}
	return eventOther
}

// Bounds of the histograms.
var (
	waitBounds  = [...]float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10} // seconds
	batchBounds = [...]float64{1, 2, 5, 10, 25, 50, 100, 200, 300, laneBatch}          // check-ins
)

// countShards spreads the counters, because every request adds to them: cores that
// write to the same cache line wait for each other.
const countShards = 16

// counts counts the check-ins of this process. Adding allocates nothing.
type counts struct {
	shards [countShards]countShard
	events [eventCount]atomic.Uint64
	wait   histogram
	batch  histogram
}

type countShard struct {
	results [resultCount]atomic.Uint64
	reasons [rollout.MaxReason + 1]atomic.Uint64
	_       [64]byte // the next shard is on another cache line
}

func newCounts() *counts {
	return &counts{wait: histogram{bounds: waitBounds[:], unit: 1e6}, batch: histogram{bounds: batchBounds[:], unit: 1}}
}

func mirrorResult(err error) result {
	if err != nil {
		return resultFailed
	}
	return resultMirror
}

// note counts a check-in and the decision of its update check, if it has one.
func (c *counts) note(instance uuid.UUID, r result, reason rollout.Reason) {
	s := &c.shards[instance[0]%countShards]
	s.results[r].Add(1)
	if reason != rollout.ReasonNone {
		s.reasons[reason].Add(1)
	}
}

// noteEvents counts what a machine reported. It is on disk.
func (c *counts) noteEvents(events []rollout.Event) {
	for i := range events {
		if e := &events[i]; !reportsIdle(e) {
			c.events[kindOf(e)].Add(1)
		}
	}
}

// histogram counts values by bounds.
type histogram struct {
	bounds  []float64
	unit    float64 // sum has this many parts of a unit
	buckets [16]atomic.Uint64
	sum     atomic.Uint64
}

func (h *histogram) note(v float64) {
	v = max(0, v)
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(uint64(v * h.unit))
}

func (h *histogram) read() Histogram {
	out := Histogram{Buckets: make(map[float64]uint64, len(h.bounds)), Sum: float64(h.sum.Load()) / h.unit}
	for i := range len(h.bounds) + 1 {
		out.Count += h.buckets[i].Load()
		if i < len(h.bounds) {
			out.Buckets[h.bounds[i]] = out.Count
		}
	}
	return out
}

// Histogram counts values by upper bounds; each bucket has those of the lower ones, too.
type Histogram struct {
	Buckets map[float64]uint64
	Count   uint64
	Sum     float64
}

// Counts are numbers since the start of the process. Each name has a number, so that a
// series begins at 0.
type Counts struct {
	Results map[string]uint64 // check-ins by how they ended
	Reasons map[string]uint64 // update checks by the rule that decided
	Events  map[string]uint64 // by kind, without those that only say that a machine is idle
	Wait    Histogram         // seconds of check-ins that needed a transaction
	Batch   Histogram         // check-ins in one transaction
}

// Counts reads the numbers; it asks no database.
func (s *Service) Counts() Counts {
	c := s.counts
	out := Counts{Results: map[string]uint64{}, Reasons: map[string]uint64{}, Events: map[string]uint64{}, Wait: c.wait.read(), Batch: c.batch.read()}
	for i := range c.shards {
		for r, text := range resultText {
			out.Results[text] += c.shards[i].results[r].Load()
		}
		for r := rollout.ReasonNone + 1; r <= rollout.MaxReason; r++ {
			out.Reasons[r.String()] += c.shards[i].reasons[r].Load()
		}
	}
	for kind, text := range eventText {
		out.Events[text] = c.events[kind].Load()
	}
	return out
}
