package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/rollout"
)

// PromotePackage is the input of Service.PromotePackage.
type PromotePackage struct {
	ChannelID         uuid.UUID
	PackageID         *uuid.UUID // nil: the channel is emptied
	Reason            string
	ExpectedPackageID *uuid.UUID // refuse with conflict when the channel points elsewhere by now; zero id: to none
}

// PromotePackage points a channel to a package; every group on the channel
// starts a rollout to it. A channel that points there already stays as it is.
func (s *Service) PromotePackage(ctx context.Context, in PromotePackage) (*db.Channel, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "promotePackage", by: who, reason: in.Reason}
	return s.changeChannel(ctx, v, in.ChannelID, "channelId", func(c *change, ch *Channel, row *db.Channel) error {
		if want := in.ExpectedPackageID; want != nil && *want != or(row.PackageID, uuid.Nil) {
			return Errorf(Conflict, "expectedPackageId", "channel %q was pointed to another package meanwhile", ch.Name)
		}
		if same(in.PackageID, row.PackageID) {
			return errUnchanged
		}
		return c.promote(ch, in.PackageID)
	})
}

// promote points a channel to a package of the same application and
// architecture that is not blacklisted for it; nil empties it.
func (c *change) promote(ch *Channel, id *uuid.UUID) error {
	moved := rollout.Activity{Kind: rollout.ActivityChannelMoved, Severity: rollout.SeverityInfo, Detail: c.reason}
	if id != nil {
		row, err := c.packageFor(ch, *id)
		if err != nil {
			return err
		}
		if why, ok := ch.blacklisted[row.ID]; ok {
			return Errorf(Conflict, "packageId", "package %s is blacklisted for channel %q%s", row.Version, ch.Name, because(why))
		}
		if why := renderPackage(row).offerable(); why != "" {
			return Errorf(Invalid, "packageId", "package %s %s", row.Version, why)
		}
		moved.Version = row.Version
	}
	update := c.tx.Client().Channel.UpdateOneID(ch.ID).SetPromotedAt(c.now).SetPromotedBy(c.by.Name)
	if id == nil {
		update.ClearPackageID()
	} else {
		update.SetPackageID(*id)
	}
	row, err := update.Save(c.ctx)
	if err != nil {
		return err
	}
	c.activity(ch.ID, ch.Name, moved)
	return c.saved(row, nil)
}

// packageFor is a package that fits a channel's application and architecture.
func (c *change) packageFor(ch *Channel, id uuid.UUID) (*db.Release, error) {
	row, err := c.tx.Client().Release.Query().Where(release.ID(id)).WithAction().WithFiles().Only(c.ctx)
	if err != nil {
		return nil, found(err, "packageId", "package")
	}
	switch {
	case row.ApplicationID != c.verb.app:
		return nil, Errorf(Invalid, "packageId", "package %s belongs to another application", row.Version)
	case row.Arch != ch.Arch:
		return nil, Errorf(Invalid, "packageId", "package %s is for %s, channel %q for %s", row.Version, row.Arch, ch.Name, ch.Arch)
	}
	return row, nil
}

// because appends a reason somebody gave, if any.
func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}
