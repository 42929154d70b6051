package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

// failureBreakdown returns the failures of a rollout by one trait, largest count
// first.
func failureBreakdown(ctx context.Context, id uuid.UUID, trait string) ([]*model.FailureBreakdown, error) {
	rows, err := loadersOf(ctx).shares.load(ctx, id)
	out := []*model.FailureBreakdown{}
	for _, row := range view.SharesOf(rows, trait) {
		out = append(out, &model.FailureBreakdown{Value: row.Value, Attempts: row.Attempts})
	}
	return out, err
}

// failedAttempts returns the attempts behind a count of failures.
func (r *Resolver) failedAttempts(ctx context.Context, row *db.GroupRollout, f model.FailureFilter, first *int, after *string) (*model.AttemptConnection, error) {
	filter := view.FailureFilter{Outcome: f.Outcome, Code: f.Code, OEM: f.Oem, FromVersion: f.FromVersion}
	cached := loadersOf(ctx)
	counters := view.FailureCounters{Waves: cached.waves.load, Failures: cached.failures.load, Shares: cached.shares.load}
	l, err := r.fleet.View.FailedAttempts(row.ID, filter, counters, withNodes(ctx))
	if err != nil {
		return nil, err
	}
	return attemptConnection(readPage(ctx, l, first, after))
}
