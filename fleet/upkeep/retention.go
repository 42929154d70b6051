package upkeep

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/store"
)

// retainBatches is the most full transactions that one run of Work spends on old records,
// so that leases end in time: 20,000 rows each WorkEvery, 14 million an hour.
const retainBatches = 10

// Retained is what this process did about one period.
type Retained struct {
	store.Period
	Keep    time.Duration
	Ended   *time.Time    // when the last deletion was complete; nil: not since the start
	Last    int64         // rows that the deletion then deleted, or the present one so far
	Deleted int64         // rows deleted since the start
	Behind  time.Duration // how much older than the period the oldest row is; 0: nothing waits
}

// Retention is a period with what its table contains.
type Retention struct {
	Retained
	store.Stock
}

// retention keeps what was done about each period.
type retention struct {
	mu   sync.Mutex
	all  []Retained
	open []int // periods of the present deletion that have rows left; empty: none runs
}

func newRetention() *retention {
	r := &retention{}
	for _, p := range store.Periods() {
		r.all = append(r.all, Retained{Period: p})
	}
	return r
}

// list returns the state of all periods.
func (r *retention) list(s *store.Store) []Retained {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Clone(r.all)
	for i := range all {
		all[i].Keep = s.Keep(all[i].Name)
	}
	return all
}

// begin starts a deletion.
func (r *retention) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.all {
		if r.all[i].Name != store.KeepUploads { // files, which package hosting deletes
			r.open, r.all[i].Last = append(r.open, i), 0
		}
	}
}

// next returns a period with rows left; none: false.
func (r *retention) next() (store.Period, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.open) == 0 {
		return store.Period{}, false
	}
	return r.all[r.open[0]].Period, true
}

// note records a batch of the period that next returned. A period with rows left goes to
// the end, so that a large one does not delay the others.
func (r *retention) note(now time.Time, deleted int, done bool, behind time.Duration) Retained {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.open[0]
	r.open = r.open[1:]
	p := &r.all[i]
	p.Last, p.Deleted, p.Behind = p.Last+int64(deleted), p.Deleted+int64(deleted), behind
	if done {
		p.Ended, p.Behind = &now, 0
	} else {
		r.open = append(r.open, i)
	}
	return *p
}

// Deletions returns what this process deleted, for the metrics.
func (w *Worker) Deletions() []Retained { return w.retention.list(w.store) }

// Retention returns the periods with what this process did about them.
func (w *Worker) Retention(ctx context.Context) ([]Retention, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	var all []Retention
	for _, r := range w.retention.list(w.store) {
		stock, err := w.store.Stock(ctx, &r.Period)
		if err != nil {
			return nil, err
		}
		all = append(all, Retention{Retained: r, Stock: stock})
	}
	return all, nil
}

// retain deletes old records: a few batches in each run until none is left.
func (w *Worker) retain(ctx context.Context, now time.Time) error {
	if _, runs := w.retention.next(); !runs {
		if now.Sub(w.retained).Abs() < RetainEvery {
			return errNotDue
		}
		w.retention.begin()
	}
	for full := 0; full < retainBatches; {
		p, some := w.retention.next()
		if !some {
			break
		}
		deleted, done, err := w.store.DeleteOld(ctx, &p, now)
		if err != nil {
			return err
		}
		behind := time.Duration(0)
		if !done {
			full++
			if behind, err = w.behind(ctx, &p, now); err != nil {
				return err
			}
		}
		if r := w.retention.note(now, deleted, done, behind); done && r.Last > 0 {
			w.log.Info("deleted old records", "records", r.Name, "rows", r.Last, "older than", store.PeriodText(w.store.Keep(p.Name)))
		}
	}
	if _, some := w.retention.next(); some {
		return nil
	}
	return w.retainRest(ctx, now)
}

// behind returns how much older than its period the oldest record is.
func (w *Worker) behind(ctx context.Context, p *store.Period, now time.Time) (time.Duration, error) {
	stock, err := w.store.Stock(ctx, p)
	if err != nil || stock.Oldest == nil {
		return 0, err
	}
	return max(0, w.store.Before(p, now).Sub(*stock.Oldest)), nil
}

// retainRest ends a deletion.
func (w *Worker) retainRest(ctx context.Context, now time.Time) error {
	if err := w.store.DropUptimes(ctx, now); err != nil {
		return err
	}
	for _, g := range w.catalog.Catalog().Groups(func(*catalog.Group) bool { return true }) {
		if err := w.store.Write(ctx, now, func(tx *store.Tx) error { return tx.DropEmptyCounts(ctx, g.ID) }); err != nil {
			return err
		}
	}
	w.retained = now
	return nil
}
