package fleet

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/blacklisting"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// BlacklistPackage is the input of Service.BlacklistPackage.
type BlacklistPackage struct {
	ChannelID uuid.UUID
	PackageID uuid.UUID
	Reason    string
}

// BlacklistPackage keeps a package away from a channel.
func (s *Service) BlacklistPackage(ctx context.Context, in BlacklistPackage) (*db.Channel, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "blacklistPackage", by: who, reason: in.Reason}
	return s.changeChannel(ctx, v, in.ChannelID, "channelId", func(c *change, ch *Channel, _ *db.Channel) error {
		row, err := c.packageFor(ch, in.PackageID)
		if err != nil {
			return err
		}
		if _, ok := ch.blacklisted[row.ID]; ok {
			return Errorf(Conflict, "packageId", "package %s is blacklisted for channel %q already", row.Version, ch.Name)
		}
		made, err := c.blacklist(row, ch, "packageId")
		c.before = nil
		return c.saved(made, err)
	})
}

// UnblacklistPackage is the input of Service.UnblacklistPackage.
type UnblacklistPackage struct {
	ChannelID uuid.UUID
	PackageID uuid.UUID
	Reason    string
}

// UnblacklistPackage lets a channel point to a package again.
func (s *Service) UnblacklistPackage(ctx context.Context, in UnblacklistPackage) (*db.Channel, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "unblacklistPackage", by: who, reason: in.Reason}
	return s.changeChannel(ctx, v, in.ChannelID, "channelId", func(c *change, ch *Channel, _ *db.Channel) error {
		row, err := c.tx.Client().Blacklisting.Query().Where(blacklisting.ChannelID(ch.ID), blacklisting.PackageID(in.PackageID)).Only(ctx)
		if err != nil {
			return found(err, "packageId", "blacklisted package")
		}
		c.before = row
		return c.tx.Client().Blacklisting.DeleteOne(row).Exec(ctx)
	})
}

// setBlacklist makes the given channels those that must not point to a package.
func (c *change) setBlacklist(row *db.Release, channels []uuid.UUID) error {
	for _, ch := range c.app.Channels {
		if _, is := ch.blacklisted[row.ID]; is && !slices.Contains(channels, ch.ID) {
			_, err := c.tx.Client().Blacklisting.Delete().Where(blacklisting.ChannelID(ch.ID), blacklisting.PackageID(row.ID)).Exec(c.ctx)
			if err != nil {
				return err
			}
		}
	}
	for i, id := range channels {
		field := fmt.Sprintf("blacklistedChannelIds[%d]", i)
		ch, err := c.channel(id, field)
		if err != nil {
			return err
		}
		if ch.Arch != row.Arch {
			return Errorf(Invalid, field, "channel %q is for %s, the package for %s", ch.Name, ch.Arch, row.Arch)
		}
		if _, is := ch.blacklisted[row.ID]; is || slices.Contains(channels[:i], id) {
			continue
		}
		if _, err := c.blacklist(row, ch, field); err != nil {
			return err
		}
	}
	return nil
}

// blacklist keeps a package away from a channel that neither points to it nor
// has it as a floor.
func (c *change) blacklist(row *db.Release, ch *Channel, field string) (*db.Blacklisting, error) {
	switch {
	case ch.isTarget(row.ID):
		return nil, Errorf(Conflict, field, "channel %q points to package %s: promote another one first", ch.Name, row.Version)
	case ch.isFloor(row.ID):
		return nil, Errorf(Conflict, field, "package %s is a floor of channel %q: remove the floor first", row.Version, ch.Name)
	}
	c.activity(ch.ID, ch.Name, rollout.Activity{
		Kind: rollout.ActivityPackageBlacklisted, Severity: rollout.SeverityWarning, Version: row.Version, Detail: c.reason,
	})
	return c.tx.Client().Blacklisting.Create().SetID(store.NewID(c.now)).SetChannelID(ch.ID).SetPackageID(row.ID).
		SetReason(c.reason).SetCreatedBy(c.by.Name).SetCreatedAt(c.now).Save(c.ctx)
}
