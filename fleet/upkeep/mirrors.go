package upkeep

import (
	"context"
	"sync"
	"time"

	"github.com/coreroller/coreroller/event"
)

// runMirrors runs the channels of mirrors that are due, when one is changed and regularly.
// A round does not wait for the one before it, so that a slow upstream delays only its own
// channels.
func (w *Worker) runMirrors(ctx context.Context) {
	sub := w.store.Bus().Subscribe(func(e event.Event) bool { return e.Kind == event.UpstreamChanged })
	defer sub.Close()
	tick := time.NewTicker(WorkEvery)
	defer tick.Stop()
	var rounds sync.WaitGroup
	defer rounds.Wait()
	for {
		sub.Take() // before the channels are read, so that no later event is lost
		if w.Clock().Steady {
			rounds.Go(func() {
				if err := w.WorkMirrors(ctx); err != nil && ctx.Err() == nil {
					w.log.Error("could not run mirrors", "error", err)
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-sub.Ready():
		}
	}
}

// WorkMirrors runs the channels of mirrors that are due, and waits for them.
func (w *Worker) WorkMirrors(ctx context.Context) error {
	return w.jobs.ran(jobMirrors, w.now(), w.mirrors(ctx))
}
