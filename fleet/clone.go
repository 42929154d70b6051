package fleet

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/store"
)

// clone copies the channels and groups of another application into the new one.
// The copied channels point to no package.
func clone(c *change.Change, from uuid.UUID) error {
	client := c.Tx.Client()
	if _, err := client.Application.Get(c.Ctx, from); err != nil {
		return fault.Missing(err, "cloneFrom", "application")
	}
	channels, err := client.Channel.Query().Where(channel.ApplicationID(from)).Order(channel.ByID()).All(c.Ctx)
	if err != nil {
		return err
	}
	copies := make(map[uuid.UUID]uuid.UUID, len(channels))
	for _, ch := range channels {
		copies[ch.ID] = store.NewID(c.Now)
		err := client.Channel.Create().SetID(copies[ch.ID]).SetApplicationID(c.App).SetCreatedAt(c.Now).
			SetName(ch.Name).SetColor(ch.Color).SetArch(ch.Arch).Exec(c.Ctx)
		if err != nil {
			return err
		}
	}
	groups, err := client.Group.Query().Where(group.ApplicationID(from)).Order(group.ByID()).All(c.Ctx)
	if err != nil {
		return err
	}
	for _, g := range groups {
		create := client.Group.Create().SetID(store.NewID(c.Now)).SetApplicationID(c.App).SetCreatedAt(c.Now).
			SetName(g.Name).SetTrack(g.Track).SetArch(g.Arch).SetDescription(g.Description).SetPolicy(g.Policy)
		if g.ChannelID != nil {
			create.SetChannelID(copies[*g.ChannelID])
		}
		if !g.Policy.UpdatesEnabled {
			create.SetPausedAt(c.Now).SetPausedBy(c.By.Name).SetPauseReason("copied from a paused group")
		}
		if err := create.Exec(c.Ctx); err != nil {
			return err
		}
	}
	return nil
}
