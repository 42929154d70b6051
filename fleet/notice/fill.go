package notice

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/delivery"
	"github.com/coreroller/coreroller/ent/db/notifier"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/store"
)

const (
	// fillRows caps the activities that are read at once.
	fillRows = 500
	// maxWaiting caps the deliveries of a notifier that wait. Further activities wait in
	// their own table.
	maxWaiting = 10_000
	// lookBack is how late a transaction may commit activities whose ids are older than
	// those that were read before.
	lookBack = 10 * time.Minute
	// maxListed is how many messages a digest contains.
	maxListed = 20
)

// errLost ends a transaction of a process that has lost its lease.
var errLost = errors.New("another process works on the notifier")

// holds writes only while this process has the lease.
func (w *Worker) holds(ctx context.Context, n *db.Notifier, f func(tx *store.Tx) error) error {
	err := w.Store.Write(ctx, w.Now(), func(tx *store.Tx) error {
		mine, err := tx.Client().Notifier.Update().Where(notifier.ID(n.ID), notifier.LeasedBy(w.self)).SetLeasedBy(w.self).Save(ctx)
		if err != nil {
			return err
		}
		if mine == 0 {
			return errLost
		}
		return f(tx)
	})
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}

// fill makes deliveries of the activities that a notifier has not had yet.
func (w *Worker) fill(ctx context.Context, n *db.Notifier) error {
	for {
		waiting, err := w.Store.Reader().Delivery.Query().Where(delivery.NotifierID(n.ID), delivery.NextAtNotNil()).Count(ctx)
		if err != nil || waiting >= maxWaiting {
			return err
		}
		now := w.Now()
		from, back := n.Position, now.Sub(n.LookedBackAt).Abs() >= fillEvery
		if back {
			from = store.FirstID(min2(store.TimeOf(n.Position), now).Add(-lookBack))
		}
		q := w.Store.Reader().Activity.Query().Where(conditions(n)...).Where(activity.IDGT(from), activity.AtGTE(n.EnabledAt)).Order(activity.ByID()).Limit(fillRows)
		rows, err := store.Undelivered(q, n.ID, from).All(as(ctx, n.TeamID))
		if err != nil || len(rows) == 0 && !back {
			return err
		}
		full := len(rows) == fillRows
		if err := w.holds(ctx, n, func(tx *store.Tx) error { return w.add(ctx, tx, n, rows, now, back && !full) }); err != nil {
			return err
		}
		if !full {
			return nil
		}
	}
}

func min2(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// add writes the deliveries of activities and the new position.
func (w *Worker) add(ctx context.Context, tx *store.Tx, n *db.Notifier, rows []*db.Activity, now time.Time, back bool) error {
	position := n.Position
	if back { // what is older is found by the next look back
		position = later(position, store.FirstID(now.Add(-fillEvery)))
	}
	all := make([]*db.DeliveryCreate, len(rows))
	for i, row := range rows {
		position = later(position, row.ID)
		m := w.message(row)
		state, next := Pending, now
		if at := releaseAt(n, now, row.Kind); at.After(now) {
			state, next = Held, at
		}
		all[i] = newDelivery(tx, n.ID, store.NewID(now), row.ID, m.Type, m.Title+": "+m.Sentence, []notify.Message{m}, 0, now).SetState(string(state)).SetNextAt(next)
	}
	if len(all) > 0 {
		tx.Publish(event.Event{Kind: event.NoticeSent})
	}
	if err := tx.Client().Delivery.CreateBulk(all...).Exec(ctx); err != nil {
		return err
	}
	update := tx.Client().Notifier.UpdateOneID(n.ID).SetPosition(position)
	if back {
		update.SetLookedBackAt(now)
		n.LookedBackAt = now
	}
	n.Position = position
	return update.Exec(ctx)
}

func later(a, b uuid.UUID) uuid.UUID {
	if a.String() < b.String() {
		return b
	}
	return a
}

func newDelivery(tx *store.Tx, to, id, event uuid.UUID, kind, summary string, messages []notify.Message, omitted int, now time.Time) *db.DeliveryCreate {
	text, _ := json.Marshal(messages) // plain values always marshal
	return tx.Client().Delivery.Create().SetID(id).SetNotifierID(to).SetEventID(event).SetType(kind).SetSummary(summary).
		SetMessages(string(text)).SetOmitted(omitted).SetState(string(Pending)).SetCreatedAt(now)
}

// conditions are those of a notifier on activities.
func conditions(n *db.Notifier) []predicate.Activity {
	kinds := n.Kinds
	if len(kinds) == 0 {
		kinds = UsualKinds()
	}
	where := []predicate.Activity{activity.KindIn(kinds...), activity.SeverityGTE(n.MinSeverity)}
	if len(n.Applications) > 0 {
		where = append(where, activity.ApplicationIDIn(n.Applications...))
	}
	if len(n.Groups) > 0 {
		where = append(where, activity.GroupIDIn(n.Groups...))
	}
	return where
}

// bundle releases what was held: one message as it is, several as one digest.
func (w *Worker) bundle(ctx context.Context, n *db.Notifier) error {
	now := w.Now()
	due := []predicate.Delivery{delivery.NotifierID(n.ID), delivery.State(string(Held)), delivery.NextAtLTE(now)}
	rows, err := w.Store.Reader().Delivery.Query().Where(due...).Order(delivery.ByID()).Limit(maxListed).All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	total, err := w.Store.Reader().Delivery.Query().Where(due...).Count(ctx)
	if err != nil {
		return err
	}
	if total == 1 {
		return w.holds(ctx, n, func(tx *store.Tx) error {
			tx.Publish(event.Event{Kind: event.NoticeSent})
			return tx.Client().Delivery.UpdateOneID(rows[0].ID).SetState(string(Pending)).Exec(ctx)
		})
	}
	var all []notify.Message
	for _, row := range rows {
		all = append(all, messages(row)...)
	}
	return w.holds(ctx, n, func(tx *store.Tx) error {
		tx.Publish(event.Event{Kind: event.NoticeSent})
		id := store.NewID(now)
		bundled, err := tx.Client().Delivery.Update().Where(due...).SetState(string(Bundled)).SetDigestID(id).SetEndedAt(now).ClearNextAt().Save(ctx)
		if err != nil {
			return err
		}
		return newDelivery(tx, n.ID, id, id, "digest", digestSummary(all, bundled), all, bundled-len(all), now).SetNextAt(now).Exec(ctx)
	})
}

func messages(d *db.Delivery) (all []notify.Message) {
	_ = json.Unmarshal([]byte(d.Messages), &all) // written by this package
	return all
}
