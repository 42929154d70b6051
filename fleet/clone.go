package fleet

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/store"
)

// clone copies channels and groups of another application into the new one.
// The copies of channels point to no package.
func (c *change) clone(from uuid.UUID) error {
	client := c.tx.Client()
	if _, err := client.Application.Get(c.ctx, from); err != nil {
		return found(err, "cloneFrom", "application")
	}
	channels, err := client.Channel.Query().Where(channel.ApplicationID(from)).Order(channel.ByID()).All(c.ctx)
	if err != nil {
		return err
	}
	copies := make(map[uuid.UUID]uuid.UUID, len(channels))
	for _, ch := range channels {
		copies[ch.ID] = store.NewID(c.now)
		err := client.Channel.Create().SetID(copies[ch.ID]).SetApplicationID(c.verb.app).SetCreatedAt(c.now).
			SetName(ch.Name).SetColor(ch.Color).SetArch(ch.Arch).Exec(c.ctx)
		if err != nil {
			return err
		}
	}
	groups, err := client.Group.Query().Where(group.ApplicationID(from)).Order(group.ByID()).All(c.ctx)
	if err != nil {
		return err
	}
	for _, g := range groups {
		create := client.Group.Create().SetID(store.NewID(c.now)).SetApplicationID(c.verb.app).SetCreatedAt(c.now).
			SetName(g.Name).SetTrack(g.Track).SetArch(g.Arch).SetDescription(g.Description).SetPolicy(g.Policy)
		if g.ChannelID != nil {
			create.SetChannelID(copies[*g.ChannelID])
		}
		if !g.Policy.UpdatesEnabled {
			create.SetPausedAt(c.now).SetPausedBy(c.by.Name).SetPauseReason("copied from a paused group")
		}
		if err := create.Exec(c.ctx); err != nil {
			return err
		}
	}
	return nil
}
