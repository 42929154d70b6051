package notice

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/delivery"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/store"
)

const (
	// disableAfter is the time without a success after which a failing notifier is disabled.
	// It is less than the retries of one delivery take together.
	disableAfter = 72 * time.Hour
	// keepDeliveries and keepNewest bound the log of a notifier.
	keepDeliveries = 30 * 24 * time.Hour
	keepNewest     = 10_000
	dropEvery      = time.Hour
	// sendRows caps the due deliveries that are read at once.
	sendRows = 20
)

// waits are the times between the attempts of a delivery: 75 hours and a half in all.
var waits = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// MaxAttempts is how often a delivery is tried.
func MaxAttempts() int { return len(waits) + 1 }

// sendDue sends what is due for a notifier until nothing is.
func (w *Worker) sendDue(ctx context.Context, n *db.Notifier) error {
	for {
		rows, err := w.Store.Reader().Delivery.Query().Where(delivery.NotifierID(n.ID), delivery.State(string(Pending)), delivery.NextAtLTE(w.Now())).
			Order(delivery.ByNextAt(), delivery.ByID()).Limit(sendRows).All(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if n, err = w.lease(ctx, n.ID); n == nil || err != nil {
				return err // deleted, disabled, or another process works on it
			}
			if err := w.attempt(ctx, n, row); err != nil {
				return err
			}
		}
	}
}

// attempt sends a delivery once and records the result, also when the process stops
// meanwhile: else the receiver would get the message twice.
func (w *Worker) attempt(ctx context.Context, n *db.Notifier, d *db.Delivery) error {
	ctx = context.WithoutCancel(ctx)
	at := w.Now()
	answer := w.Sender.Send(ctx, Target(n, at), notify.Delivery{ID: MessageID(d.ID), Messages: messages(d), Omitted: d.Omitted}, at)
	w.count(n, answer)
	return w.Store.Write(ctx, at, func(tx *store.Tx) error {
		tx.Publish(event.Event{Kind: event.NoticeSent})
		update := tx.Client().Delivery.UpdateOneID(d.ID).SetLog(logged(d, at, answer)).SetRequest(answer.Request).SetResponse(answer.Response).SetAttempts(d.Attempts + 1).SetFailedAt(at)
		switch {
		case answer.Delivered():
			update.SetState(string(Delivered)).SetEndedAt(at).ClearNextAt().ClearFailedAt()
		case d.Attempts+1 >= MaxAttempts():
			update.SetState(string(Failed)).SetEndedAt(at).ClearNextAt()
		default:
			update.SetNextAt(at.Add(max(waitFor(d.ID, d.Attempts), answer.RetryAfter)))
		}
		if err := update.Exec(ctx); err != nil {
			return missing(err)
		}
		return missing(w.result(ctx, tx, n, answer, at))
	})
}

// missing ignores a notifier or delivery that was deleted meanwhile.
func missing(err error) error {
	if db.IsNotFound(err) {
		return nil
	}
	return err
}

// waitFor returns the time until the next attempt, up to a tenth longer, so that many
// deliveries are not tried at once again. The same delivery has the same times.
func waitFor(id uuid.UUID, attempts int) time.Duration {
	wait := waits[min(attempts, len(waits)-1)]
	return wait + wait/10*time.Duration(id[15])/256
}

// result records in the notifier whether its receiver accepts messages. It disables one
// that failed for too long, or wants no further messages.
func (w *Worker) result(ctx context.Context, tx *store.Tx, n *db.Notifier, answer *notify.Answer, at time.Time) error {
	n, err := tx.Client().Notifier.Get(ctx, n.ID)
	if err != nil {
		return err
	}
	update := tx.Client().Notifier.UpdateOne(n)
	if answer.Delivered() {
		return update.SetSentAt(at).ClearFailingSince().SetLastError("").Exec(ctx)
	}
	update.SetLastError(answer.Error)
	since := at
	if n.FailingSince != nil {
		since = *n.FailingSince
	} else {
		update.SetFailingSince(at)
	}
	because := ""
	switch {
	case answer.Gone:
		because = "the receiver answered that it wants no further messages (410)"
	case at.Sub(since) >= disableAfter:
		because = fmt.Sprintf("it failed for %d hours", int(at.Sub(since).Hours()))
	}
	if because != "" && n.Enabled {
		update.SetEnabled(false).SetDisabledBecause(because)
		tx.Publish(event.Event{Kind: event.NoticeAdded})
		w.Log.Warn("a notifier was disabled", "notifier", n.Name, "because", because)
	}
	return update.Exec(ctx)
}

// MessageID is the id of a delivery for its receiver.
func MessageID(id uuid.UUID) string { return "evt_" + strings.ReplaceAll(id.String(), "-", "") }

// drop deletes old deliveries of a notifier.
func (w *Worker) drop(ctx context.Context, n *db.Notifier) error {
	now := w.Now()
	w.mu.Lock()
	due := now.Sub(w.dropped[n.ID]).Abs() >= dropEvery
	if due {
		w.dropped[n.ID] = now
	}
	w.mu.Unlock()
	if !due {
		return nil
	}
	return w.Store.DropDeliveries(ctx, now, n.ID, now.Add(-keepDeliveries), keepNewest)
}

// Test sends a test message at once and records it. It is not tried again.
func (w *Worker) Test(ctx context.Context, n *db.Notifier, by string) (uuid.UUID, error) {
	at := w.Now()
	id := store.NewID(at)
	m := w.testMessage(n, by, at)
	var answer *notify.Answer
	if n.Kind == string(notify.Alertmanager) {
		answer = w.Sender.SendAlerts(ctx, Target(n, at), []notify.Alert{testAlert(m, at)}, at)
	} else {
		answer = w.Sender.Send(ctx, Target(n, at), notify.Delivery{ID: MessageID(id), Messages: []notify.Message{m}}, at)
	}
	w.count(n, answer)
	ctx = context.WithoutCancel(ctx)
	err := w.Store.Write(ctx, at, func(tx *store.Tx) error {
		tx.Publish(event.Event{Kind: event.NoticeSent})
		create := newDelivery(tx, n.ID, id, id, m.Type, m.Title+": "+m.Sentence, []notify.Message{m}, 0, at).SetState(string(Delivered)).SetEndedAt(at).
			SetAttempts(1).SetLog(logged(&db.Delivery{Log: "[]"}, at, answer)).SetRequest(answer.Request).SetResponse(answer.Response)
		if !answer.Delivered() {
			create.SetState(string(Failed)).SetFailedAt(at)
		}
		return create.Exec(ctx)
	})
	if store.IsConflict(err) {
		return id, errors.New("the notifier was deleted meanwhile")
	}
	return id, err
}

// Count is what the metrics are by.
type Count struct {
	Kind   notify.Kind
	Result string // delivered or failed
}

// Counts returns all combinations.
func Counts() (all []Count) {
	for _, kind := range notify.Kinds() {
		all = append(all, Count{kind, "delivered"}, Count{kind, "failed"})
	}
	return all
}

func (w *Worker) count(n *db.Notifier, a *notify.Answer) {
	c := Count{notify.Kind(n.Kind), "delivered"}
	if !a.Delivered() {
		c.Result = "failed"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent[c]++
}

// Sent returns how many attempts of this process had a result.
func (w *Worker) Sent(c Count) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent[c]
}
