package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/floor"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// AddFloor is the input of Service.AddFloor.
type AddFloor struct {
	ChannelID uuid.UUID
	PackageID uuid.UUID
	Reason    string // sent to mirrors, shown to people
}

// AddFloor makes a package a version that no machine of the channel may skip.
func (s *Service) AddFloor(ctx context.Context, in AddFloor) (*db.Channel, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "addFloor", by: who, reason: in.Reason}
	return s.changeChannel(ctx, v, in.ChannelID, "channelId", func(c *change, ch *Channel, _ *db.Channel) error {
		row, err := c.packageFor(ch, in.PackageID)
		if err != nil {
			return err
		}
		if _, ok := ch.blacklisted[row.ID]; ok {
			return Errorf(Conflict, "packageId", "package %s is blacklisted for channel %q and cannot be a floor of it", row.Version, ch.Name)
		}
		if ch.isFloor(row.ID) {
			return Errorf(Conflict, "packageId", "package %s is a floor of channel %q already", row.Version, ch.Name)
		}
		if why := renderPackage(row).offerable(); why != "" {
			return Errorf(Invalid, "packageId", "package %s %s", row.Version, why)
		}
		made, err := c.tx.Client().Floor.Create().SetID(store.NewID(c.now)).SetChannelID(ch.ID).SetPackageID(row.ID).
			SetReason(in.Reason).SetCreatedBy(c.by.Name).SetCreatedAt(c.now).Save(ctx)
		c.before = nil
		return c.saved(made, err)
	})
}

// RemoveFloor is the input of Service.RemoveFloor.
type RemoveFloor struct {
	ChannelID uuid.UUID
	PackageID uuid.UUID
	Reason    string
}

// RemoveFloor lets machines skip a version again.
func (s *Service) RemoveFloor(ctx context.Context, in RemoveFloor) (*db.Channel, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "removeFloor", by: who, reason: in.Reason}
	return s.changeChannel(ctx, v, in.ChannelID, "channelId", func(c *change, ch *Channel, _ *db.Channel) error {
		row, err := c.tx.Client().Floor.Query().Where(floor.ChannelID(ch.ID), floor.PackageID(in.PackageID)).Only(ctx)
		if err != nil {
			return found(err, "packageId", "floor")
		}
		c.before = row
		return c.tx.Client().Floor.DeleteOne(row).Exec(ctx)
	})
}

func (c *Channel) isFloor(id uuid.UUID) bool {
	o := c.offers[rollout.ID(id)]
	return o != nil && o.Floor
}

func (c *Channel) isTarget(id uuid.UUID) bool {
	return c.target != nil && c.target.ID == rollout.ID(id)
}
