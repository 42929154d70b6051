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
	// workEvery is the time between two runs of the jobs: expired leases end
	// within 30 seconds even when no machine asks.
	workEvery = 5 * time.Second
	// keepHistory is how long events, history and machines without a group are kept.
	keepHistory = 90 * 24 * time.Hour
	// retainEvery is the time between two deletions of old records.
	retainEvery = time.Hour
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
	// FlushSignIns writes the failed sign-ins of earlier minutes, or all.
	FlushSignIns func(ctx context.Context, all bool) error
	// FlushUses writes when sessions and tokens were last used.
	FlushUses func(context.Context) error
	// ExpireProposals ends the proposals whose time is over.
	ExpireProposals func(ctx context.Context, now time.Time) error
	// FlushDownloads writes how often stored files were downloaded.
	FlushDownloads func(context.Context) error
	// ExpireUploads deletes uploads that rest.
	ExpireUploads func(context.Context) error
	// WorkUpstreams runs the channels of mirrors that are due.
	WorkUpstreams func(context.Context) error
	// WorkReboots reports overdue reboot slots and releases those that the policy releases.
	WorkReboots func(ctx context.Context, now time.Time) error
	Now         func() time.Time
	Clock       *clock.Clock // behind Now; nil: Now is right
	Log         *slog.Logger
}

// Worker runs the background jobs of one process.
type Worker struct {
	store    *store.Store
	catalog  *catalog.Cache
	machines *checkin.Service
	workJobs func(context.Context) error
	signIns  func(ctx context.Context, all bool) error
	flush    func(context.Context) error                    // the uses of sessions and tokens
	expire   func(ctx context.Context, now time.Time) error // proposals
	counts   func(context.Context) error                    // of downloads
	uploads  func(context.Context) error                    // ends old ones
	mirrors  func(context.Context) error                    // runs the channels that are due
	reboots  func(ctx context.Context, now time.Time) error // see Options.WorkReboots
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
	expired  time.Time         // last look for old uploads
}

// New makes a Worker.
func New(o Options) *Worker {
	w := &Worker{store: o.Store, catalog: o.Catalog, machines: o.Machines, workJobs: o.WorkJobs, signIns: o.FlushSignIns, flush: o.FlushUses, expire: o.ExpireProposals, counts: o.FlushDownloads, uploads: o.ExpireUploads, mirrors: o.WorkUpstreams, reboots: o.WorkReboots, now: o.Now, clock: o.Clock, log: o.Log, recorded: map[int]time.Time{}}
	w.jobs = w.newJobs()
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
	failing := false
	for {
		select {
		case <-ctx.Done():
			_ = w.Beat(context.WithoutCancel(ctx)) // an outage begins here
			return
		case <-tick.C:
			err := w.Beat(ctx)
			if err != nil && !failing && ctx.Err() == nil {
				w.log.Error("could not record uptime", "error", err)
			}
			failing = err != nil
		}
	}
}

func (w *Worker) loop(ctx context.Context) {
	// At whole multiples of workEvery, so that a half minute is counted when it ends.
	wait := func() time.Duration { return workEvery - w.now().Sub(w.now().Truncate(workEvery)) }
	tick := time.NewTimer(wait())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if err := w.writePace(context.WithoutCancel(ctx)); err != nil {
				w.log.Error("could not write the pace of groups", "error", err)
			}
			if err := w.machines.FlushRefused(context.WithoutCancel(ctx)); err != nil {
				w.log.Error("could not write refused requests", "error", err)
			}
			if err := w.machines.FlushSecretUses(context.WithoutCancel(ctx)); err != nil {
				w.log.Error("could not write the use of machine secrets", "error", err)
			}
			if err := w.counts(context.WithoutCancel(ctx)); err != nil {
				w.log.Error("could not write the numbers of downloads", "error", err)
			}
			if err := w.signIns(context.WithoutCancel(ctx), true); err != nil {
				w.log.Error("could not write failed sign-ins", "error", err)
			}
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
	// Every process writes its own pace; after an error the numbers are kept.
	if err := w.jobs.ran(jobPace, w.now(), w.writePace(ctx)); err != nil && ctx.Err() == nil {
		w.log.Error("could not write the pace of groups", "error", err)
	}
	if err := w.jobs.ran(jobRefusals, w.now(), w.writeRefusals(ctx, w.now())); err != nil && ctx.Err() == nil {
		w.log.Error("could not write refusals and mirrors", "error", err)
	}
	// Every process writes what it refused, too.
	if err := w.jobs.ran(jobRefused, w.now(), w.machines.FlushRefused(ctx)); err != nil && ctx.Err() == nil {
		w.log.Error("could not write refused requests", "error", err)
	}
	if err := w.jobs.ran(jobSecrets, w.now(), w.machines.FlushSecretUses(ctx)); err != nil && ctx.Err() == nil {
		w.log.Error("could not write the use of machine secrets", "error", err)
	}
	if err := w.jobs.ran(jobSignIns, w.now(), w.signIns(ctx, false)); err != nil && ctx.Err() == nil {
		w.log.Error("could not write failed sign-ins", "error", err)
	}
	if err := w.jobs.ran(jobUses, w.now(), w.flush(ctx)); err != nil && ctx.Err() == nil {
		w.log.Error("could not write the uses of sessions and tokens", "error", err)
	}
	if err := w.jobs.ran(jobDownloads, w.now(), w.counts(ctx)); err != nil && ctx.Err() == nil {
		w.log.Error("could not write the numbers of downloads", "error", err)
	}
	if !w.Clock().Steady {
		return nil
	}
	if err := w.jobs.ran(jobUploads, w.now(), w.expireUploads(ctx)); err != nil && ctx.Err() == nil {
		w.log.Error("could not delete old uploads", "error", err)
	}
	return w.store.Exclusive(ctx, func(ctx context.Context) error {
		now := w.now()
		for i := range w.jobs.all {
			job := &w.jobs.all[i]
			if job.do == nil {
				continue
			}
			if err := w.jobs.ran(i, now, job.do(ctx, now)); err != nil {
				return fmt.Errorf("%s: %w", job.Name, err)
			}
		}
		return nil
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
	return nil
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

func (w *Worker) writePace(ctx context.Context) error {
	return w.machines.Meters().Write(ctx, w.store, w.catalog.Catalog(), w.now())
}

// retain deletes old records.
func (w *Worker) retain(ctx context.Context, now time.Time) error {
	if now.Sub(w.retained).Abs() < retainEvery {
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

// expireUploads deletes uploads that rest. Each process has uploads of its own unless they
// share a directory; in that case the deletion is done more than once.
func (w *Worker) expireUploads(ctx context.Context) error {
	now := w.now()
	if now.Sub(w.expired).Abs() < retainEvery {
		return errNotDue
	}
	w.expired = now
	return w.uploads(ctx)
}
