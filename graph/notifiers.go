package graph

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/notice"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/rollout"
)

func (r *queryResolver) Notifiers(ctx context.Context) ([]*db.Notifier, error) {
	return r.fleet.View.Notifiers(ctx)
}

func (r *queryResolver) Notifier(ctx context.Context, id uuid.UUID) (*db.Notifier, error) {
	return maybe(r.fleet.View.Notifier(ctx, id))
}

func (r *queryResolver) Delivery(ctx context.Context, id uuid.UUID) (*db.Delivery, error) {
	return maybe(r.fleet.View.Delivery(ctx, id))
}

func (r *queryResolver) FailedDeliveries(ctx context.Context, first *int) ([]*db.Delivery, error) {
	n, err := limit(first)
	if err != nil {
		return nil, err
	}
	return r.fleet.View.FailedDeliveries(ctx, n)
}

func (r *queryResolver) MessageSettings(ctx context.Context) (*fleet.MessageSettings, error) {
	return r.fleet.MessageSettings(ctx)
}

func (r *subscriptionResolver) NotifiersChanged(ctx context.Context) (<-chan *model.NotifiersChange, error) {
	wanted := func(e event.Event) bool { return e.Kind == event.NoticeSent || e.Kind == event.NoticeAdded }
	return watch(ctx, r.Resolver, fleetInterval, wanted, func(ctx context.Context, snapshot bool) (*model.NotifiersChange, bool, error) {
		all, err := r.fleet.View.Notifiers(ctx)
		return &model.NotifiersChange{AsOf: r.Now(), Snapshot: snapshot, Notifiers: all}, false, err
	})
}

func (r *mutationResolver) CreateNotifier(ctx context.Context, input fleet.CreateNotifier) (*model.NewNotifierPayload, error) {
	return payload(r.fleet.CreateNotifier(ctx, input))
}

func (r *mutationResolver) UpdateNotifier(ctx context.Context, input fleet.UpdateNotifier) (*model.NotifierPayload, error) {
	return payload(r.fleet.UpdateNotifier(ctx, input))
}

func (r *mutationResolver) DeleteNotifier(ctx context.Context, input fleet.DeleteNotifier) (*model.DeletePayload, error) {
	return deletePayload(input.ID, r.fleet.DeleteNotifier(ctx, input))
}

func (r *mutationResolver) RotateNotifier(ctx context.Context, input fleet.RotateNotifier) (*model.NewNotifierPayload, error) {
	return payload(r.fleet.RotateNotifier(ctx, input))
}

func (r *mutationResolver) TestNotifier(ctx context.Context, input model.TestNotifierInput) (*model.DeliveryPayload, error) {
	return payload(r.fleet.TestNotifier(ctx, input.ID))
}

func (r *mutationResolver) RedeliverMessages(ctx context.Context, input fleet.RedeliverMessages) (*model.RedeliverMessagesPayload, error) {
	return payload(r.fleet.RedeliverMessages(ctx, input))
}

func (r *notifierResolver) Kind(_ context.Context, obj *db.Notifier) (notify.Kind, error) {
	return notify.Kind(obj.Kind), nil
}

func (r *notifierResolver) URL(_ context.Context, obj *db.Notifier) (string, error) {
	return fleet.NotifierURL(obj), nil
}

func (r *notifierResolver) Addresses(_ context.Context, obj *db.Notifier) ([]string, error) {
	return obj.Addresses, nil
}

func (r *notifierResolver) Authorization(_ context.Context, obj *db.Notifier) (bool, error) {
	return obj.Authorization != "", nil
}

func (r *notifierResolver) PreviousSecretUntil(_ context.Context, obj *db.Notifier) (*time.Time, error) {
	if obj.PreviousSecretUntil == nil || !r.Now().Before(*obj.PreviousSecretUntil) {
		return nil, nil
	}
	return obj.PreviousSecretUntil, nil
}

func (r *notifierResolver) Kinds(_ context.Context, obj *db.Notifier) ([]rollout.ActivityKind, error) {
	return obj.Kinds, nil
}

func (r *notifierResolver) ApplicationIds(_ context.Context, obj *db.Notifier) ([]uuid.UUID, error) {
	return obj.Applications, nil
}

func (r *notifierResolver) GroupIds(_ context.Context, obj *db.Notifier) ([]uuid.UUID, error) {
	return obj.Groups, nil
}

func (r *notifierResolver) Digest(_ context.Context, obj *db.Notifier) (time.Duration, error) {
	return time.Duration(obj.Digest) * time.Minute, nil
}

func (r *notifierResolver) LastDay(ctx context.Context, obj *db.Notifier) (*view.DeliveryCounts, error) {
	counts, err := loadersOf(ctx).deliveryCounts.load(ctx, obj.ID)
	if err == nil && counts == nil {
		counts = &view.DeliveryCounts{}
	}
	return counts, err
}

func (r *notifierResolver) AnswerTimes(ctx context.Context, obj *db.Notifier) (*view.AnswerTimes, error) {
	return r.fleet.View.AnswerTimes(ctx, obj, notice.Took)
}

func (r *notifierResolver) Firing(_ context.Context, obj *db.Notifier) (int, error) {
	return notice.Firing(obj), nil
}

func (r *notifierResolver) Deliveries(ctx context.Context, obj *db.Notifier, states []notice.State, kind *string, first *int, after *string) (*model.DeliveryConnection, error) {
	f := view.DeliveryFilter{Type: kind}
	for _, s := range states {
		f.States = append(f.States, string(s))
	}
	return readPage(ctx, r.fleet.View.Deliveries(obj, f), first, after)
}

func (r *deliveryResolver) State(_ context.Context, obj *db.Delivery) (notice.State, error) {
	return notice.State(obj.State), nil
}

func (r *deliveryResolver) Log(_ context.Context, obj *db.Delivery) ([]*notice.Attempt, error) {
	all := notice.Log(obj)
	out := make([]*notice.Attempt, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out, nil
}

func (r *deliveryAttemptResolver) Class(_ context.Context, obj *notice.Attempt) (*notify.Class, error) {
	if obj.Delivered() {
		return nil, nil
	}
	return &obj.Class, nil
}

func (r *attentionResolver) NotifierID(_ context.Context, obj *view.Attention) (*uuid.UUID, error) {
	if obj.Notifier == nil {
		return nil, nil
	}
	return &obj.Notifier.ID, nil
}
