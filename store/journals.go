package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/bulk"
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

// Attempt is one row of attempts: a new one, or a changed one if Again. Save also
// counts its failure.
type Attempt struct {
	InstanceID uuid.UUID
	Traits            // set by Save
	Replaced   Traits // those of Replaces; set by Save
	rollout.Ended
}

var activities = bulk.NewTable("activities", "",
	`id id, at time, kind number, severity number, application_id id, application_name text,
	group_id id, group_name text, channel_id id, channel_name text, instance_id id, machine_id text,
	version text, code number, actor text, detail text`)

var historyEntries = bulk.NewTable("history_entries", "",
	"id id, instance_id id, at time, state number, version text, reason text, code number, detail text")

var attempts = bulk.NewTable("attempts", "",
	`id id, instance_id id, rollout_id id, package_id id, version text, from_version text, oem text, address_block text,
	wave number, number number, granted_at time, downloading_at time, downloaded_at time,
	installed_at time, ended_at time, outcome number, code number, failed bool, replaced bool`)

// attemptResults are the columns of an attempt that change after its end.
var attemptResults = bulk.NewTable("attempts", "", "id id, outcome number, code number, failed bool, replaced bool")

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

// attemptChanges returns the attempts that ended, and those whose result changed
// or was replaced. It sets what Save sets in attempts and machines.
func (tx *Tx) attemptChanges(b *Batch) (ended, changed bulk.Change) {
	ended = bulk.Insert(attempts, nil)
	changed = bulk.Change{Table: attemptResults, Parts: bulk.AllParts, Update: true}
	if len(b.Attempts) == 0 {
		return ended, changed
	}
	machines := make(map[uuid.UUID]*Machine, len(b.Machines))
	for _, m := range b.Machines {
		machines[m.InstanceID] = m
	}
	rows := make([]attemptRow, 0, len(b.Attempts))
	for i := range b.Attempts {
		e := &b.Attempts[i]
		if e.Rollout() == (rollout.ID{}) {
			continue // it counts no more
		}
		m := machines[e.InstanceID]
		e.Replaced = m.LastTraits
		if e.Replaces.Outcome != 0 && !e.Again {
			rows = append(rows, attemptRow{id: m.LastAttemptID, outcome: e.Replaces.Outcome, code: e.Replaces.Code, replaced: true})
		}
		row := attemptRow{id: m.LastAttemptID, outcome: e.Outcome, code: e.Code}
		e.Traits = m.LastTraits
		if !e.Again {
			row.id, row.ended, e.Traits = NewID(tx.now), e, m.traits()
			if e.Outcome.Success() || e.Outcome.Failure() {
				m.LastAttemptID, m.LastTraits = row.id, e.Traits
			}
		}
		rows = append(rows, row)
	}
	for _, r := range latest(rows) {
		result := []bulk.Value{bulk.ID(r.id), bulk.Number(r.outcome), bulk.Number(r.code), bulk.Bool(r.outcome.Failure() && !r.replaced), bulk.Bool(r.replaced)}
		if r.ended == nil {
			changed.Rows = append(changed.Rows, result...)
			continue
		}
		e := r.ended
		a := &e.Ended.Attempt
		ended.Rows = append(ended.Rows, bulk.ID(r.id), bulk.ID(e.InstanceID), bulk.ID(uuid.UUID(a.Rollout)), bulk.ID(uuid.UUID(a.Package)), bulk.Text(a.Version.String()),
			bulk.Text(e.From.String()), bulk.Text(e.OEM), bulk.Text(e.AddressBlock), bulk.Number(a.Wave), bulk.Number(a.Number), bulk.Time(a.GrantedAt), bulk.Time(a.DownloadingAt),
			bulk.Time(a.DownloadedAt), bulk.Time(a.InstalledAt), bulk.Time(tx.now))
		ended.Rows = append(ended.Rows, result[1:]...)
	}
	return ended, changed
}

// attemptRow is one row of attempts after a change.
type attemptRow struct {
	id       uuid.UUID
	ended    *Attempt // nil: the row exists
	outcome  rollout.Outcome
	code     int
	replaced bool
}

// latest returns the last state of each row, in the order of their first ones.
func latest(rows []attemptRow) []attemptRow {
	at := make(map[uuid.UUID]int, len(rows))
	out := rows[:0]
	for _, r := range rows {
		i, known := at[r.id]
		if !known {
			at[r.id] = len(out)
			out = append(out, r)
			continue
		}
		r.ended = out[i].ended
		out[i] = r
	}
	return out
}
