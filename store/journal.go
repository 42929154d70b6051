package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"coreroller/event"
	"coreroller/rollout"
)

var activities = &table{name: "activities", columns: []column{
	{"id", asID}, {"at", asTime}, {"kind", asNumber}, {"severity", asNumber}, {"application_id", asID}, {"application_name", asText},
	{"group_id", asID}, {"group_name", asText}, {"channel_id", asID}, {"channel_name", asText}, {"instance_id", asID}, {"machine_id", asText},
	{"version", asText}, {"code", asNumber}, {"actor", asText}, {"detail", asText},
}}

var historyEntries = &table{name: "history_entries", columns: []column{
	{"id", asID}, {"instance_id", asID}, {"at", asTime}, {"state", asNumber}, {"version", asText}, {"reason", asText}, {"code", asNumber}, {"detail", asText},
}}

var attempts = &table{name: "attempts", columns: []column{
	{"id", asID}, {"instance_id", asID}, {"rollout_id", asID}, {"package_id", asID}, {"version", asText}, {"from_version", asText}, {"oem", asText},
	{"wave", asNumber}, {"number", asNumber}, {"granted_at", asTime}, {"downloading_at", asTime}, {"downloaded_at", asTime},
	{"installed_at", asTime}, {"ended_at", asTime}, {"outcome", asNumber}, {"code", asNumber},
}}

var waves = &table{
	name: "waves",
	columns: []column{
		{"rollout_id", asID}, {"position", asNumber}, {"granted", asNumber}, {"downloading", asNumber}, {"downloaded", asNumber},
		{"installed", asNumber}, {"succeeded", asNumber}, {"failed", asNumber}, {"timed_out", asNumber}, {"rolled_back", asNumber}, {"released", asNumber},
	},
	conflict: `ON CONFLICT (rollout_id, position) DO UPDATE SET granted = waves.granted + EXCLUDED.granted,
		downloading = waves.downloading + EXCLUDED.downloading, downloaded = waves.downloaded + EXCLUDED.downloaded,
		installed = waves.installed + EXCLUDED.installed, succeeded = waves.succeeded + EXCLUDED.succeeded,
		failed = waves.failed + EXCLUDED.failed, timed_out = waves.timed_out + EXCLUDED.timed_out,
		rolled_back = waves.rolled_back + EXCLUDED.rolled_back, released = waves.released + EXCLUDED.released`,
}

// Save writes a batch: a handful of statements, whatever its size. The caller
// holds the locks of all groups its machines are and were in.
func (tx *Tx) Save(ctx context.Context, b *Batch) error {
	for _, m := range b.Machines {
		if m.Attempt.Open() {
			b.lease(m)
		}
	}
	for _, write := range []func() error{
		func() error { return tx.saveGroups(ctx, b.Groups) },
		func() error { return tx.saveMachines(ctx, b.Machines) },
		func() error { return tx.saveCounts(ctx, b.Machines) },
		func() error { return tx.saveProgress(ctx, b.Progress) },
		func() error { return tx.saveAttempts(ctx, b) },
		func() error { return tx.saveHistory(ctx, b.History) },
		func() error { return tx.saveActivities(ctx, b.Activities) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	tx.announce(b)
	return nil
}

// lease lowers the moment before which no lease of the machine's group ends.
func (b *Batch) lease(m *Machine) {
	for _, g := range b.Groups {
		if g.GroupID == m.GroupID && (g.NextLeaseAt.IsZero() || m.Attempt.LeaseUntil.Before(g.NextLeaseAt)) {
			g.NextLeaseAt = m.Attempt.LeaseUntil
		}
	}
}

func (tx *Tx) saveActivities(ctx context.Context, all []Activity) error {
	rows := make([][]any, len(all))
	for i := range all {
		a := &all[i]
		rows[i] = []any{NewID(tx.now), tx.now, int64(a.Kind), int64(a.Severity), a.ApplicationID, a.ApplicationName, a.GroupID, a.GroupName,
			a.ChannelID, a.ChannelName, a.InstanceID, a.Machine, a.Version, int64(a.Code), a.Actor, a.Detail}
	}
	_, err := tx.insert(ctx, activities, rows)
	return err
}

func (tx *Tx) saveHistory(ctx context.Context, all []HistoryEntry) error {
	rows := make([][]any, len(all))
	for i := range all {
		h := &all[i]
		rows[i] = []any{NewID(tx.now), h.InstanceID, tx.now, int64(h.State), h.Version, h.Reason.String(), int64(h.Code), h.Detail}
	}
	_, err := tx.insert(ctx, historyEntries, rows)
	return err
}

// saveAttempts keeps each attempt with the platform its machine has now, and
// counts those that failed.
func (tx *Tx) saveAttempts(ctx context.Context, b *Batch) error {
	if len(b.Attempts) == 0 {
		return nil
	}
	oems := make(map[uuid.UUID]string, len(b.Machines))
	for _, m := range b.Machines {
		oems[m.InstanceID] = m.OEM
	}
	rows := make([][]any, len(b.Attempts))
	for i := range b.Attempts {
		e := &b.Attempts[i]
		e.OEM = oems[e.InstanceID]
		a := &e.Ended.Attempt
		rows[i] = []any{NewID(tx.now), e.InstanceID, uuid.UUID(a.Rollout), uuid.UUID(a.Package), a.Version.String(), e.From.String(), e.OEM,
			int64(a.Wave), int64(a.Number), a.GrantedAt, a.DownloadingAt, a.DownloadedAt, a.InstalledAt, tx.now, int64(e.Outcome), int64(e.Code)}
	}
	if _, err := tx.insert(ctx, attempts, rows); err != nil {
		return err
	}
	return tx.saveFailures(ctx, b.Attempts)
}

func (tx *Tx) saveProgress(ctx context.Context, all []rollout.Progress) error {
	type wave struct {
		rollout  uuid.UUID
		position int
	}
	sums := map[wave]rollout.Counts{}
	for _, p := range all {
		key := wave{uuid.UUID(p.Rollout), p.Wave}
		sums[key] = sums[key].Plus(p.Counts)
	}
	rows := make([][]any, 0, len(sums))
	for w, c := range sums {
		rows = append(rows, []any{w.rollout, int64(w.position), int64(c.Granted), int64(c.Downloading), int64(c.Downloaded), int64(c.Installed),
			int64(c.Succeeded), int64(c.Failed), int64(c.TimedOut), int64(c.RolledBack), int64(c.Released)})
	}
	slices.SortFunc(rows, func(a, b []any) int {
		x, y := a[0].(uuid.UUID), b[0].(uuid.UUID)
		return cmp.Or(bytes.Compare(x[:], y[:]), cmp.Compare(a[1].(int64), b[1].(int64)))
	})
	_, err := tx.insert(ctx, waves, rows)
	return err
}

// announce queues the events of a batch.
func (tx *Tx) announce(b *Batch) {
	for _, g := range b.Groups {
		tx.Publish(event.Event{Kind: event.GroupChanged, App: g.ApplicationID, Group: g.GroupID})
	}
	for _, m := range b.Machines {
		if m.was != nil && m.quiet() {
			continue
		}
		tx.Publish(event.Event{Kind: event.MachineChanged, App: m.ApplicationID, Group: m.GroupID, Instance: m.InstanceID})
	}
	for i := range b.Activities {
		tx.Publish(event.Event{Kind: event.ActivityAdded, App: b.Activities[i].ApplicationID, Group: b.Activities[i].GroupID})
	}
	tx.Publish(b.Events...)
}
