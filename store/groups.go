package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
)

const selectLedgers = `SELECT l.group_id, g.application_id, l.config_revision, l.in_flight, l.behind, l.on_target,
	l.spends, l.rollout_id, l.next_lease_at, l.package_missing_noted, l.writes
	FROM ledgers l JOIN groups g ON g.id = l.group_id WHERE l.group_id @in ORDER BY l.group_id `

// selectRollouts is a statement of its own: a row that a lock had to wait for
// is fresh, but what is joined to it would still be of the time before.
const selectRollouts = `SELECT r.id, r.group_id, r.package_id, r.version, r.state, r.salt, r.created_at, r.started_at, r.ended_at,
	r.wave, r.wave_at, r.gate_at, r.approved, r.epoch, r.evidence, r.failing, r.set_aside, r.proven, r.leader, r.halt,
	COALESCE(w.granted, 0), COALESCE(w.downloading, 0), COALESCE(w.downloaded, 0), COALESCE(w.installed, 0),
	COALESCE(w.succeeded, 0), COALESCE(w.failed, 0), COALESCE(w.timed_out, 0), COALESCE(w.rolled_back, 0), COALESCE(w.released, 0)
	FROM rollouts r LEFT JOIN waves w ON w.rollout_id = r.id AND w.position = r.wave WHERE r.id @in`

// LockGroups locks the ledgers of groups in the order of their ids and reads
// what they protect. Groups that do not exist are absent.
func (tx *Tx) LockGroups(ctx context.Context, ids []uuid.UUID) ([]*GroupState, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	states, err := tx.lockLedgers(ctx, ids)
	if err != nil {
		return nil, err
	}
	if err := tx.readRollouts(ctx, states); err != nil {
		return nil, err
	}
	for _, g := range states {
		was := *g
		was.Ledger.Spends = slices.Clone(g.Ledger.Spends)
		g.was = &was
	}
	tx.locked = append(tx.locked, states...)
	return states, nil
}

// ReadGroups reads what the ledgers of groups protect, as it was committed
// last, without locking: to look at, not to decide on. Groups that do not exist
// are absent.
func (s *Store) ReadGroups(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*GroupState, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	// One snapshot: a ledger and the rollout it names belong together.
	o := &sql.TxOptions{ReadOnly: true}
	if s.postgres() {
		o.Isolation = sql.LevelRepeatableRead
	}
	t, err := s.readers.BeginTx(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{store: s, stmts: &s.reading, sql: t}
	defer tx.keep(ctx)
	defer t.Rollback() //nolint:errcheck // nothing was written
	states, err := tx.readLedgers(ctx, ids, "")
	if err != nil {
		return nil, err
	}
	if err := tx.readRollouts(ctx, states); err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]*GroupState, len(states))
	for _, g := range states {
		out[g.GroupID] = g
	}
	return out, nil
}

func (tx *Tx) lockLedgers(ctx context.Context, ids []uuid.UUID) ([]*GroupState, error) {
	lock := ""
	if tx.store.postgres() {
		lock = "FOR UPDATE OF l"
	}
	return tx.readLedgers(ctx, ids, lock)
}

func (tx *Tx) readLedgers(ctx context.Context, ids []uuid.UUID, lock string) ([]*GroupState, error) {
	rows, err := tx.query(ctx, selectLedgers+lock, tx.store.list(ids))
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	defer rows.Close()
	var states []*GroupState
	for rows.Next() {
		g := &GroupState{}
		var current uuid.UUID
		if err := rows.Scan(&g.GroupID, &g.ApplicationID, &g.ConfigRevision, &g.Ledger.InFlight, &g.Census.Behind, &g.Census.OnTarget,
			spendList{&g.Ledger.Spends}, nullID{&current}, nullTime{&g.NextLeaseAt}, &g.PackageMissingNoted, &g.writes); err != nil {
			return nil, fmt.Errorf("read ledger: %w", err)
		}
		g.Rollout.ID = rollout.ID(current)
		states = append(states, g)
	}
	return states, rows.Err()
}

// readRollouts reads the current rollouts of groups.
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
	rows, err := tx.query(ctx, selectRollouts, tx.store.list(ids))
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
	)
	c := &r.WaveCounts
	err := rows.Scan(&id, &group, &release, &version, &r.State, &r.Salt, nullTime{&r.CreatedAt}, nullTime{&r.StartedAt}, nullTime{&r.EndedAt},
		&r.Wave, nullTime{&r.WaveAt}, nullTime{&r.GateAt}, &r.Approved, &r.Epoch, jsonValue{&r.Evidence}, jsonValue{&r.Failing},
		&r.SetAside, &r.Proven, &r.Leader, jsonValue{&r.Halt},
		&c.Granted, &c.Downloading, &c.Downloaded, &c.Installed, &c.Succeeded, &c.Failed, &c.TimedOut, &c.RolledBack, &c.Released)
	if err != nil {
		return id, r, fmt.Errorf("read rollout: %w", err)
	}
	r.ID, r.Package = rollout.ID(id), rollout.ID(release)
	r.Version, _ = rollout.ParseVersion(version)
	return id, r, nil
}

// CreateLedger makes the ledger of a new group and returns it locked.
func (tx *Tx) CreateLedger(ctx context.Context, group uuid.UUID, revision int64) (*GroupState, error) {
	if _, err := tx.sql.ExecContext(ctx, tx.store.q(`INSERT INTO ledgers (group_id, config_revision, in_flight, behind, on_target, spends, package_missing_noted)
		VALUES (?, ?, 0, 0, 0, '[]', FALSE)`), group.String(), revision); err != nil {
		return nil, fmt.Errorf("create ledger: %w", err)
	}
	states, err := tx.LockGroups(ctx, []uuid.UUID{group})
	if err != nil {
		return nil, err
	}
	return states[0], nil
}

var ledgers = &table{name: "ledgers", columns: []column{
	{"group_id", asID}, {"in_flight", asNumber}, {"behind", asNumber}, {"on_target", asNumber}, {"spends", asJSON},
	{"rollout_id", asID}, {"next_lease_at", asTime}, {"package_missing_noted", asTruth}, {"writes", asNumber},
}}

var rolloutColumns = []column{
	{"id", asID}, {"group_id", asID}, {"package_id", asID}, {"version", asText}, {"state", asNumber}, {"salt", asText},
	{"created_at", asTime}, {"started_at", asTime}, {"ended_at", asTime}, {"wave", asNumber}, {"wave_at", asTime}, {"gate_at", asTime},
	{"approved", asTruth}, {"epoch", asNumber}, {"evidence", asJSON}, {"failing", asJSON}, {"set_aside", asNumber}, {"proven", asTruth}, {"leader", asText}, {"halt", asJSON},
	{"replaced_at", asTime},
}

// rollouts are inserted whole; of one that exists only what can change is set.
var rollouts = &table{name: "rollouts", columns: rolloutColumns, conflict: `ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state,
	started_at = EXCLUDED.started_at, ended_at = EXCLUDED.ended_at, wave = EXCLUDED.wave, wave_at = EXCLUDED.wave_at,
	gate_at = EXCLUDED.gate_at, approved = EXCLUDED.approved, epoch = EXCLUDED.epoch, evidence = EXCLUDED.evidence,
	failing = EXCLUDED.failing, set_aside = EXCLUDED.set_aside, proven = EXCLUDED.proven, leader = EXCLUDED.leader, halt = EXCLUDED.halt,
	replaced_at = EXCLUDED.replaced_at`}

// rolloutRow is a rollout that was replaced at a moment, zero when it is still
// the group's.
func rolloutRow(group uuid.UUID, r *rollout.Rollout, replaced time.Time) cells {
	return cells{inID(uuid.UUID(r.ID)), inID(group), inID(uuid.UUID(r.Package)), inText(r.Version.String()), inNumber(r.State), inText(r.Salt),
		inTime(r.CreatedAt), inTime(r.StartedAt), inTime(r.EndedAt), inNumber(r.Wave), inTime(r.WaveAt), inTime(r.GateAt), inTruth(r.Approved),
		inNumber(r.Epoch), inText(toJSON(r.Evidence)), inText(toJSON(r.Failing)), inNumber(r.SetAside), inTruth(r.Proven), inText(r.Leader),
		inText(toJSON(r.Halt)), inTime(replaced)}
}

func ledgerRow(g *GroupState) cells {
	return cells{inID(g.GroupID), inNumber(g.Ledger.InFlight), inNumber(g.Census.Behind), inNumber(g.Census.OnTarget),
		inText(spendsJSON(g.Ledger.Spends)), inID(uuid.UUID(g.Rollout.ID)), inTime(g.NextLeaseAt), inTruth(g.PackageMissingNoted), inNumber(g.writes)}
}

// groupChanges are the rollouts and ledgers that changed.
func groupChanges(groups []*GroupState, now time.Time) (roll, led change) {
	groups = slices.Clone(groups)
	slices.SortFunc(groups, func(a, b *GroupState) int { return bytes.Compare(a.GroupID[:], b.GroupID[:]) })
	roll = insertion(rollouts, nil)
	led = change{table: ledgers, parts: allParts, known: true}
	for _, g := range groups {
		for i := range g.Superseded {
			if g.Superseded[i].ID != (rollout.ID{}) {
				roll.rows = append(roll.rows, rolloutRow(g.GroupID, &g.Superseded[i], now)...)
			}
		}
		if g.Rollout.ID != (rollout.ID{}) {
			row := rolloutRow(g.GroupID, &g.Rollout, time.Time{})
			if g.was.Rollout.ID != g.Rollout.ID || !slices.Equal(row, rolloutRow(g.GroupID, &g.was.Rollout, time.Time{})) {
				roll.rows = append(roll.rows, row...)
			}
		}
		if row := ledgerRow(g); !slices.Equal(row, ledgerRow(g.was)) {
			led.rows = append(led.rows, row...)
		}
	}
	return roll, led
}

// spendsJSON keeps times as microseconds: a busy ledger is written with every
// batch.
func spendsJSON(spends []rollout.Spend) string {
	b := []byte{'['}
	for i, s := range spends {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "[%d,%d,%d]", s.First.UnixMicro(), s.Last.UnixMicro(), s.Count)
	}
	return string(append(b, ']'))
}

// spendList reads what spendsJSON wrote.
type spendList struct{ to *[]rollout.Spend }

func (l spendList) Scan(v any) error {
	var raw [][3]int64
	if err := (jsonValue{&raw}).Scan(v); err != nil {
		return err
	}
	*l.to = nil
	for _, r := range raw {
		*l.to = append(*l.to, rollout.Spend{First: time.UnixMicro(r[0]).UTC(), Last: time.UnixMicro(r[1]).UTC(), Count: int(r[2])})
	}
	return nil
}
