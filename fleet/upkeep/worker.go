// Package upkeep does the background work: it ends leases, opens waves, finds
// silent machines, records statistics and deletes old records. Every process tries
// to do it; a database lock admits one at a time.
package upkeep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/clock"
	"github.com/coreroller/coreroller/fleet/pace"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

const (
	// WorkEvery is the time between two runs of the jobs: expired leases end
	// within 30 seconds even when no machine asks.
	WorkEvery = 5 * time.Second
	// keepHistory is how long events, history and machines without a group are kept.
	keepHistory = 90 * 24 * time.Hour
	// RetainEvery is the time between two deletions of old records.
	RetainEvery = time.Hour
	// sweepRows is how many machines one run checks for silence. Walking the
	// primary key needs no index on a column that every poll changes. Ten million
	// machines take about three hours, a small fleet one run.
	sweepRows = 5_000
	// dropTransactions limits the transactions that one run spends on a deleted
	// group or application, so that leases do not wait: 10,000 machines without history.
	dropTransactions = 50
)

// Options are what a Worker needs. Now must return UTC microseconds.
type Options struct {
	Store    *store.Store
	Catalog  *catalog.Cache
	Machines *checkin.Service
	WorkJobs func(context.Context) error // works on machine jobs until none has work left
	// WorkUpstreams runs the channels of mirrors that are due.
	WorkUpstreams func(context.Context) error
	Tasks         []Task // of other services
	Now           func() time.Time
	Clock         *clock.Clock // behind Now; nil: Now is right
	Log           *slog.Logger
}

// Worker runs the background jobs of one process.
type Worker struct {
	store    *store.Store
	catalog  *catalog.Cache
	machines *checkin.Service
	workJobs func(context.Context) error
	mirrors  func(context.Context) error // runs the channels that are due
	now      func() time.Time
	clock    *clock.Clock
	log      *slog.Logger
	jobs     *jobs

	refused refusedLog

	// Touched only inside store.Exclusive.
	swept    uuid.UUID         // last machine checked for silence
	recorded map[int]time.Time // last point by resolution in seconds
	sampled  time.Time         // last sample of the pace
	retained time.Time         // last deletion of old records
}

// New makes a Worker.
func New(o Options) *Worker {
	w := &Worker{
		store: o.Store, catalog: o.Catalog, machines: o.Machines, workJobs: o.WorkJobs, mirrors: o.WorkUpstreams,
		now: o.Now, clock: o.Clock, log: o.Log, recorded: map[int]time.Time{},
	}
	w.jobs = w.newJobs(o.Tasks)
	return w
}

// Run runs the jobs, the catalog's and the check-in service's background work
// until the context ends.
func (w *Worker) Run(ctx context.Context) {
	var g sync.WaitGroup
	g.Go(func() { w.catalog.Watch(ctx) })
	g.Go(func() { w.machines.Run(ctx, w.lastSeenWritten) })
	g.Go(func() { w.loop(ctx) })
	g.Go(func() { w.machineJobs(ctx) })
	g.Go(func() { w.runMirrors(ctx) })
	g.Go(func() { w.beat(ctx) })
	g.Wait()
}

func (w *Worker) lastSeenWritten(err error) {
	if w.jobs.ran(jobLastSeen, w.now(), err) != nil {
		w.log.Error("could not write last-seen times", "error", err)
	}
}

// Beat checks the clock and records that this process serves. Call it before the
// first request, so that an outage is known before a lease could end.
func (w *Worker) Beat(ctx context.Context) error {
	err := w.checkClock(ctx)
	now := w.now()
	return errors.Join(err, w.jobs.ran(jobBeat, now, w.store.Beat(ctx, now)))
}

func (w *Worker) checkClock(ctx context.Context) error {
	var err error
	if w.clock != nil {
		err = w.clock.Check(ctx)
	}
	problem := err
	if text := w.Clock().Text; err == nil && text != "" {
		problem = errors.New(text)
	}
	_ = w.jobs.ran(jobClock, w.now(), problem)
	return err
}

// Clock returns the state of this process's clock.
func (w *Worker) Clock() clock.State {
	if w.clock == nil {
		return clock.State{Steady: true}
	}
	return w.clock.State()
}

func (w *Worker) beat(ctx context.Context) {
	tick := time.NewTicker(store.BeatEvery)
	defer tick.Stop()
	var lost time.Time // when the database was lost; zero: it can be used
	for {
		select {
		case <-ctx.Done():
			_ = w.Beat(context.WithoutCancel(ctx)) // an outage begins here
			return
		case <-tick.C:
			switch err := w.Beat(ctx); {
			case err != nil && lost.IsZero() && ctx.Err() == nil:
				lost = w.now()
				w.log.Error("the database cannot be used: machines and people get 503 until it can", "error", err)
			case err == nil && !lost.IsZero():
				w.log.Info("the database can be used again", "after", w.now().Sub(lost).Round(time.Second))
				lost = time.Time{}
			}
		}
	}
}

func (w *Worker) loop(ctx context.Context) {
	// At whole multiples of WorkEvery, so that a half minute is counted when it ends.
	wait := func() time.Duration { return WorkEvery - w.now().Sub(w.now().Truncate(WorkEvery)) }
	tick := time.NewTimer(wait())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			w.stop(context.WithoutCancel(ctx))
			return
		case <-tick.C:
			tick.Reset(wait())
			if err := w.Work(ctx); err != nil && ctx.Err() == nil {
				w.log.Error("background work failed", "error", err)
			}
		}
	}
}

// Work runs every due job once: expired leases, waves whose soak ended, silent
// machines, statistics, old records. It skips the jobs that one process does for
// all while another process runs them, and while the clock of this host is wrong.
func (w *Worker) Work(ctx context.Context) error {
	// First, so that no machine that was just seen is counted as silent.
	if _, err := w.machines.FlushLastSeen(ctx); ctx.Err() == nil {
		w.lastSeenWritten(err)
	}
	now, steady := w.now(), w.Clock().Steady
	w.each(func(job int, t *Task) {
		if t.Who == OneProcess || t.Who == EachSteadyProcess && !steady || !w.jobs.due(job, now) {
			return
		}
		if err := w.jobs.ran(job, now, t.Do(ctx, now)); err != nil && ctx.Err() == nil {
			w.log.Error("a job failed", "job", t.Name, "error", err)
		}
	})
	if !steady {
		return nil
	}
	return w.store.Exclusive(ctx, func(ctx context.Context) (err error) {
		now := w.now()
		w.each(func(job int, t *Task) {
			if t.Who != OneProcess || err != nil {
				return
			}
			if err = w.jobs.ran(job, now, t.Do(ctx, now)); err != nil {
				err = fmt.Errorf("%s: %w", t.Name, err)
			}
		})
		return err
	})
}

// each calls f with each task and the index of its job.
func (w *Worker) each(f func(job int, t *Task)) {
	for i := range w.jobs.all {
		if t := w.jobs.all[i].task; t != nil {
			f(i, t)
		}
	}
}

// stop does what the tasks do last.
func (w *Worker) stop(ctx context.Context) {
	w.each(func(_ int, t *Task) {
		if t.Last == nil {
			return
		}
		if err := t.Last(ctx); err != nil {
			w.log.Error("a job failed at the stop", "job", t.Name, "error", err)
		}
	})
}

// errNotDue ends a job that is not due yet.
var errNotDue = errors.New("not due")

// advance ends leases and moves waves of the groups in which that is due.
func (w *Worker) advance(ctx context.Context, now time.Time) error {
	groups, err := w.store.GroupsDue(ctx)
	if err != nil {
		return err
	}
	for _, id := range groups {
		for more := true; more; {
			if more, err = w.machines.Advance(ctx, now, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweep checks the next machines of the walk for silence and expiry.
func (w *Worker) sweep(ctx context.Context, now time.Time) error {
	silent, err := w.store.Sweep(ctx, &w.swept, now, rollout.Ago(now, checkin.SilentAfter, w.store.Outages()), sweepRows)
	if err != nil {
		return err
	}
	for group, ids := range silent {
		if err := w.machines.Silence(ctx, now, group, ids); err != nil {
			return err
		}
	}
	return nil
}

// drop deletes rows of deleted groups and applications.
func (w *Worker) drop(ctx context.Context, now time.Time) error {
	groups, err := w.store.DroppedGroups(ctx)
	if err != nil {
		return err
	}
	for _, id := range groups {
		if _, err := w.store.DropGroup(ctx, now, id, dropTransactions); err != nil {
			return err
		}
	}
	apps, err := w.store.DroppedApplications(ctx)
	if err != nil {
		return err
	}
	for _, id := range apps {
		if _, err := w.store.DropApplication(ctx, now, id, dropTransactions); err != nil {
			return err
		}
	}
	return w.store.DropRequestAttributes(ctx, now, dropTransactions)
}

// recordStatistics writes the due points from the groups' counters.
func (w *Worker) recordStatistics(ctx context.Context, now time.Time) error {
	due := errNotDue
	for _, r := range pace.Resolutions() {
		at := now.Truncate(time.Duration(r.Seconds) * time.Second)
		if at.Equal(w.recorded[r.Seconds]) {
			continue
		}
		if err := w.store.KeepPoint(ctx, now, r.Seconds, at); err != nil {
			return err
		}
		w.recorded[r.Seconds], due = at, nil
	}
	return due
}

// samplePace notes every group's ledger once per finest interval: the batches of
// check-ins note only groups in which something changes.
func (w *Worker) samplePace(ctx context.Context, now time.Time) error {
	at := now.Truncate(pace.Finest)
	if at.Equal(w.sampled) {
		return errNotDue
	}
	if err := w.machines.Meters().Sample(ctx, w.store, w.catalog.Catalog(), now); err != nil {
		return err
	}
	w.sampled = at
	return nil
}

func (w *Worker) writePace(ctx context.Context, now time.Time) error {
	return w.machines.Meters().Write(ctx, w.store, w.catalog.Catalog(), now)
}

// retain deletes old records.
func (w *Worker) retain(ctx context.Context, now time.Time) error {
	if now.Sub(w.retained).Abs() < RetainEvery {
		return errNotDue
	}
	// A clock that jumped ahead counts as an outage, so that it deletes nothing.
	outages := w.store.Outages()
	if err := w.store.Retain(ctx, now, rollout.Ago(now, keepHistory, outages)); err != nil {
		return err
	}
	for _, g := range w.catalog.Catalog().Groups(func(*catalog.Group) bool { return true }) {
		if err := w.store.Write(ctx, now, func(tx *store.Tx) error { return tx.DropEmptyCounts(ctx, g.ID) }); err != nil {
			return err
		}
	}
	for _, r := range pace.Resolutions() {
		if err := w.store.DropPoints(ctx, r.Seconds, now, rollout.Ago(now, r.Keep, outages)); err != nil {
			return err
		}
	}
	w.retained = now
	return nil
}
