package graph

import (
	"context"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *applicationResolver) Secrets(ctx context.Context, obj *db.Application) ([]*db.MachineSecret, error) {
	return r.fleet.View.ApplicationSecrets(ctx, obj.ID)
}

func (r *groupResolver) Secrets(ctx context.Context, obj *db.Group) ([]*db.MachineSecret, error) {
	return r.fleet.View.GroupSecrets(ctx, obj.ID)
}

func (r *machineSecretResolver) Purpose(_ context.Context, obj *db.MachineSecret) (catalog.Purpose, error) {
	return catalog.Purpose(obj.Purpose), nil
}

func (r *mutationResolver) CreateMachineSecret(ctx context.Context, input fleet.CreateMachineSecret) (*model.CreateMachineSecretPayload, error) {
	return payload(r.fleet.CreateMachineSecret(ctx, input))
}

func (r *mutationResolver) RevokeMachineSecret(ctx context.Context, input fleet.RevokeMachineSecret) (*model.MachineSecretPayload, error) {
	return payload(r.fleet.RevokeMachineSecret(ctx, input))
}
