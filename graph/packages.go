package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *queryResolver) Package(ctx context.Context, id uuid.UUID) (*db.Release, error) {
	return maybe(r.fleet.View.Package(ctx, id, with(ctx)))
}

func (r *packageResolver) Warnings(ctx context.Context, obj *db.Release) ([]string, error) {
	return r.fleet.View.PackageWarnings(ctx, obj)
}

func (r *packageResolver) Files(ctx context.Context, obj *db.Release) ([]*db.PackageFile, error) {
	return r.fleet.View.PackageFiles(ctx, obj)
}

func (r *packageResolver) Channels(ctx context.Context, obj *db.Release) ([]*db.Channel, error) {
	return r.fleet.View.PackageChannels(ctx, obj, with(ctx))
}

func (r *packageResolver) Floors(ctx context.Context, obj *db.Release) ([]*db.Floor, error) {
	return r.fleet.View.PackageFloors(ctx, obj, with(ctx))
}

func (r *packageResolver) Blacklistings(ctx context.Context, obj *db.Release) ([]*db.Blacklisting, error) {
	return r.fleet.View.PackageBlacklistings(ctx, obj, with(ctx))
}

func (r *mutationResolver) CreatePackage(ctx context.Context, input fleet.CreatePackage) (*model.PackagePayload, error) {
	return payload(r.fleet.CreatePackage(ctx, input))
}

func (r *mutationResolver) UpdatePackage(ctx context.Context, input fleet.UpdatePackage) (*model.PackagePayload, error) {
	return payload(r.fleet.UpdatePackage(ctx, input))
}

func (r *mutationResolver) DeletePackage(ctx context.Context, input fleet.DeletePackage) (*model.DeletePayload, error) {
	return deletePayload(input.ID, r.fleet.DeletePackage(ctx, input))
}
