package view

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/delivery"
	"github.com/coreroller/coreroller/ent/db/notifier"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// longFailure is how long a notifier may fail until it needs attention: a receiver that
// restarts does not.
const longFailure = 10 * time.Minute

// Notifiers reads the notifiers of the teams in which the caller is an administrator.
func (s *Service) Notifiers(ctx context.Context) ([]*db.Notifier, error) {
	teams, err := s.administered(ctx)
	if err != nil {
		return nil, err
	}
	q := s.db().Notifier.Query().Order(notifier.ByName(), notifier.ByID())
	if teams != nil {
		q.Where(notifier.TeamIDIn(teams...))
	}
	return read(ctx, "notifiers", q.All)
}

// Notifier reads one notifier.
func (s *Service) Notifier(ctx context.Context, id uuid.UUID) (*db.Notifier, error) {
	teams, err := s.administered(ctx)
	if err != nil {
		return nil, err
	}
	q := s.db().Notifier.Query().Where(notifier.ID(id))
	if teams != nil {
		q.Where(notifier.TeamIDIn(teams...))
	}
	return one(ctx, "notifier", q.Only)
}

// administered returns the teams in which the caller may read notifiers; nil: all.
func (s *Service) administered(ctx context.Context) ([]uuid.UUID, error) {
	who, err := fault.RequireVerb(ctx, "notifiers")
	if err != nil {
		return nil, err
	}
	teams := []uuid.UUID{}
	for _, g := range who.AllGrants() {
		if g.Role < auth.Needs("notifiers") || g.Application != uuid.Nil {
			continue
		}
		if g.Team == uuid.Nil {
			return nil, nil
		}
		teams = append(teams, g.Team)
	}
	return teams, nil
}

// DeliveryFilter are conditions on deliveries; all must hold.
type DeliveryFilter struct {
	States []string // none: all
	Type   *string
}

// Deliveries returns the deliveries of a notifier that the caller has read, newest first.
func (s *Service) Deliveries(n *db.Notifier, f DeliveryFilter) *List[*db.Delivery] {
	q := s.db().Delivery.Query().Where(delivery.NotifierID(n.ID))
	if len(f.States) > 0 {
		q.Where(delivery.StateIn(f.States...))
	}
	if f.Type != nil {
		q.Where(delivery.Type(*f.Type))
	}
	return listOf(q, byID(func(d *db.Delivery) uuid.UUID { return d.ID }))
}

// Delivery reads one delivery.
func (s *Service) Delivery(ctx context.Context, id uuid.UUID) (*db.Delivery, error) {
	if _, err := fault.RequireVerb(ctx, "notifiers"); err != nil {
		return nil, err
	}
	d, err := one(ctx, "delivery", s.db().Delivery.Query().Where(delivery.ID(id)).Only)
	if err != nil {
		return nil, err
	}
	_, err = s.Notifier(ctx, d.NotifierID)
	return d, err
}

// FailedDeliveries reads the deliveries whose last attempt failed, of the notifiers that
// the caller may read, the latest first.
func (s *Service) FailedDeliveries(ctx context.Context, limit int) ([]*db.Delivery, error) {
	teams, err := s.administered(ctx)
	if err != nil {
		return nil, err
	}
	q := s.db().Delivery.Query().Where(delivery.FailedAtNotNil())
	if teams != nil {
		mine, err := read(ctx, "notifiers", s.db().Notifier.Query().Where(notifier.TeamIDIn(teams...)).IDs)
		if err != nil {
			return nil, err
		}
		q.Where(delivery.NotifierIDIn(mine...))
	}
	return read(ctx, "failed deliveries", q.Order(delivery.ByFailedAt(sql.OrderDesc())).Limit(limit).All)
}

// AnswerTimes is how long the receiver of a notifier takes.
type AnswerTimes struct {
	Attempts        int // that were measured
	Median, Slowest time.Duration
}

// answersMeasured is how many deliveries AnswerTimes reads.
const answersMeasured = 100

// AnswerTimes measures the attempts of the newest deliveries of a notifier that the caller
// has read; nil without any.
func (s *Service) AnswerTimes(ctx context.Context, n *db.Notifier, attempts func(*db.Delivery) []time.Duration) (*AnswerTimes, error) {
	rows, err := read(ctx, "deliveries", s.db().Delivery.Query().Where(delivery.NotifierID(n.ID)).
		Order(delivery.ByID(sql.OrderDesc())).Limit(answersMeasured).Select(delivery.FieldLog).All)
	if err != nil {
		return nil, err
	}
	var all []time.Duration
	for _, row := range rows {
		all = append(all, attempts(row)...)
	}
	if len(all) == 0 {
		return nil, nil
	}
	slices.Sort(all)
	return &AnswerTimes{Attempts: len(all), Median: all[len(all)/2], Slowest: all[len(all)-1]}, nil
}

// DeliveryCounts are numbers of deliveries.
type DeliveryCounts struct{ Total, Delivered, Waiting, Failed int }

// DeliveryCounts counts the deliveries of the last day of notifiers that the caller has
// read, without tests and those that are part of a digest. It leaves out notifiers
// without any.
func (s *Service) DeliveryCounts(ctx context.Context, notifiers []uuid.UUID) (map[uuid.UUID]*DeliveryCounts, error) {
	if _, err := fault.RequireVerb(ctx, "notifiers"); err != nil {
		return nil, err
	}
	var rows []struct {
		NotifierID uuid.UUID `json:"notifier_id"`
		State      string
		Count      int
	}
	_, err := read(ctx, "deliveries", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.db().Delivery.Query().Where(delivery.NotifierIDIn(notifiers...), delivery.IDGTE(firstID(s.now().Add(-24*time.Hour))), delivery.TypeNEQ("test")).
			GroupBy(delivery.FieldNotifierID, delivery.FieldState).Aggregate(db.Count()).Scan(ctx, &rows)
	})
	all := map[uuid.UUID]*DeliveryCounts{}
	for _, row := range rows {
		out := all[row.NotifierID]
		if out == nil {
			out = &DeliveryCounts{}
			all[row.NotifierID] = out
		}
		switch row.State {
		case "DELIVERED":
			out.Delivered += row.Count
		case "FAILED":
			out.Failed += row.Count
		case "BUNDLED":
			continue
		default:
			out.Waiting += row.Count
		}
		out.Total += row.Count
	}
	return all, err
}

// addNotifiers adds the notifiers that fail.
func (s *Service) addNotifiers(ctx context.Context, out *attentions) error {
	rows, err := read(ctx, "notifiers", s.db().Notifier.Query().Where(notifier.FailingSinceNotNil()).Order(notifier.ByID()).All)
	if err != nil {
		return err
	}
	for _, n := range rows {
		switch {
		case !n.Enabled && n.DisabledBecause != "":
			out.add(nil, AttentionNotifier, rollout.SeverityError, n.FailingSince, fmt.Sprintf("the notifier %q was disabled: %s", n.Name, n.DisabledBecause))
		case n.Enabled && s.now().Sub(*n.FailingSince) >= longFailure:
			out.add(nil, AttentionNotifier, rollout.SeverityWarning, n.FailingSince, fmt.Sprintf("the notifier %q cannot send: %s", n.Name, n.LastError))
		default:
			continue
		}
		(*out)[len(*out)-1].Notifier = n
	}
	return nil
}
