package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/view"
)

func (r *queryResolver) PreviewGroupExpression(ctx context.Context, input view.PreviewExpression) (*view.ExpressionPreview, error) {
	return r.fleet.View.PreviewExpression(ctx, input)
}

func (r *applicationResolver) Reassignment(ctx context.Context, obj *db.Application) (*db.Reassignment, error) {
	return loadersOf(ctx).reassignments.load(ctx, obj.ID)
}

func (r *groupResolver) Expression(_ context.Context, obj *db.Group) (*string, error) {
	if obj.Expression == "" {
		return nil, nil
	}
	return &obj.Expression, nil
}

func (r *instanceResolver) Membership(ctx context.Context, obj *db.Instance) (*view.Membership, error) {
	labels, err := loadersOf(ctx).labels.load(ctx, obj.ID)
	if err != nil {
		return nil, err
	}
	return r.fleet.View.Membership(ctx, obj, labels)
}

func (r *expressionMoveResolver) From(ctx context.Context, obj *view.ExpressionMove) (*db.Group, error) {
	return groupOrNone(ctx, obj.From)
}

func (r *expressionMoveResolver) To(ctx context.Context, obj *view.ExpressionMove) (*db.Group, error) {
	return groupOrNone(ctx, obj.To)
}

func (r *expressionResultResolver) Group(ctx context.Context, obj *view.ExpressionResult) (*db.Group, error) {
	return groupOrNone(ctx, obj.Group.ID)
}

func groupOrNone(ctx context.Context, id uuid.UUID) (*db.Group, error) {
	if id == uuid.Nil {
		return nil, nil
	}
	return loadersOf(ctx).groups.load(ctx, id)
}
