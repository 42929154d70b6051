package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/bulk"
	"github.com/coreroller/coreroller/store/statement"
)

// selectRollouts is not joined to selectLedgers: after waiting for a lock
// PostgreSQL re-reads the locked row but not the joined ones.
const selectRollouts = `SELECT r.id, r.group_id, r.package_id, r.version, r.recalled, r.state, r.salt, r.created_at, r.started_at, r.ended_at,
	r.wave, r.wave_at, r.gate_at, r.approved, r.epoch, r.evidence, r.failing, r.failure_kinds, r.set_aside, r.proofs, r.leader, r.halt, r.roster, r.newcomers, r.progress_at, r.stall,
	COALESCE(w.granted, 0), COALESCE(w.downloading, 0), COALESCE(w.downloaded, 0), COALESCE(w.installed, 0),
	COALESCE(w.succeeded, 0), COALESCE(w.failed, 0), COALESCE(w.timed_out, 0), COALESCE(w.rolled_back, 0),
	COALESCE(w.not_running, 0), COALESCE(w.lost, 0), COALESCE(w.looping, 0), COALESCE(w.released, 0)
	FROM rollouts r LEFT JOIN waves w ON w.rollout_id = r.id AND w.position = r.wave WHERE r.id @in`

// readRollouts reads the current rollouts of groups into their states.
func (tx *Tx) readRollouts(ctx context.Context, states []*GroupState) error {
	var ids []uuid.UUID
	of := make(map[uuid.UUID]*GroupState, len(states))
	for _, g := range states {
		if id := uuid.UUID(g.Rollout.ID); id != uuid.Nil {
			ids, of[id] = append(ids, id), g
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := tx.query(ctx, selectRollouts, tx.sql.List(ids))
	if err != nil {
		return fmt.Errorf("read rollouts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		id, r, err := scanRollout(rows)
		if err != nil {
			return err
		}
		of[id].Rollout = r
	}
	return rows.Err()
}

func scanRollout(rows *sql.Rows) (uuid.UUID, rollout.Rollout, error) {
	var (
		r                  rollout.Rollout
		id, group, release uuid.UUID
		version            string
		recalled           []string
	)
	c := &r.WaveCounts
	err := rows.Scan(&id, &group, &release, &version, statement.JSON(&recalled), &r.State, &r.Salt, statement.Time(&r.CreatedAt), statement.Time(&r.StartedAt), statement.Time(&r.EndedAt),
		&r.Wave, statement.Time(&r.WaveAt), statement.Time(&r.GateAt), &r.Approved, &r.Epoch, statement.JSON(&r.Evidence), statement.JSON(&r.Failing), statement.JSON(&r.FailureKinds),
		&r.SetAside, &r.Proofs, &r.Leader, statement.JSON(&r.Halt), statement.JSON(&r.Roster), statement.JSON(&r.Newcomers), statement.Time(&r.ProgressAt), statement.JSON(&r.Stall),
		&c.Granted, &c.Downloading, &c.Downloaded, &c.Installed, &c.Succeeded, &c.Failed, &c.TimedOut, &c.RolledBack, &c.NotRunning, &c.Lost, &c.Looping, &c.Released)
	if err != nil {
		return id, r, fmt.Errorf("read rollout: %w", err)
	}
	r.ID, r.Package = rollout.ID(id), rollout.ID(release)
	r.Version, _ = rollout.ParseVersion(version)
	r.Recalled = parseVersions(recalled)
	return id, r, nil
}

// rollouts are inserted whole. Of an existing row only the columns that can change
// are updated.
var rollouts = bulk.NewTable("rollouts", `ON CONFLICT (id) DO UPDATE SET recalled = EXCLUDED.recalled, state = EXCLUDED.state,
	created_at = EXCLUDED.created_at, started_at = EXCLUDED.started_at, ended_at = EXCLUDED.ended_at, wave = EXCLUDED.wave, wave_at = EXCLUDED.wave_at,
	gate_at = EXCLUDED.gate_at, approved = EXCLUDED.approved, epoch = EXCLUDED.epoch, evidence = EXCLUDED.evidence,
	failing = EXCLUDED.failing, failure_kinds = EXCLUDED.failure_kinds, set_aside = EXCLUDED.set_aside, proofs = EXCLUDED.proofs, leader = EXCLUDED.leader, halt = EXCLUDED.halt, roster = EXCLUDED.roster, newcomers = EXCLUDED.newcomers,
	progress_at = EXCLUDED.progress_at, stall = EXCLUDED.stall,
	replaced_at = EXCLUDED.replaced_at`,
	`id id, group_id id, package_id id, version text, recalled json, state number, salt text,
	created_at time, started_at time, ended_at time, wave number, wave_at time, gate_at time,
	approved bool, epoch number, evidence json, failing json, failure_kinds json, set_aside number, proofs number, leader text, halt json, roster json, newcomers json, progress_at time, stall json,
	replaced_at time`)

// rolloutRow returns the row of a rollout. replaced is zero for the current one.
func rolloutRow(group uuid.UUID, r *rollout.Rollout, replaced time.Time) []bulk.Value {
	return []bulk.Value{bulk.ID(uuid.UUID(r.ID)), bulk.ID(group), bulk.ID(uuid.UUID(r.Package)), bulk.Text(r.Version.String()), bulk.Text(versionsJSON(r.Recalled)), bulk.Number(r.State), bulk.Text(r.Salt),
		bulk.Time(r.CreatedAt), bulk.Time(r.StartedAt), bulk.Time(r.EndedAt), bulk.Number(r.Wave), bulk.Time(r.WaveAt), bulk.Time(r.GateAt), bulk.Bool(r.Approved),
		bulk.Number(r.Epoch), bulk.Text(toJSON(r.Evidence)), bulk.Text(toJSON(r.Failing)), bulk.Text(toJSON(r.FailureKinds)), bulk.Number(r.SetAside), bulk.Number(r.Proofs), bulk.Text(r.Leader),
		bulk.Text(toJSON(r.Halt)), bulk.Text(toJSON(r.Roster)), bulk.Text(toJSON(r.Newcomers)), bulk.Time(r.ProgressAt), bulk.Text(toJSON(r.Stall)), bulk.Time(replaced)}
}

// StoppedGroups returns the states of the stopped rollouts of the groups of some counters;
// other groups have the zero state.
func (s *Store) StoppedGroups(ctx context.Context, counts []*db.GroupCount) (map[uuid.UUID]rollout.RolloutState, error) {
	stopped := map[uuid.UUID]rollout.RolloutState{}
	var groups []uuid.UUID
	for _, row := range counts {
		if _, seen := stopped[row.GroupID]; !seen {
			stopped[row.GroupID] = rollout.RolloutActive
			groups = append(groups, row.GroupID)
		}
	}
	if len(groups) == 0 {
		return stopped, nil
	}
	text, args := s.stoppedGroups(groups)
	rows, err := s.readers.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read stopped groups: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		var state rollout.RolloutState
		if err := rows.Scan(statement.ID(&id), &state); err != nil {
			return nil, fmt.Errorf("read stopped groups: %w", err)
		}
		stopped[id] = state
	}
	return stopped, rows.Err()
}

func (s *Store) stoppedGroups(groups []uuid.UUID) (text string, args []any) {
	return s.readers.SQL("SELECT l.group_id, r.state FROM ledgers l JOIN rollouts r ON r.id = l.rollout_id WHERE l.group_id @in AND r.state IN (?, ?)"),
		[]any{s.readers.List(groups), int64(rollout.RolloutPaused), int64(rollout.RolloutHalted)}
}

// versionsJSON returns versions as a list of texts.
func versionsJSON(all []rollout.Version) string {
	if len(all) == 0 {
		return "[]"
	}
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = v.String()
	}
	return toJSON(texts)
}

func parseVersions(texts []string) (all []rollout.Version) {
	for _, text := range texts {
		v, _ := rollout.ParseVersion(text)
		all = append(all, v)
	}
	return all
}

// toJSON returns the text of a json column. It panics on an error, which these
// plain structs cannot cause.
func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("marshal %T: %v", v, err))
	}
	return string(b)
}

var waves = bulk.NewTable("waves", `ON CONFLICT (rollout_id, position) DO UPDATE SET granted = waves.granted + EXCLUDED.granted,
		downloading = waves.downloading + EXCLUDED.downloading, downloaded = waves.downloaded + EXCLUDED.downloaded,
		installed = waves.installed + EXCLUDED.installed, succeeded = waves.succeeded + EXCLUDED.succeeded,
		failed = waves.failed + EXCLUDED.failed, timed_out = waves.timed_out + EXCLUDED.timed_out,
		rolled_back = waves.rolled_back + EXCLUDED.rolled_back, not_running = waves.not_running + EXCLUDED.not_running,
		lost = waves.lost + EXCLUDED.lost, looping = waves.looping + EXCLUDED.looping, released = waves.released + EXCLUDED.released`,
	`rollout_id id, position number, granted number, downloading number, downloaded number,
	installed number, succeeded number, failed number, timed_out number, rolled_back number,
	not_running number, lost number, looping number, released number`)

// waveChange adds the progress of a batch to its waves.
func waveChange(all []rollout.Progress) bulk.Change {
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
	rows := make([]bulk.Value, 0, len(keys)*waves.Width())
	for _, w := range keys {
		c := sums[w]
		rows = append(rows, bulk.ID(w.rollout), bulk.Number(w.position), bulk.Number(c.Granted), bulk.Number(c.Downloading), bulk.Number(c.Downloaded), bulk.Number(c.Installed),
			bulk.Number(c.Succeeded), bulk.Number(c.Failed), bulk.Number(c.TimedOut), bulk.Number(c.RolledBack), bulk.Number(c.NotRunning), bulk.Number(c.Lost), bulk.Number(c.Looping), bulk.Number(c.Released))
	}
	return bulk.Insert(waves, rows)
}
