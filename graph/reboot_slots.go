package graph

import (
	"context"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *groupResolver) RebootSlots(ctx context.Context, obj *db.Group) (*view.RebootSlots, error) {
	slots, err := loadersOf(ctx).rebootSlots.load(ctx, obj.ID)
	if err == nil && slots == nil {
		return nil, fault.Errorf(fault.NotFound, "", "the group was deleted")
	}
	return slots, err
}

func (r *instanceResolver) RebootSlot(ctx context.Context, obj *db.Instance) (*view.RebootSlot, error) {
	return loadersOf(ctx).machineSlots.load(ctx, obj.ID)
}

func (r *rebootSlotsResolver) HoldCode(_ context.Context, obj *view.RebootSlots) (*string, error) {
	if obj.Next.Reason.Allows() {
		return nil, nil
	}
	return new(obj.Next.Reason.String()), nil
}

func (r *rebootSlotResolver) Instance(ctx context.Context, obj *view.RebootSlot) (*db.Instance, error) {
	if obj.InstanceID == nil {
		return nil, nil
	}
	return loadersOf(ctx).instances.load(ctx, *obj.InstanceID)
}

func (r *rebootSlotResolver) Group(ctx context.Context, obj *view.RebootSlot) (*db.Group, error) {
	return loadersOf(ctx).groups.load(ctx, obj.GroupID)
}

func (r *mutationResolver) ReleaseRebootSlot(ctx context.Context, input fleet.ReleaseRebootSlot) (*model.GroupPayload, error) {
	return payload(r.fleet.ReleaseRebootSlot(ctx, input))
}
