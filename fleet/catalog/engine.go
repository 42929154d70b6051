package catalog

import (
	"time"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// World returns the group as the engine sees it under its ledger lock, with repaired
// times. Read now after the lock: a transaction that waited for it has an earlier time
// than those that were committed meanwhile.
func (g *Group) World(st *store.GroupState, now time.Time, fx *rollout.Effects) rollout.World {
	w := rollout.World{
		Group:   rollout.ID(g.ID),
		Policy:  g.Schedule,
		Aim:     g.Aim,
		Reboots: g.Reboots,
		Pause:   g.Pause,
		Ledger:  st.Ledger,
		Rollout: st.Rollout,
		Census:  st.Census,
		Outages: st.Outages,

		PackageMissingNoted: st.PackageMissingNoted,
	}
	w.Repair(now, fx)
	return w
}

// Keep copies the engine's changes to the locked rows.
func (g *Group) Keep(w *rollout.World, st *store.GroupState) {
	st.Ledger, st.Rollout, st.Census = w.Ledger, w.Rollout, w.Census
	st.PackageMissingNoted = w.PackageMissingNoted
}

// Journal appends the engine's effects on the group to a batch. actor is the
// person who caused them, "" for machines and rules.
func (g *Group) Journal(b *store.Batch, fx *rollout.Effects, actor string) {
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

// activity returns an activity of the group and its channel.
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
