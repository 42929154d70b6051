package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/floor"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/store"
)

// AddFloor is the input of Service.AddFloor.
type AddFloor struct {
	ChannelID uuid.UUID
	PackageID uuid.UUID
	Reason    string // sent to mirrors, shown to people
	Again     bool   // a floor that exists gets the reason, instead of a Conflict
}

// AddFloor makes a package a floor: no machine of the channel may skip it.
func (s *Service) AddFloor(ctx context.Context, in AddFloor) (*db.Channel, error) {
	v := change.Verb{Name: "addFloor", Reason: in.Reason}
	return s.changeChannel(ctx, v, in.ChannelID, "channelId", func(c *change.Change, ch *catalog.Channel, _ *db.Channel) error {
		row, err := packageFor(c, ch, in.PackageID)
		if err != nil {
			return err
		}
		if _, ok := ch.Blacklisted[row.ID]; ok {
			return fault.Errorf(fault.Conflict, "packageId", "package %s is blacklisted for channel %q and cannot be a floor of it", row.Version, ch.Name)
		}
		if ch.IsFloor(row.ID) && in.Again {
			return explainFloor(c, ch, row, in.Reason)
		}
		if ch.IsFloor(row.ID) {
			return fault.Errorf(fault.Conflict, "packageId", "package %s is a floor of channel %q already", row.Version, ch.Name)
		}
		if why, err := offerable(c, row); err != nil {
			return err
		} else if why != "" {
			return fault.Errorf(fault.Invalid, "packageId", "package %s %s", row.Version, why)
		}
		if err := approveFloor(c, ch, row, "add"); err != nil {
			return err
		}
		made, err := c.Tx.Client().Floor.Create().SetID(store.NewID(c.Now)).SetChannelID(ch.ID).SetPackageID(row.ID).
			SetReason(in.Reason).SetCreatedBy(c.By.Name).SetCreatedAt(c.Now).Save(ctx)
		c.Before = nil
		return c.Saved(made, err)
	})
}

// explainFloor changes the reason of a floor.
func explainFloor(c *change.Change, ch *catalog.Channel, pkg *db.Release, reason string) error {
	row, err := c.Tx.Client().Floor.Query().Where(floor.ChannelID(ch.ID), floor.PackageID(pkg.ID)).Only(c.Ctx)
	if err != nil {
		return err
	}
	if row.Reason == reason {
		return change.ErrUnchanged
	}
	c.Before = row
	return c.Saved(c.Tx.Client().Floor.UpdateOneID(row.ID).SetReason(reason).Save(c.Ctx))
}

// RemoveFloor is the input of Service.RemoveFloor.
type RemoveFloor struct {
	ChannelID uuid.UUID
	PackageID uuid.UUID
	Reason    string
}

// RemoveFloor allows machines to skip a version again.
func (s *Service) RemoveFloor(ctx context.Context, in RemoveFloor) (*db.Channel, error) {
	v := change.Verb{Name: "removeFloor", Reason: in.Reason}
	return s.changeChannel(ctx, v, in.ChannelID, "channelId", func(c *change.Change, ch *catalog.Channel, _ *db.Channel) error {
		row, err := c.Tx.Client().Floor.Query().Where(floor.ChannelID(ch.ID), floor.PackageID(in.PackageID)).WithPackage().Only(ctx)
		if err != nil {
			return fault.Missing(err, "packageId", "floor")
		}
		if err := approveFloor(c, ch, row.Edges.Package, "remove"); err != nil {
			return err
		}
		row.Edges.Package = nil // not in the audit
		c.Before = row
		return c.Tx.Client().Floor.DeleteOne(row).Exec(ctx)
	})
}
