// Package notice notifies people of what happened: it makes messages of activities, keeps them
// until their receivers have them, and sends them. A cursor over the activities finds what
// is new, so that check-ins do no work for it and nothing is lost.
//
// Each notifier has its own queue. One process at a time works on it, under a lease of the
// database, so a slow receiver delays only its own messages.
package notice

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/delivery"
	"github.com/coreroller/coreroller/ent/db/notifier"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/store"
)

// State is the state of a delivery.
type State string

// The states of a delivery.
const (
	Held      State = "HELD"      // for the next digest, or the end of the quiet hours
	Pending   State = "PENDING"   // sent at its next attempt
	Delivered State = "DELIVERED" // the receiver has it
	Failed    State = "FAILED"    // given up
	Bundled   State = "BUNDLED"   // part of a digest
)

const (
	workEvery = 5 * time.Second // between two looks at the queues
	// settle is the least time between two looks, so that a burst of activities is read once.
	settle = time.Second
	// fillEvery is how often a notifier is worked on without a reason, to look back.
	fillEvery = time.Minute
	// leaseFor is how long a process keeps a notifier that it no longer works on, because
	// it ended. It is longer than the longest attempt.
	leaseFor = time.Minute
)

// Options are what a Worker needs.
type Options struct {
	Store     *store.Store
	View      *view.Service
	Sender    *notify.Sender
	PublicURL string // of the pages, without a slash at its end
	Now       func() time.Time
	Log       *slog.Logger
}

// Worker sends the messages of all notifiers. It is safe for concurrent use.
type Worker struct {
	Options
	self uuid.UUID // this process, in leases

	mu      sync.Mutex
	busy    map[uuid.UUID]bool
	looked  map[uuid.UUID]time.Time // when a notifier was last worked on
	dropped map[uuid.UUID]time.Time // when old deliveries of a notifier were deleted
	sent    map[Count]int64
}

// New makes a Worker.
func New(o Options) *Worker {
	return &Worker{
		Options: o, self: store.NewID(o.Now()), busy: map[uuid.UUID]bool{}, looked: map[uuid.UUID]time.Time{},
		dropped: map[uuid.UUID]time.Time{}, sent: map[Count]int64{},
	}
}

// Run works until the context ends, and completes the attempts that have begun.
func (w *Worker) Run(ctx context.Context) {
	sub := w.Store.Bus().Subscribe(func(e event.Event) bool { return e.Kind == event.ActivityAdded || e.Kind == event.NoticeAdded })
	defer sub.Close()
	var running sync.WaitGroup
	defer w.release(ctx)
	defer running.Wait()
	tick := time.NewTicker(workEvery)
	defer tick.Stop()
	for fresh := true; ; {
		sub.Take() // before the activities are read, so that no later one is missed
		if err := w.start(ctx, &running, fresh); err != nil && ctx.Err() == nil {
			w.Log.Error("could not read the notifiers", "error", err)
		}
		fresh = false
		if !w.pause(ctx) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-sub.Ready():
			fresh = true
		}
	}
}

// release gives up the leases of this process, so that the next one need not wait.
func (w *Worker) release(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	err := w.Store.Write(ctx, w.Now(), func(tx *store.Tx) error {
		return tx.Client().Notifier.Update().Where(notifier.LeasedBy(w.self)).ClearLeasedBy().ClearLeasedUntil().Exec(ctx)
	})
	if err != nil {
		w.Log.Error("could not release the notifiers", "error", err)
	}
}

func (w *Worker) pause(ctx context.Context) bool {
	t := time.NewTimer(settle)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Work works on every notifier once and waits until all have nothing due left.
func (w *Worker) Work(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	return w.start(ctx, &running, true)
}

// start works on the notifiers that have something to do: all of them after activities
// were added (fresh), else those with something due.
func (w *Worker) start(ctx context.Context, running *sync.WaitGroup, fresh bool) error {
	now := w.Now()
	rows, err := w.Store.Reader().Notifier.Query().Where(notifier.Enabled(true)).All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	var ids []uuid.UUID
	if err := w.Store.Reader().Delivery.Query().Where(delivery.NextAtLTE(now)).Unique(true).Select(delivery.FieldNotifierID).Scan(ctx, &ids); err != nil {
		return err
	}
	for _, row := range rows {
		if w.begin(row, now, fresh || slices.Contains(ids, row.ID)) {
			running.Go(func() {
				defer w.end(row.ID)
				if err := w.serve(ctx, row.ID); err != nil && ctx.Err() == nil {
					w.Log.Error("could not work on a notifier", "notifier", row.ID, "error", err)
				}
			})
		}
	}
	return nil
}

// begin reports whether to work on a notifier now, and marks it as busy.
func (w *Worker) begin(row *db.Notifier, now time.Time, due bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	every := fillEvery
	if row.Kind == string(notify.Alertmanager) {
		every = alertCheckEvery
	}
	if w.busy[row.ID] || !due && now.Sub(w.looked[row.ID]).Abs() < every {
		return false
	}
	w.busy[row.ID], w.looked[row.ID] = true, now
	return true
}

func (w *Worker) end(id uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.busy, id)
}

// serve does what is due for one notifier, if no other process does.
func (w *Worker) serve(ctx context.Context, id uuid.UUID) error {
	n, err := w.lease(ctx, id)
	if n == nil || err != nil {
		return err
	}
	if n.Kind == string(notify.Alertmanager) {
		if err := w.sendAlerts(ctx, n); err != nil {
			return err
		}
	} else {
		if err := w.fill(ctx, n); err != nil {
			return err
		}
		if err := w.bundle(ctx, n); err != nil {
			return err
		}
		if err := w.sendDue(ctx, n); err != nil {
			return err
		}
	}
	return w.drop(ctx, n)
}

// lease returns an enabled notifier that this process alone works on for half of leaseFor,
// or nil. The process keeps a lease, so that it is not written each time.
func (w *Worker) lease(ctx context.Context, id uuid.UUID) (*db.Notifier, error) {
	now := w.Now()
	n, err := w.Store.Reader().Notifier.Get(ctx, id)
	switch {
	case db.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case !n.Enabled:
		return nil, nil
	}
	mine := n.LeasedBy != nil && *n.LeasedBy == w.self
	left := time.Duration(0)
	if n.LeasedUntil != nil {
		left = n.LeasedUntil.Sub(now)
	}
	if mine && left > leaseFor/2 && left <= leaseFor {
		return n, nil
	}
	if !mine && left > 0 && left <= leaseFor { // one that ends later is of a wrong clock
		return nil, nil
	}
	taken := 0
	err = w.Store.Write(ctx, now, func(tx *store.Tx) error {
		taken, err = tx.Client().Notifier.Update().
			Where(notifier.ID(id), notifier.Enabled(true), notifier.Or(notifier.LeasedByIsNil(), notifier.LeasedBy(w.self), notifier.LeasedUntilLTE(now), notifier.LeasedUntilGT(now.Add(leaseFor)))).
			SetLeasedBy(w.self).SetLeasedUntil(now.Add(leaseFor)).Save(ctx)
		return err
	})
	if err != nil || taken == 0 {
		return nil, err
	}
	return n, nil
}

// as returns a context of a reader of one team: messages contain nothing of other teams.
func as(ctx context.Context, team uuid.UUID) context.Context {
	return auth.With(ctx, auth.Principal{Name: "coreroller", Role: auth.Viewer, TeamID: team, Grants: []auth.Grant{{Role: auth.Viewer, Team: team}}})
}

// Target returns the receiver of a notifier, with all that its messages need.
func Target(n *db.Notifier, now time.Time) notify.Target {
	t := notify.Target{Kind: notify.Kind(n.Kind), URL: n.URL, Addresses: n.Addresses, Authorization: n.Authorization}
	if n.Secret != "" {
		t.Secrets = []string{n.Secret}
	}
	if n.PreviousSecret != "" && n.PreviousSecretUntil != nil && now.Before(*n.PreviousSecretUntil) {
		t.Secrets = append(t.Secrets, n.PreviousSecret)
	}
	return t
}

// Attempt is one line of the log of a delivery.
type Attempt struct {
	At     time.Time     `json:"at"`
	Class  notify.Class  `json:"class"` // ClassNone: delivered
	Status int           `json:"status"`
	Error  string        `json:"error"`
	Took   time.Duration `json:"took"`
}

// Delivered reports whether the receiver accepted the message.
func (a *Attempt) Delivered() bool { return a.Class == notify.ClassNone }

// maxLogged is how many attempts a delivery keeps: those of one round of retries, and
// those of the one before.
const maxLogged = 20

// Log returns the attempts of a delivery, oldest first.
func Log(d *db.Delivery) (all []Attempt) {
	_ = json.Unmarshal([]byte(d.Log), &all) // written by this package
	return all
}

// Took returns how long the attempts of a delivery took.
func Took(d *db.Delivery) (all []time.Duration) {
	for _, a := range Log(d) {
		all = append(all, a.Took)
	}
	return all
}

// logged returns the log of a delivery with another attempt.
func logged(d *db.Delivery, at time.Time, a *notify.Answer) string {
	all := append(Log(d), Attempt{at, a.Class, a.Status, a.Error, a.Took})
	text, _ := json.Marshal(all[max(len(all)-maxLogged, 0):]) // plain values always marshal
	return string(text)
}
