package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *queryResolver) Channel(ctx context.Context, id uuid.UUID) (*db.Channel, error) {
	return maybe(r.fleet.View.Channel(ctx, id, with(ctx)))
}

func (r *queryResolver) PromotionImpact(ctx context.Context, channelID, packageID uuid.UUID) (*view.Impact, error) {
	return r.fleet.View.PromotionImpact(ctx, channelID, packageID)
}

func (r *queryResolver) DeletionImpact(ctx context.Context, applicationID, channelID, packageID, groupID *uuid.UUID) (*view.Impact, error) {
	given := 0
	for _, id := range []*uuid.UUID{applicationID, channelID, packageID, groupID} {
		if id != nil {
			given++
		}
	}
	if given != 1 {
		return nil, fault.Errorf(fault.Invalid, "", "give exactly one id")
	}
	return r.fleet.View.DeletionImpact(ctx, view.Deletion{ApplicationID: applicationID, ChannelID: channelID, PackageID: packageID, GroupID: groupID})
}

func (r *queryResolver) RollBackImpact(ctx context.Context, groupID, channelID *uuid.UUID, toPackageID uuid.UUID, blacklistCurrent bool, downgrade catalog.Downgrade) (*view.RollBackImpact, error) {
	return r.fleet.View.RollBackImpact(ctx, view.RollBack{
		GroupID: groupID, ChannelID: channelID, ToPackageID: toPackageID, Blacklist: blacklistCurrent, Downgrade: downgrade,
	})
}

func (r *promotionResolver) Package(ctx context.Context, obj *db.Promotion) (*db.Release, error) {
	if obj.PackageID == nil {
		return nil, nil
	}
	return loadersOf(ctx).packages.load(ctx, *obj.PackageID)
}

func (r *rollBackImpactResolver) Channel(ctx context.Context, obj *view.RollBackImpact) (*db.Channel, error) {
	return r.fleet.View.Channel(ctx, obj.ChannelID, with(ctx))
}

func (r *rollBackImpactResolver) From(ctx context.Context, obj *view.RollBackImpact) (*db.Release, error) {
	return r.fleet.View.Package(ctx, obj.From, with(ctx))
}

func (r *rollBackImpactResolver) To(ctx context.Context, obj *view.RollBackImpact) (*db.Release, error) {
	return r.fleet.View.Package(ctx, obj.To, with(ctx))
}

func (r *rollBackGroupResolver) Group(ctx context.Context, obj *view.RollBackGroup) (*db.Group, error) {
	return r.fleet.View.Group(ctx, obj.GroupID, with(ctx))
}

func (r *channelResolver) Promotions(ctx context.Context, obj *db.Channel, first *int, after *string) (*model.PromotionConnection, error) {
	return readPage(ctx, r.fleet.View.Promotions(obj.ID), first, after)
}

func (r *queryResolver) UpdatePath(ctx context.Context, channelID uuid.UUID, fromVersion string) (*view.UpdatePath, error) {
	return r.fleet.View.UpdatePath(ctx, channelID, fromVersion, with(ctx, []string{"steps"}))
}

func (r *channelResolver) Floors(ctx context.Context, obj *db.Channel) ([]*db.Floor, error) {
	return r.fleet.View.ChannelFloors(ctx, obj, with(ctx))
}

func (r *channelResolver) Blacklistings(ctx context.Context, obj *db.Channel) ([]*db.Blacklisting, error) {
	return r.fleet.View.ChannelBlacklistings(ctx, obj, with(ctx))
}

func (r *channelResolver) Groups(ctx context.Context, obj *db.Channel) ([]*db.Group, error) {
	return r.fleet.View.ChannelGroups(ctx, obj, with(ctx))
}

func (r *mutationResolver) CreateChannel(ctx context.Context, input fleet.CreateChannel) (*model.ChannelPayload, error) {
	return payload(r.fleet.CreateChannel(ctx, input))
}

func (r *mutationResolver) UpdateChannel(ctx context.Context, input fleet.UpdateChannel) (*model.ChannelPayload, error) {
	return payload(r.fleet.UpdateChannel(ctx, input))
}

func (r *mutationResolver) DeleteChannel(ctx context.Context, input fleet.DeleteChannel) (*model.DeletePayload, error) {
	return deletePayload(input.ID, r.fleet.DeleteChannel(ctx, input))
}

func (r *mutationResolver) PromotePackage(ctx context.Context, input fleet.PromotePackage) (*model.ChannelPayload, error) {
	return payload(r.fleet.PromotePackage(ctx, input))
}

func (r *mutationResolver) RollBack(ctx context.Context, input fleet.RollBack) (*model.ChannelPayload, error) {
	return payload(r.fleet.RollBack(ctx, input))
}

func (r *mutationResolver) BlacklistPackage(ctx context.Context, input fleet.BlacklistPackage) (*model.ChannelPayload, error) {
	return payload(r.fleet.BlacklistPackage(ctx, input))
}

func (r *mutationResolver) UnblacklistPackage(ctx context.Context, input fleet.UnblacklistPackage) (*model.ChannelPayload, error) {
	return payload(r.fleet.UnblacklistPackage(ctx, input))
}

func (r *mutationResolver) AddFloor(ctx context.Context, input fleet.AddFloor) (*model.ChannelPayload, error) {
	return payload(r.fleet.AddFloor(ctx, input))
}

func (r *mutationResolver) RemoveFloor(ctx context.Context, input fleet.RemoveFloor) (*model.ChannelPayload, error) {
	return payload(r.fleet.RemoveFloor(ctx, input))
}
