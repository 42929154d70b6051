package graph

import (
	"context"

	"github.com/coreroller/coreroller/graph/model"
)

func (r *queryResolver) RefusedRequests(ctx context.Context, first *int, after *string) (*model.RefusedRequestConnection, error) {
	return readPage(ctx, r.fleet.View.RefusedRequests(), first, after)
}
