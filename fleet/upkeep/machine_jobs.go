package upkeep

import (
	"context"
	"time"

	"github.com/coreroller/coreroller/event"
)

// machineJobs works on machine jobs when one is started or retried, and regularly, to
// continue those of a process that ended.
func (w *Worker) machineJobs(ctx context.Context) {
	sub := w.store.Bus().Subscribe(func(e event.Event) bool { return e.Kind == event.JobChanged })
	defer sub.Close()
	tick := time.NewTicker(WorkEvery)
	defer tick.Stop()
	for {
		sub.Take() // before the jobs are read, so that no later event is lost
		if err := w.WorkMachineJobs(ctx); err != nil && ctx.Err() == nil {
			w.log.Error("could not work on machine jobs", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-sub.Ready():
		}
	}
}

// WorkMachineJobs works on machine jobs until none has work left.
func (w *Worker) WorkMachineJobs(ctx context.Context) error {
	return w.jobs.ran(jobMachines, w.now(), w.workJobs(ctx))
}
