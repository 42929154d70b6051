package graph

import (
	"context"

	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
)

func (r *queryResolver) MachineBreakdown(ctx context.Context, filter *machines.Filter, attribute string, first *int) (*view.Breakdown, error) {
	return r.fleet.View.Breakdown(ctx, value(filter), attribute, value(first))
}
