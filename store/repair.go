package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
	"github.com/coreroller/coreroller/store/bulk"
)

var differenceID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// Group returns the group whose machines a counter counts; false for the counters of a
// rollout.
func (d Difference) Group() (uuid.UUID, bool) {
	id, err := uuid.Parse(differenceID.FindString(d.Counter))
	return id, err == nil && !strings.Contains(d.Counter, "of rollout")
}

// RecountSince is Recount without the counters of rollouts from before a time, whose
// attempts retention may have deleted.
func (s *Store) RecountSince(ctx context.Context, before time.Time) ([]Difference, error) {
	all, err := s.Recount(ctx)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	old, err := s.client.GroupRollout.Query().Where(grouprollout.CreatedAtLT(before)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list old rollouts: %w", err)
	}
	return slices.DeleteFunc(all, func(d Difference) bool {
		if d.Kept == d.Counted {
			return true // a part of the census that is right
		}
		id, err := uuid.Parse(differenceID.FindString(d.Counter))
		_, ofGroup := d.Group()
		return err == nil && !ofGroup && slices.Contains(old, id)
	}), nil
}

// RepairGroup counts the machines of a group under its lock and corrects the counters
// that differ, with an audit entry. The check-ins of this group wait meanwhile, those of
// all groups on SQLite. It returns what it corrected.
func (s *Store) RepairGroup(ctx context.Context, now time.Time, group uuid.UUID, by Audit) (fixed []Difference, err error) {
	err = s.Write(ctx, now, func(tx *Tx) error {
		fixed = nil
		locked, err := tx.LockGroups(ctx, []uuid.UUID{group})
		if err != nil || len(locked) == 0 {
			return err
		}
		g := locked[0]
		if fixed, err = tx.repairCounts(ctx, group); err != nil {
			return err
		}
		more, err := tx.repairLedger(ctx, g)
		if fixed = append(fixed, more...); err != nil || len(fixed) == 0 {
			return err
		}
		by.Verb, by.Object, by.ObjectID, by.ApplicationID, by.After = "repairCounters", "group", group, g.ApplicationID, map[string]any{"repaired": fixed}
		tx.Publish(event.Event{Kind: event.GroupChanged, App: g.ApplicationID, Group: group})
		return tx.Audit(by)
	})
	if err != nil {
		return nil, fmt.Errorf("repair the counters of group %s: %w", group, err)
	}
	return fixed, nil
}

// repairCounts corrects group_counts.
func (tx *Tx) repairCounts(ctx context.Context, group uuid.UUID) (fixed []Difference, err error) {
	rows, err := tx.query(ctx, `SELECT version, state, reason, standing, SUM(kept), SUM(counted) FROM (
		SELECT version, state, reason, standing, machines AS kept, 0 AS counted FROM group_counts WHERE group_id = ?
		UNION ALL SELECT version, state, reason, standing, 0, COUNT(*) FROM instances WHERE group_id = ? GROUP BY version, state, reason, standing
		) AS sides GROUP BY version, state, reason, standing HAVING SUM(kept) <> SUM(counted) ORDER BY 1, 2, 3, 4`, group.String(), group.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var values []bulk.Value
	for rows.Next() {
		var text, reason string
		var state, standing int64
		var d Difference
		if err := rows.Scan(&text, &state, &reason, &standing, &d.Kept, &d.Counted); err != nil {
			return nil, err
		}
		d.Counter = fmt.Sprintf("machines %s %s state %d %s standing %d", group, text, state, reason, standing)
		fixed = append(fixed, d)
		values = append(values, bulk.ID(group), bulk.Text(text), bulk.Number(state), bulk.Text(reason), bulk.Number(standing), bulk.Number(int64(d.Counted-d.Kept)))
	}
	if err := rows.Err(); err != nil || len(fixed) == 0 {
		return nil, err
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	_, err = tx.write(ctx, bulk.Insert(groupCounts, values)) // adds to the counters
	return fixed, err
}

// repairLedger corrects the numbers in the ledger. It counts the census from the
// counters, which are right by then.
func (tx *Tx) repairLedger(ctx context.Context, g *GroupState) (fixed []Difference, err error) {
	var inFlight, overdue int
	row := tx.sql.QueryRowContext(ctx, tx.sql.SQL(`SELECT COALESCE(SUM(CASE WHEN granted_at IS NOT NULL AND NOT reboot_overdue THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN reboot_overdue THEN 1 ELSE 0 END), 0) FROM instances WHERE group_id = ?`), g.GroupID.String())
	if err := row.Scan(&inFlight, &overdue); err != nil {
		return nil, err
	}
	census := g.Census
	if g.Rollout.ID != (rollout.ID{}) {
		if census, err = tx.Census(ctx, g.GroupID, version.Goal{Target: g.Rollout.Version, Recalled: g.Rollout.Recalled}); err != nil {
			return nil, err
		}
	}
	for _, d := range []Difference{
		{"in flight", g.Ledger.InFlight, inFlight}, {"reboot overdue", g.Ledger.RebootOverdue, overdue}, {"behind", g.Census.Behind, census.Behind},
		{"on target", g.Census.OnTarget, census.OnTarget}, {"other build", g.Census.OtherBuild, census.OtherBuild},
	} {
		if d.Counter += " " + g.GroupID.String(); d.Kept != d.Counted {
			fixed = append(fixed, d)
		}
	}
	if len(fixed) == 0 {
		return nil, nil
	}
	_, err = tx.sql.Change(ctx, "UPDATE ledgers SET in_flight = ?, reboot_overdue = ?, behind = ?, on_target = ?, other_build = ? WHERE group_id = ?",
		inFlight, overdue, census.Behind, census.OnTarget, census.OtherBuild, g.GroupID.String())
	return fixed, err
}

// CheckIndexes lets the database compare its indexes with its tables. It returns what is
// wrong; checked is false if PostgreSQL lacks its extension amcheck.
func (s *Store) CheckIndexes(ctx context.Context) (problems []string, checked bool, err error) {
	text := "PRAGMA integrity_check"
	if s.Postgres() {
		if err := s.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'amcheck')").Scan(&checked); err != nil || !checked {
			return nil, false, err
		}
		text = `SELECT 'ok' FROM (SELECT bt_index_check(c.oid) FROM pg_class c JOIN pg_am a ON a.oid = c.relam
			WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relnamespace = 'public'::regnamespace OFFSET 0) AS x`
	}
	rows, err := s.readers.QueryContext(ctx, text)
	if err != nil {
		return nil, true, fmt.Errorf("check the indexes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, true, fmt.Errorf("check the indexes: %w", err)
		}
		if line != "ok" {
			problems = append(problems, line)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, true, fmt.Errorf("check the indexes: %w", err)
	}
	return problems, true, nil
}

// StoredFiles lists the files of packages that the server has stored.
func (s *Store) StoredFiles(ctx context.Context) ([]*db.StoredFile, error) {
	rows, err := s.client.StoredFile.Query().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the files of packages: %w", err)
	}
	return rows, nil
}
