package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/blacklisting"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// BlacklistPackage is the input of Service.BlacklistPackage.
type BlacklistPackage struct {
	ChannelID uuid.UUID
	PackageID uuid.UUID
	Downgrade catalog.Downgrade // "" = NEVER
	Reason    string
}

// BlacklistPackage forbids a channel to point to a package. With another downgrade it
// changes what becomes of the machines on a package that is blacklisted already.
func (s *Service) BlacklistPackage(ctx context.Context, in BlacklistPackage) (*db.Channel, error) {
	v := change.Verb{Name: "blacklistPackage", Reason: in.Reason}
	return s.changeChannel(ctx, v, in.ChannelID, "channelId", func(c *change.Change, ch *catalog.Channel, _ *db.Channel) error {
		row, err := packageFor(c, ch, in.PackageID)
		if err != nil {
			return err
		}
		recall := in.Downgrade.Recalls()
		if already, ok := ch.Blacklisted[row.ID]; ok && already.Recalled != recall {
			return recallAlso(c, row, ch, recall)
		} else if ok {
			return fault.Errorf(fault.Conflict, "packageId", "package %s is blacklisted for channel %q already", row.Version, ch.Name)
		}
		if err := mayBlacklist(row, ch, "packageId"); err != nil {
			return err
		}
		c.Before = nil
		return c.Saved(blacklist(c, row, ch, recall))
	})
}

// recallAlso changes whether the machines on a blacklisted package are downgraded.
func recallAlso(c *change.Change, row *db.Release, ch *catalog.Channel, recall bool) error {
	old, err := c.Tx.Client().Blacklisting.Query().Where(blacklisting.ChannelID(ch.ID), blacklisting.PackageID(row.ID)).Only(c.Ctx)
	if err != nil {
		return err
	}
	c.Before = old
	noteBlacklisted(c, row, ch, recall)
	return c.Saved(old.Update().SetRecalled(recall).Save(c.Ctx))
}

// UnblacklistPackage is the input of Service.UnblacklistPackage.
type UnblacklistPackage struct {
	ChannelID uuid.UUID
	PackageID uuid.UUID
	Reason    string
}

// UnblacklistPackage allows a channel to point to a package again.
func (s *Service) UnblacklistPackage(ctx context.Context, in UnblacklistPackage) (*db.Channel, error) {
	v := change.Verb{Name: "unblacklistPackage", Reason: in.Reason}
	return s.changeChannel(ctx, v, in.ChannelID, "channelId", func(c *change.Change, ch *catalog.Channel, _ *db.Channel) error {
		row, err := c.Tx.Client().Blacklisting.Query().Where(blacklisting.ChannelID(ch.ID), blacklisting.PackageID(in.PackageID)).Only(ctx)
		if err != nil {
			return fault.Missing(err, "packageId", "blacklisted package")
		}
		c.Before = row
		return c.Tx.Client().Blacklisting.DeleteOne(row).Exec(ctx)
	})
}

// setBlacklist makes the given channels the only ones that blacklist a package.
func setBlacklist(c *change.Change, row *db.Release, channels []uuid.UUID) error {
	for _, ch := range c.Config.Channels {
		if _, is := ch.Blacklisted[row.ID]; is && !slices.Contains(channels, ch.ID) {
			_, err := c.Tx.Client().Blacklisting.Delete().Where(blacklisting.ChannelID(ch.ID), blacklisting.PackageID(row.ID)).Exec(c.Ctx)
			if err := errors.Join(err, revised(c, ch.ID)); err != nil {
				return err
			}
		}
	}
	for i, id := range channels {
		field := fmt.Sprintf("blacklistedChannelIds[%d]", i)
		ch, err := c.Channel(id, field)
		if err != nil {
			return err
		}
		if ch.Arch != row.Arch {
			return fault.Errorf(fault.Invalid, field, "channel %q is for %s, but the package is for %s", ch.Name, ch.Arch, row.Arch)
		}
		if _, is := ch.Blacklisted[row.ID]; is || slices.Contains(channels[:i], id) {
			continue
		}
		if err := mayBlacklist(row, ch, field); err != nil {
			return err
		}
		_, err = blacklist(c, row, ch, false)
		if err := errors.Join(err, revised(c, ch.ID)); err != nil {
			return err
		}
	}
	return nil
}

// mayBlacklist returns Conflict when the channel points to the package or has it as a
// floor.
func mayBlacklist(row *db.Release, ch *catalog.Channel, field string) error {
	switch {
	case ch.IsTarget(row.ID):
		return fault.Errorf(fault.Conflict, field, "channel %q points to package %s: promote another one first", ch.Name, row.Version)
	case ch.IsFloor(row.ID):
		return fault.Errorf(fault.Conflict, field, "package %s is a floor of channel %q: remove the floor first", row.Version, ch.Name)
	}
	return nil
}

// blacklist adds a package to the blacklist of a channel; recall also orders its
// machines to the channel's package.
func blacklist(c *change.Change, row *db.Release, ch *catalog.Channel, recall bool) (*db.Blacklisting, error) {
	noteBlacklisted(c, row, ch, recall)
	return c.Tx.Client().Blacklisting.Create().SetID(store.NewID(c.Now)).SetChannelID(ch.ID).SetPackageID(row.ID).
		SetRecalled(recall).SetReason(c.Reason).SetCreatedBy(c.By.Name).SetCreatedAt(c.Now).Save(c.Ctx)
}

func noteBlacklisted(c *change.Change, row *db.Release, ch *catalog.Channel, recall bool) {
	detail := "machines that run it stay on it" + change.Because(c.Reason)
	if recall {
		detail = "machines that run it are downgraded to the channel's package" + change.Because(c.Reason)
	}
	c.Activity(ch.ID, ch.Name, rollout.Activity{
		Kind: rollout.ActivityPackageBlacklisted, Severity: rollout.SeverityWarning, Version: row.Version, Detail: detail,
	})
}
