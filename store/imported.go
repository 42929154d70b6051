package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/bulk"
)

// Imported are journals of another server, with their own times. Their ids are derived
// (ImportedID), so that saving them twice adds nothing.
type Imported struct {
	History    []ImportedEntry
	Attempts   []ImportedAttempt
	Activities []ImportedActivity
	Rollouts   []ImportedRollout
}

// ImportedEntry is one row of history_entries.
type ImportedEntry struct {
	ID uuid.UUID
	At time.Time
	HistoryEntry
}

// ImportedAttempt is one row of attempts that ended.
type ImportedAttempt struct {
	ID, InstanceID uuid.UUID
	EndedAt        time.Time
	Replaced       bool // the machine has a later result in the same rollout
	rollout.Ended
}

// ImportedActivity is one row of activities.
type ImportedActivity struct {
	ID uuid.UUID
	At time.Time
	Activity
}

// ImportedRollout is one row of rollouts that is not the current one of its group.
type ImportedRollout struct {
	GroupID    uuid.UUID
	ReplacedAt time.Time
	rollout.Rollout
}

// ImportedID derives the id of a row of another server. Like ids of version 7, those of
// later times sort later.
func ImportedID(at time.Time, parts ...string) uuid.UUID {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	id := uuid.UUID(sum[:16])
	var milliseconds [8]byte
	binary.BigEndian.PutUint64(milliseconds[:], uint64(max(0, at.UnixMilli())))
	copy(id[:6], milliseconds[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

var (
	importedActivities = activities.Again("ON CONFLICT (id) DO NOTHING")
	importedEntries    = historyEntries.Again("ON CONFLICT (id) DO NOTHING")
	importedAttempts   = attempts.Again(`ON CONFLICT (id) DO UPDATE SET ended_at = EXCLUDED.ended_at, outcome = EXCLUDED.outcome, code = EXCLUDED.code,
		failed = EXCLUDED.failed, replaced = EXCLUDED.replaced
		WHERE attempts.ended_at <> EXCLUDED.ended_at OR attempts.outcome <> EXCLUDED.outcome OR attempts.code <> EXCLUDED.code OR attempts.replaced <> EXCLUDED.replaced`)
)

// SavedImport is how many rows SaveImported added or changed.
type SavedImport struct{ History, Attempts, Activities int64 }

// SaveImported writes journals of another server. The rollouts of attempts must be saved
// before CountImported is called, and before a machine has an open attempt in them.
func (tx *Tx) SaveImported(ctx context.Context, all *Imported) (saved SavedImport, err error) {
	var rows []bulk.Value
	for i := range all.Rollouts {
		r := &all.Rollouts[i]
		rows = append(rows, rolloutRow(r.GroupID, &r.Rollout, r.ReplacedAt)...)
	}
	changes := []bulk.Change{bulk.Insert(rollouts, rows), bulk.Insert(importedEntries, entryRows(all.History)),
		bulk.Insert(importedAttempts, importedRows(all.Attempts)), bulk.Insert(importedActivities, importedActivityRows(all.Activities))}
	for i, n := range []*int64{new(int64), &saved.History, &saved.Attempts, &saved.Activities} {
		written, err := tx.write(ctx, changes[i]) // one by one: their number of rows differs
		if err != nil {
			return saved, err
		}
		*n = written[0]
	}
	return saved, nil
}

func entryRows(all []ImportedEntry) (rows []bulk.Value) {
	for i := range all {
		h := &all[i]
		rows = append(rows, bulk.ID(h.ID), bulk.ID(h.InstanceID), bulk.Time(h.At), bulk.Number(h.State), bulk.Text(h.Version),
			bulk.Text(h.Reason.String()), bulk.Number(h.Code), bulk.Text(h.Detail))
	}
	return rows
}

func importedRows(all []ImportedAttempt) (rows []bulk.Value) {
	for i := range all {
		e := &all[i]
		a := &e.Attempt
		rows = append(rows, bulk.ID(e.ID), bulk.ID(e.InstanceID), bulk.ID(uuid.UUID(a.Rollout)), bulk.ID(uuid.UUID(a.Package)), bulk.Text(a.Version.String()),
			bulk.Text(e.From.String()), bulk.Text(""), bulk.Text(""), bulk.Number(a.Wave), bulk.Number(a.Number), bulk.Time(a.GrantedAt), bulk.Time(a.DownloadingAt),
			bulk.Time(a.DownloadedAt), bulk.Time(a.InstalledAt), bulk.Time(e.EndedAt),
			bulk.Number(e.Outcome), bulk.Number(e.Code), bulk.Bool(e.Outcome.Failure() && !e.Replaced), bulk.Bool(e.Replaced))
	}
	return rows
}

func importedActivityRows(all []ImportedActivity) (rows []bulk.Value) {
	for i := range all {
		a := &all[i]
		rows = append(rows, bulk.ID(a.ID), bulk.Time(a.At), bulk.Number(a.Kind), bulk.Number(a.Severity), bulk.ID(a.ApplicationID), bulk.Text(a.ApplicationName),
			bulk.ID(a.GroupID), bulk.Text(a.GroupName), bulk.ID(a.ChannelID), bulk.Text(a.ChannelName), bulk.ID(a.InstanceID), bulk.Text(a.Machine),
			bulk.Text(a.Version), bulk.Number(a.Code), bulk.Text(a.Actor), bulk.Text(a.Detail))
	}
	return rows
}

// CountImported counts the attempts of rollouts, also the open ones, and replaces their
// counters. The caller holds the locks of their groups.
func (tx *Tx) CountImported(ctx context.Context, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	const waves = `INSERT INTO waves (rollout_id, position, granted, downloading, downloaded, installed, succeeded, failed, timed_out, rolled_back, not_running, lost, looping, released)
		SELECT rollout_id, wave, COUNT(*), COUNT(downloading_at), COUNT(downloaded_at), COUNT(installed_at), SUM(CASE WHEN outcome IN (1, 9) THEN 1 ELSE 0 END),
			SUM(CASE WHEN outcome IN (2, 3, 4, 8, 10, 11) THEN 1 ELSE 0 END), SUM(CASE WHEN outcome = 4 THEN 1 ELSE 0 END), SUM(CASE WHEN outcome = 3 THEN 1 ELSE 0 END),
			SUM(CASE WHEN outcome = 8 THEN 1 ELSE 0 END), SUM(CASE WHEN outcome = 10 THEN 1 ELSE 0 END), SUM(CASE WHEN outcome = 11 THEN 1 ELSE 0 END),
			SUM(CASE WHEN outcome IN (5, 6, 7) THEN 1 ELSE 0 END)
		FROM (
			SELECT rollout_id, wave, downloading_at, downloaded_at, installed_at, outcome FROM attempts WHERE NOT replaced AND rollout_id @in
			UNION ALL
			SELECT offer_rollout_id, offer_wave, downloading_at, downloaded_at, installed_at, 0 FROM instances WHERE granted_at IS NOT NULL AND offer_rollout_id @in
		) AS counted GROUP BY rollout_id, wave`
	texts := []string{
		"DELETE FROM waves WHERE rollout_id @in", "DELETE FROM failures WHERE rollout_id @in", "DELETE FROM failure_shares WHERE rollout_id @in", waves,
		"INSERT INTO failures (rollout_id, outcome, code, attempts) SELECT rollout_id, outcome, code, COUNT(*) FROM attempts WHERE failed AND rollout_id @in GROUP BY rollout_id, outcome, code",
	}
	for _, trait := range traits {
		texts = append(texts, fmt.Sprintf("INSERT INTO failure_shares (rollout_id, trait, value, attempts) SELECT rollout_id, '%s', %s, COUNT(*) FROM attempts WHERE failed AND rollout_id @in GROUP BY rollout_id, %s",
			trait, trait, trait))
	}
	for _, text := range texts {
		args := make([]any, strings.Count(text, "@in"))
		for i := range args {
			args[i] = tx.sql.List(ids)
		}
		if _, err := tx.sql.ExecContext(ctx, tx.sql.SQL(text), args...); err != nil {
			return fmt.Errorf("count imported attempts: %w", err)
		}
	}
	return nil
}
