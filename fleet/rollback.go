package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/floor"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

// rollBack is the name of the verb, also in the audit.
const rollBack = "rollBack"

// RollBack is the input of Service.RollBack. Exactly one of GroupID and ChannelID is set.
type RollBack struct {
	GroupID          *uuid.UUID // its channel
	ChannelID        *uuid.UUID
	ToPackageID      uuid.UUID         // lower than the channel's package
	Reason           string            // not empty
	BlacklistCurrent bool              // forbid the channel to point to its present package again
	Downgrade        catalog.Downgrade // "" = NEVER; needs BlacklistCurrent
	ExpectedRevision *int64            // Conflict if the channel has another revision
}

// RollBack points a channel back to a lower package. All groups of the channel start a
// rollout to it, and offers of the present package that machines have not begun are
// withdrawn.
func (s *Service) RollBack(ctx context.Context, in RollBack) (*db.Channel, error) {
	id, field, err := view.ChannelToRollBack(s.seen(ctx), in.GroupID, in.ChannelID)
	v := change.Verb{Name: rollBack, Reason: in.Reason, Groups: s.followers(id), Invalid: err}
	switch {
	case err != nil:
	case in.Reason == "":
		v.Invalid = fault.Errorf(fault.Invalid, "reason", "must not be empty")
	case in.Downgrade.Recalls() && !in.BlacklistCurrent:
		v.Invalid = fault.Errorf(fault.Invalid, "downgrade", "only machines on a blacklisted package are downgraded: set blacklistCurrent")
	}
	return s.changeChannel(ctx, v, id, field, func(c *change.Change, ch *catalog.Channel, row *db.Channel) error {
		if want := in.ExpectedRevision; want != nil && *want != row.Revision {
			return fault.Errorf(fault.Conflict, "expectedRevision", "channel %q was changed since: it has revision %d", ch.Name, row.Revision)
		}
		to, err := packageFor(c, ch, in.ToPackageID)
		if err != nil {
			return err
		}
		version, _ := rollout.ParseVersion(to.Version)
		if err := view.MayRollBack(ch, version); err != nil {
			return err
		}
		bad := uuid.UUID(ch.Target.ID)
		if err := promote(c, ch, &in.ToPackageID); err != nil || !in.BlacklistCurrent {
			return err
		}
		from, err := packageFor(c, ch, bad)
		if err != nil {
			return err
		}
		if _, err := c.Tx.Client().Floor.Delete().Where(floor.ChannelID(ch.ID), floor.PackageID(bad)).Exec(ctx); err != nil {
			return err
		}
		_, err = blacklist(c, from, ch, in.Downgrade.Recalls())
		return err
	})
}

// followers returns the groups of a channel.
func (s *Service) followers(channel uuid.UUID) (ids []uuid.UUID) {
	for _, g := range s.Catalog().Followers(channel) {
		ids = append(ids, g.ID)
	}
	return ids
}
