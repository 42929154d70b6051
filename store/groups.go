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
	"github.com/coreroller/coreroller/store/bulk"
	"github.com/coreroller/coreroller/store/statement"
)

const selectLedgers = `SELECT l.group_id, g.application_id, l.config_revision, l.in_flight, l.reboot_overdue, l.behind, l.on_target, l.other_build,
	l.spends, l.rollout_id, l.next_lease_at, l.package_missing_noted, l.writes
	FROM ledgers l JOIN groups g ON g.id = l.group_id WHERE l.group_id @in ORDER BY l.group_id `

// LockGroups locks the ledgers of groups, in the order of their ids, and reads
// what they protect. The result leaves out groups that do not exist.
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

// ReadGroups reads what the ledgers of groups protect without locking them. Use the
// result to display it, not to decide. The result leaves out groups that do not
// exist.
func (s *Store) ReadGroups(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*GroupState, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	// One snapshot, so that each ledger agrees with the rollout it names.
	o := &sql.TxOptions{ReadOnly: true}
	if s.postgres != nil {
		o.Isolation = sql.LevelRepeatableRead
	}
	t, err := s.readers.Begin(ctx, s.readers, o)
	if err != nil {
		return nil, err
	}
	tx := &Tx{store: s, sql: t}
	defer t.PrepareOnPool(ctx)
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
	if tx.sql.Postgres() {
		lock = "FOR UPDATE OF l"
	}
	return tx.readLedgers(ctx, ids, lock)
}

func (tx *Tx) readLedgers(ctx context.Context, ids []uuid.UUID, lock string) ([]*GroupState, error) {
	rows, err := tx.query(ctx, selectLedgers+lock, tx.sql.List(ids))
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	defer rows.Close()
	var states []*GroupState
	for rows.Next() {
		g := &GroupState{Outages: tx.store.Outages()}
		var current uuid.UUID
		if err := rows.Scan(&g.GroupID, &g.ApplicationID, &g.ConfigRevision, &g.Ledger.InFlight, &g.Ledger.RebootOverdue, &g.Census.Behind, &g.Census.OnTarget, &g.Census.OtherBuild,
			spendList{&g.Ledger.Spends}, statement.ID(&current), statement.Time(&g.NextLeaseAt), &g.PackageMissingNoted, &g.writes); err != nil {
			return nil, fmt.Errorf("read ledger: %w", err)
		}
		g.Rollout.ID = rollout.ID(current)
		states = append(states, g)
	}
	return states, rows.Err()
}

// CreateLedger creates the ledger of a new group and returns it locked.
func (tx *Tx) CreateLedger(ctx context.Context, group uuid.UUID, revision int64) (*GroupState, error) {
	if _, err := tx.sql.ExecContext(ctx, tx.sql.SQL(`INSERT INTO ledgers (group_id, config_revision, in_flight, behind, on_target, spends, package_missing_noted)
		VALUES (?, ?, 0, 0, 0, '[]', FALSE)`), group.String(), revision); err != nil {
		return nil, fmt.Errorf("create ledger: %w", err)
	}
	states, err := tx.LockGroups(ctx, []uuid.UUID{group})
	if err != nil {
		return nil, err
	}
	return states[0], nil
}

var ledgers = bulk.NewTable("ledgers", "",
	`group_id id, in_flight number, reboot_overdue number, behind number, on_target number, other_build number, spends json,
	rollout_id id, next_lease_at time, package_missing_noted bool, writes number`)

func ledgerRow(g *GroupState) []bulk.Value {
	return []bulk.Value{bulk.ID(g.GroupID), bulk.Number(g.Ledger.InFlight), bulk.Number(g.Ledger.RebootOverdue), bulk.Number(g.Census.Behind), bulk.Number(g.Census.OnTarget), bulk.Number(g.Census.OtherBuild),
		bulk.Text(spendsJSON(g.Ledger.Spends)), bulk.ID(uuid.UUID(g.Rollout.ID)), bulk.Time(g.NextLeaseAt), bulk.Bool(g.PackageMissingNoted), bulk.Number(g.writes)}
}

// groupChanges returns the rollouts and ledgers that changed.
func groupChanges(groups []*GroupState, now time.Time) (changedRollouts, changedLedgers bulk.Change) {
	groups = slices.Clone(groups)
	slices.SortFunc(groups, func(a, b *GroupState) int { return bytes.Compare(a.GroupID[:], b.GroupID[:]) })
	changedRollouts = bulk.Insert(rollouts, nil)
	changedLedgers = bulk.Change{Table: ledgers, Parts: bulk.AllParts, Update: true}
	for _, g := range groups {
		for i := range g.Superseded {
			if g.Superseded[i].ID != (rollout.ID{}) {
				changedRollouts.Rows = append(changedRollouts.Rows, rolloutRow(g.GroupID, &g.Superseded[i], now)...)
			}
		}
		if g.Rollout.ID != (rollout.ID{}) {
			row := rolloutRow(g.GroupID, &g.Rollout, time.Time{})
			if g.was.Rollout.ID != g.Rollout.ID || !slices.Equal(row, rolloutRow(g.GroupID, &g.was.Rollout, time.Time{})) {
				changedRollouts.Rows = append(changedRollouts.Rows, row...)
			}
		}
		if row := ledgerRow(g); !slices.Equal(row, ledgerRow(g.was)) {
			changedLedgers.Rows = append(changedLedgers.Rows, row...)
		}
	}
	return changedRollouts, changedLedgers
}

// spendsJSON writes times as microseconds. They are shorter than RFC 3339, and a
// busy ledger is written with every batch.
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

// spendList scans the output of spendsJSON.
type spendList struct{ to *[]rollout.Spend }

func (l spendList) Scan(v any) error {
	var raw [][3]int64
	if err := statement.JSON(&raw).Scan(v); err != nil {
		return err
	}
	*l.to = nil
	for _, r := range raw {
		*l.to = append(*l.to, rollout.Spend{First: time.UnixMicro(r[0]).UTC(), Last: time.UnixMicro(r[1]).UTC(), Count: int(r[2])})
	}
	return nil
}
