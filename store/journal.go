package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/rollout"
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

// Save writes a batch: a statement or two, whatever its size. The caller
// holds the locks of all groups its machines are and were in. There is one
// batch in a transaction.
func (tx *Tx) Save(ctx context.Context, b *Batch) error {
	if tx.saved != nil {
		return errors.New("a transaction has one batch")
	}
	tx.saved = b
	b.count()
	for _, m := range b.Machines {
		if m.Attempt.Open() {
			b.lease(m)
		}
	}
	added, known := machineChanges(b.Machines)
	roll, led := groupChanges(b.Groups, tx.now)
	written, err := tx.write(ctx, added, known, roll, led, countChange(b.Machines), waveChange(b.Progress), tx.attemptChange(b), tx.historyChange(b.History))
	if err != nil {
		return err
	}
	if err := overtook(written, added, known); err != nil {
		tx.store.recent.doubt(b.Groups)
		return err
	}
	if err := tx.saveFailures(ctx, b.Attempts); err != nil {
		return err
	}
	if err := tx.saveActivities(ctx, b.Activities); err != nil {
		return err
	}
	tx.announce(b)
	return nil
}

// count raises the count of writes of the groups when a machine was or is in
// the middle of an update.
func (b *Batch) count() {
	for _, m := range b.Machines {
		if m.Attempt.Open() || m.was != nil && m.was.Attempt.Open() {
			for _, g := range b.Groups {
				g.writes = g.was.writes + 1
			}
			return
		}
	}
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
	rows := make(cells, 0, len(all)*len(activities.columns))
	for i := range all {
		a := &all[i]
		rows = append(rows, inID(NewID(tx.now)), inTime(tx.now), inNumber(a.Kind), inNumber(a.Severity), inID(a.ApplicationID), inText(a.ApplicationName),
			inID(a.GroupID), inText(a.GroupName), inID(a.ChannelID), inText(a.ChannelName), inID(a.InstanceID), inText(a.Machine),
			inText(a.Version), inNumber(a.Code), inText(a.Actor), inText(a.Detail))
	}
	_, err := tx.write(ctx, insertion(activities, rows))
	return err
}

func (tx *Tx) historyChange(all []HistoryEntry) change {
	rows := make(cells, 0, len(all)*len(historyEntries.columns))
	for i := range all {
		h := &all[i]
		rows = append(rows, inID(NewID(tx.now)), inID(h.InstanceID), inTime(tx.now), inNumber(h.State), inText(h.Version),
			inText(h.Reason.String()), inNumber(h.Code), inText(h.Detail))
	}
	return insertion(historyEntries, rows)
}

// attemptChange keeps each attempt with the platform its machine has now.
func (tx *Tx) attemptChange(b *Batch) change {
	if len(b.Attempts) == 0 {
		return insertion(attempts, nil)
	}
	oems := make(map[uuid.UUID]string, len(b.Machines))
	for _, m := range b.Machines {
		oems[m.InstanceID] = m.OEM
	}
	rows := make(cells, 0, len(b.Attempts)*len(attempts.columns))
	for i := range b.Attempts {
		e := &b.Attempts[i]
		e.OEM = oems[e.InstanceID]
		a := &e.Ended.Attempt
		rows = append(rows, inID(NewID(tx.now)), inID(e.InstanceID), inID(uuid.UUID(a.Rollout)), inID(uuid.UUID(a.Package)), inText(a.Version.String()),
			inText(e.From.String()), inText(e.OEM), inNumber(a.Wave), inNumber(a.Number), inTime(a.GrantedAt), inTime(a.DownloadingAt),
			inTime(a.DownloadedAt), inTime(a.InstalledAt), inTime(tx.now), inNumber(e.Outcome), inNumber(e.Code))
	}
	return insertion(attempts, rows)
}

func waveChange(all []rollout.Progress) change {
	type wave struct {
		rollout  uuid.UUID
		position int
	}
	sums := map[wave]rollout.Counts{}
	for _, p := range all {
		key := wave{uuid.UUID(p.Rollout), p.Wave}
		sums[key] = sums[key].Plus(p.Counts)
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b wave) int {
		return cmp.Or(bytes.Compare(a.rollout[:], b.rollout[:]), cmp.Compare(a.position, b.position))
	})
	rows := make(cells, 0, len(keys)*len(waves.columns))
	for _, w := range keys {
		c := sums[w]
		rows = append(rows, inID(w.rollout), inNumber(w.position), inNumber(c.Granted), inNumber(c.Downloading), inNumber(c.Downloaded), inNumber(c.Installed),
			inNumber(c.Succeeded), inNumber(c.Failed), inNumber(c.TimedOut), inNumber(c.RolledBack), inNumber(c.Released))
	}
	return insertion(waves, rows)
}

// announce queues the events of a batch.
func (tx *Tx) announce(b *Batch) {
	for _, g := range b.Groups {
		tx.Publish(event.Event{Kind: event.GroupChanged, App: g.ApplicationID, Group: g.GroupID})
	}
	for _, m := range b.Machines {
		if m.quiet {
			continue
		}
		tx.Publish(event.Event{Kind: event.MachineChanged, App: m.ApplicationID, Group: m.GroupID, Instance: m.InstanceID})
	}
	for i := range b.Activities {
		tx.Publish(event.Event{Kind: event.ActivityAdded, App: b.Activities[i].ApplicationID, Group: b.Activities[i].GroupID})
	}
	tx.Publish(b.Events...)
}

// DropJournals deletes what is told of all machines of an application, before
// it is deleted.
func (tx *Tx) DropJournals(ctx context.Context, application uuid.UUID) error {
	for _, table := range journals() {
		if _, err := tx.sql.ExecContext(ctx, tx.store.q("DELETE FROM "+table+" WHERE instance_id IN (SELECT id FROM instances WHERE application_id = ?)"), application.String()); err != nil {
			return fmt.Errorf("delete %s: %w", table, err)
		}
	}
	return nil
}
