package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *queryResolver) MachineJob(ctx context.Context, id uuid.UUID) (*db.MachineJob, error) {
	return maybe(r.fleet.View.MachineJob(ctx, id))
}

func (r *queryResolver) MachineJobs(ctx context.Context, first *int, after *string) (*model.MachineJobConnection, error) {
	return readPage(ctx, r.fleet.View.MachineJobs(), first, after)
}

func (r *queryResolver) MachineJobImpact(ctx context.Context, filter machines.Filter, action job.Order) (*view.JobImpact, error) {
	return r.fleet.View.JobImpact(ctx, filter, action)
}

func (r *machineJobResolver) Action(_ context.Context, obj *db.MachineJob) (job.Action, error) {
	return job.Action(obj.Action), nil
}

func (r *machineJobResolver) State(_ context.Context, obj *db.MachineJob) (job.State, error) {
	return job.State(obj.State), nil
}

func (r *machineJobResolver) Pending(_ context.Context, obj *db.MachineJob) (int, error) {
	return job.PendingOf(obj), nil
}

func (r *machineJobResolver) Permissions(ctx context.Context, obj *db.MachineJob) ([]string, error) {
	who, _ := auth.From(ctx)
	return view.JobPermissions(who, r.fleet.Catalog(), obj), nil
}

func (r *machineJobResolver) Labels(_ context.Context, obj *db.MachineJob) (string, error) {
	if l := job.LabelsOf(obj.Labels); l != nil {
		return l.Describe(), nil
	}
	return "", nil
}

func (r *machineJobResolver) Items(ctx context.Context, obj *db.MachineJob, result *job.Result, first *int, after *string) (*model.MachineJobItemConnection, error) {
	return readRows[*db.MachineJobItem](ctx, r.fleet.View.JobItems(obj.ID, result), first, after)
}

func (r *machineJobItemResolver) Result(_ context.Context, obj *db.MachineJobItem) (job.Result, error) {
	return job.Result(obj.Result), nil
}

// Instance returns nil if the machine was forgotten.
func (r *machineJobItemResolver) Instance(ctx context.Context, obj *db.MachineJobItem) (*db.Instance, error) {
	return loadersOf(ctx).instances.load(ctx, obj.InstanceID)
}

func (r *mutationResolver) StartMachineJob(ctx context.Context, input fleet.StartMachineJob) (*model.MachineJobPayload, error) {
	return payload(r.fleet.StartMachineJob(ctx, input))
}

func (r *mutationResolver) StopMachineJob(ctx context.Context, input fleet.StopMachineJob) (*model.MachineJobPayload, error) {
	return payload(r.fleet.StopMachineJob(ctx, input))
}

func (r *mutationResolver) RetryMachineJob(ctx context.Context, input fleet.RetryMachineJob) (*model.MachineJobPayload, error) {
	return payload(r.fleet.RetryMachineJob(ctx, input))
}

func (r *subscriptionResolver) MachineJobChanged(ctx context.Context, id uuid.UUID) (<-chan *model.MachineJobChange, error) {
	wanted := func(e event.Event) bool { return e.Kind == event.JobChanged && e.Job == id }
	return watch(ctx, r.Resolver, messageInterval, wanted, func(ctx context.Context, snapshot bool) (*model.MachineJobChange, bool, error) {
		row, err := maybe(r.fleet.View.MachineJob(ctx, id))
		return &model.MachineJobChange{AsOf: r.Now(), Snapshot: snapshot, Job: row}, row == nil, err
	})
}
