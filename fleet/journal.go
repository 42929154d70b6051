package fleet

import (
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// journal appends what the engine wants remembered of one group to a batch.
// actor is the person behind it, "" when machines or rules caused it.
func (g *Group) journal(b *store.Batch, fx *rollout.Effects, actor string) {
	for _, a := range fx.Activities {
		row := g.activity(a, actor)
		if a.Machine != "" {
			row.InstanceID = store.InstanceID(g.App.ID, a.Machine)
		}
		b.Activities = append(b.Activities, row)
	}
	for _, e := range fx.History {
		b.History = append(b.History, store.HistoryEntry{InstanceID: store.InstanceID(g.App.ID, e.Machine), Entry: e})
	}
	for _, e := range fx.Ended {
		b.Attempts = append(b.Attempts, store.Attempt{InstanceID: store.InstanceID(g.App.ID, e.Machine), Ended: e})
	}
	b.Progress = append(b.Progress, fx.Progress...)
}

// activity is a line about the group and its channel.
func (g *Group) activity(a rollout.Activity, actor string) store.Activity {
	row := store.Activity{
		Activity: a, Actor: actor,
		ApplicationID: g.App.ID, ApplicationName: g.App.Name, GroupID: g.ID, GroupName: g.Name,
	}
	if g.Channel != nil {
		row.ChannelID, row.ChannelName = g.Channel.ID, g.Channel.Name
	}
	return row
}

// activity is a line about a channel.
func (c *change) activity(ch uuid.UUID, name string, a rollout.Activity) {
	app := c.app
	if app == nil {
		app = c.after
	}
	c.batch.Activities = append(c.batch.Activities, store.Activity{
		Activity: a, Actor: c.by.Name, ApplicationID: app.ID, ApplicationName: app.Name,
		ChannelID: ch, ChannelName: name,
	})
}
