package upkeep

import (
	"context"
	"sync"
	"time"

	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/store"
)

// refusedEvery is the least time between two log messages about refusals, so that
// their cause cannot fill the log too.
const refusedEvery = time.Minute

// refusedLog collects refusals between two log messages.
type refusedLog struct {
	mu     sync.Mutex
	logged time.Time
	counts map[quota.Subject]int64
}

// writeRefusals stores and logs what this process refused, and stores the mirrors
// that it saw.
func (w *Worker) writeRefusals(ctx context.Context, now time.Time) error {
	taken := w.machines.Refusals().Take()
	var all []store.Refusal
	for s, n := range taken {
		all = append(all, store.Refusal{Kind: string(s.Kind), GroupID: s.Group, Refused: n})
	}
	if err := w.store.AddRefusals(ctx, now, all); err != nil {
		w.machines.Refusals().PutBack(taken)
		return err
	}
	w.logRefusals(now, taken)
	return w.store.AddMirrors(ctx, now, w.machines.TakeMirrors())
}

func (w *Worker) logRefusals(now time.Time, taken map[quota.Subject]int64) {
	l := &w.refused
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[quota.Subject]int64{}
	}
	for s, n := range taken {
		l.counts[s] += n
	}
	if now.Sub(l.logged).Abs() < refusedEvery || len(l.counts) == 0 {
		return
	}
	attrs := make([]any, 0, 2*len(quota.Kinds()))
	for _, k := range quota.Kinds() {
		sum := int64(0)
		for s, n := range l.counts {
			if s.Kind == k {
				sum += n
			}
		}
		if sum > 0 {
			attrs = append(attrs, string(k), sum)
		}
	}
	w.log.Warn("requests of clients without credentials need attention", attrs...)
	l.logged, l.counts = now, nil
}
