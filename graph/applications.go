package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *queryResolver) Fleet(ctx context.Context) (*view.Numbers, error) {
	return r.fleet.View.FleetNumbers(ctx)
}

func (r *fleetNumbersResolver) Attention(ctx context.Context, _ *view.Numbers) ([]*view.Attention, error) {
	return r.fleet.View.Attention(ctx)
}

func (r *queryResolver) Applications(ctx context.Context) ([]*db.Application, error) {
	return r.fleet.View.Applications(ctx, with(ctx))
}

func (r *queryResolver) Application(ctx context.Context, id uuid.UUID) (*db.Application, error) {
	return maybe(r.fleet.View.Application(ctx, id, with(ctx)))
}

func (r *applicationResolver) Channels(ctx context.Context, obj *db.Application) ([]*db.Channel, error) {
	return r.fleet.View.ApplicationChannels(ctx, obj, with(ctx))
}

func (r *applicationResolver) Groups(ctx context.Context, obj *db.Application) ([]*db.Group, error) {
	return r.fleet.View.ApplicationGroups(ctx, obj, with(ctx))
}

func (r *applicationResolver) Packages(ctx context.Context, obj *db.Application, filter *view.PackageFilter, first *int, after *string) (*model.PackageConnection, error) {
	f := value(filter)
	f.Application = obj.ID
	return readPage(ctx, r.fleet.View.Packages(f, withNodes(ctx)), first, after)
}

func (r *applicationResolver) Numbers(ctx context.Context, obj *db.Application) (*view.Numbers, error) {
	return loadersOf(ctx).applicationNumbers.load(ctx, obj.ID)
}

func (r *applicationResolver) RecentChecks(ctx context.Context, obj *db.Application) ([]int, error) {
	return loadersOf(ctx).applicationChecks.load(ctx, obj.ID)
}

func (r *mutationResolver) CreateApplication(ctx context.Context, input fleet.CreateApplication) (*model.ApplicationPayload, error) {
	return payload(r.fleet.CreateApplication(ctx, input))
}

func (r *mutationResolver) UpdateApplication(ctx context.Context, input fleet.UpdateApplication) (*model.ApplicationPayload, error) {
	return payload(r.fleet.UpdateApplication(ctx, input))
}

func (r *mutationResolver) DeleteApplication(ctx context.Context, input fleet.DeleteApplication) (*model.DeletePayload, error) {
	return deletePayload(input.ID, r.fleet.DeleteApplication(ctx, input))
}

func (r *subscriptionResolver) ApplicationChanged(ctx context.Context, applicationID uuid.UUID) (<-chan *model.ApplicationChange, error) {
	wanted := func(e event.Event) bool {
		return e.App == applicationID && (e.Kind == event.AppChanged || e.Kind == event.GroupChanged)
	}
	return watch(ctx, r.Resolver, messageInterval, wanted, func(ctx context.Context, snapshot bool) (*model.ApplicationChange, bool, error) {
		row, err := maybe(r.fleet.View.Application(ctx, applicationID, with(ctx, []string{"application"})))
		return &model.ApplicationChange{AsOf: r.Now(), Snapshot: snapshot, Application: row}, row == nil, err
	})
}

func (r *subscriptionResolver) FleetChanged(ctx context.Context) (<-chan *model.FleetChange, error) {
	wanted := func(e event.Event) bool {
		return e.Kind == event.FleetChanged || e.Kind == event.AppChanged || e.Kind == event.GroupChanged || e.Kind == event.ProposalChanged
	}
	return watch(ctx, r.Resolver, fleetInterval, wanted, func(ctx context.Context, snapshot bool) (*model.FleetChange, bool, error) {
		numbers, err := r.fleet.View.FleetNumbers(ctx)
		if err != nil {
			return nil, false, err
		}
		rows, err := r.fleet.View.Applications(ctx, with(ctx, []string{"applications"}))
		return &model.FleetChange{AsOf: r.Now(), Snapshot: snapshot, Fleet: numbers, Applications: rows}, false, err
	})
}
