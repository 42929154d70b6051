package graph

import (
	"context"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *queryResolver) RefusedRequests(ctx context.Context, first *int, after *string) (*model.RefusedRequestConnection, error) {
	return readPage(ctx, r.fleet.View.RefusedRequests(), first, after)
}

func (r *refusedRequestResolver) Application(ctx context.Context, obj *db.RefusedRequest) (*db.Application, error) {
	app, _, err := r.fleet.View.Refused(ctx, obj)
	if err != nil {
		return nil, err
	}
	return loadersOf(ctx).applications.load(ctx, app)
}

func (r *refusedRequestResolver) Arch(_ context.Context, obj *db.RefusedRequest) (string, error) {
	return catalog.Arch(obj.Board, ""), nil
}

func (r *refusedRequestResolver) Group(ctx context.Context, obj *db.RefusedRequest) (*db.Group, error) {
	_, group, err := r.fleet.View.Refused(ctx, obj)
	if err != nil {
		return nil, err
	}
	return loadersOf(ctx).groups.load(ctx, group)
}
