package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/bulk"
	"github.com/coreroller/coreroller/store/migrations"
)

// Activity is one row of activities. Names are stored beside the ids, because
// the row outlives what it names.
type Activity struct {
	rollout.Activity
	ApplicationID   uuid.UUID
	ApplicationName string
	GroupID         uuid.UUID // zero: none
	GroupName       string
	ChannelID       uuid.UUID // zero: none
	ChannelName     string
	InstanceID      uuid.UUID // zero: none
	Actor           string
}

// HistoryEntry is one row of history_entries.
type HistoryEntry struct {
	InstanceID uuid.UUID
	rollout.Entry
}

// Attempt is one row of attempts. Save also counts its failure.
type Attempt struct {
	InstanceID uuid.UUID
	OEM        string // of the machine after the batch; set by Save
	rollout.Ended
}

var activities = bulk.NewTable("activities", "",
	`id id, at time, kind number, severity number, application_id id, application_name text,
	group_id id, group_name text, channel_id id, channel_name text, instance_id id, machine_id text,
	version text, code number, actor text, detail text`)

var historyEntries = bulk.NewTable("history_entries", "",
	"id id, instance_id id, at time, state number, version text, reason text, code number, detail text")

var attempts = bulk.NewTable("attempts", "",
	`id id, instance_id id, rollout_id id, package_id id, version text, from_version text, oem text,
	wave number, number number, granted_at time, downloading_at time, downloaded_at time,
	installed_at time, ended_at time, outcome number, code number`)

func (tx *Tx) saveActivities(ctx context.Context, all []Activity) error {
	rows := make([]bulk.Value, 0, len(all)*activities.Width())
	for i := range all {
		a := &all[i]
		rows = append(rows, bulk.ID(NewID(tx.now)), bulk.Time(tx.now), bulk.Number(a.Kind), bulk.Number(a.Severity), bulk.ID(a.ApplicationID), bulk.Text(a.ApplicationName),
			bulk.ID(a.GroupID), bulk.Text(a.GroupName), bulk.ID(a.ChannelID), bulk.Text(a.ChannelName), bulk.ID(a.InstanceID), bulk.Text(a.Machine),
			bulk.Text(a.Version), bulk.Number(a.Code), bulk.Text(a.Actor), bulk.Text(a.Detail))
	}
	_, err := tx.write(ctx, bulk.Insert(activities, rows))
	return err
}

func (tx *Tx) historyChange(all []HistoryEntry) bulk.Change {
	rows := make([]bulk.Value, 0, len(all)*historyEntries.Width())
	for i := range all {
		h := &all[i]
		rows = append(rows, bulk.ID(NewID(tx.now)), bulk.ID(h.InstanceID), bulk.Time(tx.now), bulk.Number(h.State), bulk.Text(h.Version),
			bulk.Text(h.Reason.String()), bulk.Number(h.Code), bulk.Text(h.Detail))
	}
	return bulk.Insert(historyEntries, rows)
}

// attemptChange sets the OEM of each attempt to that of its machine.
func (tx *Tx) attemptChange(b *Batch) bulk.Change {
	if len(b.Attempts) == 0 {
		return bulk.Insert(attempts, nil)
	}
	oems := make(map[uuid.UUID]string, len(b.Machines))
	for _, m := range b.Machines {
		oems[m.InstanceID] = m.OEM
	}
	rows := make([]bulk.Value, 0, len(b.Attempts)*attempts.Width())
	for i := range b.Attempts {
		e := &b.Attempts[i]
		e.OEM = oems[e.InstanceID]
		a := &e.Ended.Attempt
		rows = append(rows, bulk.ID(NewID(tx.now)), bulk.ID(e.InstanceID), bulk.ID(uuid.UUID(a.Rollout)), bulk.ID(uuid.UUID(a.Package)), bulk.Text(a.Version.String()),
			bulk.Text(e.From.String()), bulk.Text(e.OEM), bulk.Number(a.Wave), bulk.Number(a.Number), bulk.Time(a.GrantedAt), bulk.Time(a.DownloadingAt),
			bulk.Time(a.DownloadedAt), bulk.Time(a.InstalledAt), bulk.Time(tx.now), bulk.Number(e.Outcome), bulk.Number(e.Code))
	}
	return bulk.Insert(attempts, rows)
}

// DropJournals deletes the history of all machines of an application. Call it
// before the application is deleted: the journals have no foreign keys.
func (tx *Tx) DropJournals(ctx context.Context, application uuid.UUID) error {
	for _, table := range migrations.Journals() {
		if _, err := tx.sql.ExecContext(ctx, tx.sql.SQL("DELETE FROM "+table+" WHERE instance_id IN (SELECT id FROM instances WHERE application_id = ?)"), application.String()); err != nil {
			return fmt.Errorf("delete %s: %w", table, err)
		}
	}
	return nil
}
