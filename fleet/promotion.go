package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/promotion"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// PromotePackage is the input of Service.PromotePackage.
type PromotePackage struct {
	ChannelID         uuid.UUID
	PackageID         *uuid.UUID // nil: no package
	Reason            string
	ExpectedPackageID *uuid.UUID // Conflict if the channel points to another package; zero: to none
}

// PromotePackage points a channel to a package; every group on the channel starts a
// rollout to it. It does nothing when the channel already points there.
func (s *Service) PromotePackage(ctx context.Context, in PromotePackage) (*db.Channel, error) {
	v := change.Verb{Name: "promotePackage", Reason: in.Reason}
	return s.changeChannel(ctx, v, in.ChannelID, "channelId", func(c *change.Change, ch *catalog.Channel, row *db.Channel) error {
		if want := in.ExpectedPackageID; want != nil && *want != input.Or(row.PackageID, uuid.Nil) {
			return fault.Errorf(fault.Conflict, "expectedPackageId", "channel %q now points to another package", ch.Name)
		}
		if same(in.PackageID, row.PackageID) {
			return change.ErrUnchanged
		}
		return promote(c, ch, in.PackageID)
	})
}

// promote points a channel to a package of the same application and architecture
// that is not blacklisted for it; nil means no package.
func promote(c *change.Change, ch *catalog.Channel, id *uuid.UUID) error {
	moved := rollout.Activity{Kind: rollout.ActivityChannelMoved, Severity: rollout.SeverityInfo, Detail: c.Reason}
	if c.Name == rollBack {
		moved.Kind, moved.Severity = rollout.ActivityRolledBack, rollout.SeverityWarning
	}
	if id != nil {
		row, err := packageFor(c, ch, *id)
		if err != nil {
			return err
		}
		if why, ok := ch.Blacklisted[row.ID]; ok {
			return fault.Errorf(fault.Conflict, "packageId", "package %s is blacklisted for channel %q%s", row.Version, ch.Name, change.Because(why.Reason))
		}
		if why, err := offerable(c, row); err != nil {
			return err
		} else if why != "" {
			return fault.Errorf(fault.Invalid, "packageId", "package %s %s", row.Version, why)
		}
		moved.Version = row.Version
		if ch.Target != nil {
			version, _ := rollout.ParseVersion(row.Version) // checked before it was stored
			if warning := version.Twin(ch.Target.Version); warning != "" {
				noteTwin(c, ch, row.Version, warning)
			}
		}
	}
	if err := approvePromotion(c, ch, id, moved.Version); err != nil {
		return err
	}
	update := c.Tx.Client().Channel.UpdateOneID(ch.ID).SetPromotedAt(c.Now).SetPromotedBy(c.By.Name)
	if id == nil {
		update.ClearPackageID()
	} else {
		update.SetPackageID(*id)
	}
	row, err := update.Save(c.Ctx)
	if err != nil {
		return err
	}
	c.Activity(ch.ID, ch.Name, moved)
	if err := recordPromotion(c, ch, id, moved.Version); err != nil {
		return err
	}
	return c.Saved(row, nil)
}

// recordPromotion ends the channel's last promotion and adds the next one.
func recordPromotion(c *change.Change, ch *catalog.Channel, id *uuid.UUID, version string) error {
	_, err := c.Tx.Client().Promotion.Update().Where(promotion.ChannelID(ch.ID), promotion.EndedAtIsNil()).SetEndedAt(c.Now).Save(c.Ctx)
	if err != nil {
		return err
	}
	return c.Tx.Client().Promotion.Create().SetID(store.NewID(c.Now)).SetChannelID(ch.ID).SetNillablePackageID(id).SetVersion(version).
		SetRolledBack(c.Name == rollBack).SetReason(c.Reason).SetCreatedBy(c.By.Name).SetCreatedAt(c.Now).Exec(c.Ctx)
}

// packageFor returns a package of the channel's application and architecture.
func packageFor(c *change.Change, ch *catalog.Channel, id uuid.UUID) (*db.Release, error) {
	row, err := c.Tx.Client().Release.Query().Where(release.ID(id)).WithAction().WithFiles().Only(c.Ctx)
	if err != nil {
		return nil, fault.Missing(err, "packageId", "package")
	}
	switch {
	case row.ApplicationID != c.App:
		return nil, elsewhere(c, row)
	case row.Arch != ch.Arch:
		return nil, fault.Errorf(fault.Invalid, "packageId", "package %s is for %s, but channel %q is for %s", row.Version, row.Arch, ch.Name, ch.Arch)
	}
	return row, nil
}

// elsewhere is the error for a package of another application, which does not exist for
// callers who may not read that application: transactions are not restricted.
func elsewhere(c *change.Change, row *db.Release) error {
	app, err := c.Tx.Client().Application.Get(c.Ctx, row.ApplicationID)
	switch {
	case err != nil:
		return fault.Missing(err, "packageId", "package")
	case !c.By.Sees(app.TeamID, app.ID):
		return fault.Errorf(fault.NotFound, "packageId", "there is no such package")
	}
	return fault.Errorf(fault.Invalid, "packageId", "package %s belongs to another application", row.Version)
}
