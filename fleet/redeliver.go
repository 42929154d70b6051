package fleet

import (
	"context"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/delivery"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/remote/notify"
)

// Redelivered is how many messages are sent again.
type Redelivered struct {
	Notifier *db.Notifier
	Messages int
}

// RedeliverMessages sends messages again that were delivered or given up, with the same
// ids and a new round of attempts.
func (s *Service) RedeliverMessages(ctx context.Context, in RedeliverMessages) (*Redelivered, error) {
	v := change.Verb{Name: "redeliverMessages", Object: "notifier", ID: in.NotifierID, Reason: in.Reason}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	if len(in.DeliveryIDs) > maxConditions {
		return nil, fault.Errorf(fault.Invalid, "deliveryIds", "must be at most %d", maxConditions)
	}
	out := &Redelivered{}
	var err error
	out.Notifier, err = s.changeNotifier(ctx, v, func(c *change.Change, n *db.Notifier) error {
		switch {
		case n.Kind == string(notify.Alertmanager):
			return fault.Errorf(fault.Conflict, "notifierId", "Alertmanager gets its alerts each minute: nothing is sent again")
		case !n.Enabled:
			return fault.Errorf(fault.Conflict, "notifierId", "the notifier is disabled: enable it first")
		}
		where := []predicate.Delivery{delivery.NotifierID(n.ID)}
		if len(in.DeliveryIDs) > 0 {
			where = append(where, delivery.IDIn(in.DeliveryIDs...), delivery.StateIn(string(notice.Failed), string(notice.Delivered)))
		} else {
			where = append(where, delivery.State(string(notice.Failed)))
		}
		where = append(where, delivery.TypeNEQ("test"))
		if out.Messages, err = c.Tx.Client().Delivery.Update().Where(where...).SetState(string(notice.Pending)).SetAttempts(0).SetNextAt(c.Now).ClearEndedAt().ClearFailedAt().Save(ctx); err != nil {
			return err
		}
		if out.Messages == 0 {
			return fault.Errorf(fault.NotFound, "deliveryIds", "there is no such delivery that has ended, without tests")
		}
		c.After = map[string]any{"messages": out.Messages}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
