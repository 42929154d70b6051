package store

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/delivery"
	"github.com/coreroller/coreroller/ent/db/predicate"
)

// FirstID is the lower bound of the ids that NewID returns at or after t.
func FirstID(t time.Time) uuid.UUID { return firstID(t) }

// TimeOf returns the millisecond in which NewID returned an id.
func TimeOf(id uuid.UUID) time.Time {
	ms := int64(0)
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC()
}

// Undelivered adds to a query of activities after an id that a notifier has no delivery
// of them.
func Undelivered(q *db.ActivityQuery, notifier, after uuid.UUID) *db.ActivityQuery {
	return q.Where(predicate.Activity(func(s *sql.Selector) {
		t := sql.Dialect(s.Dialect()).Table(delivery.Table)
		s.Where(sql.NotIn(s.C(activity.FieldID), sql.Dialect(s.Dialect()).Select(t.C(delivery.FieldEventID)).From(t).
			Where(sql.And(sql.EQ(t.C(delivery.FieldNotifierID), notifier), sql.GT(t.C(delivery.FieldEventID), after)))))
	}))
}

// DropDeliveries deletes the deliveries of a notifier that have ended and are from before a
// given time, or not among the newest ones.
func (s *Store) DropDeliveries(ctx context.Context, now time.Time, notifier uuid.UUID, before time.Time, newest int) error {
	oldest := firstID(before)
	ids, err := s.Reader().Delivery.Query().Where(delivery.NotifierID(notifier)).Order(delivery.ByID(sql.OrderDesc())).Offset(newest).Limit(1).IDs(ctx)
	if err != nil {
		return fmt.Errorf("read deliveries: %w", err)
	}
	if len(ids) > 0 && ids[0].String() > oldest.String() {
		oldest = ids[0]
	}
	for {
		ids, err := s.Reader().Delivery.Query().Where(delivery.NotifierID(notifier), delivery.IDLTE(oldest), delivery.EndedAtNotNil()).
			Order(delivery.ByID()).Limit(DeleteRows / 4).IDs(ctx)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := s.Write(ctx, now, func(tx *Tx) error {
			_, err := tx.Client().Delivery.Delete().Where(delivery.IDIn(ids...)).Exec(ctx)
			return err
		}); err != nil {
			return fmt.Errorf("delete deliveries: %w", err)
		}
	}
}
