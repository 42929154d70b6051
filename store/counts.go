package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
	"github.com/coreroller/coreroller/store/bulk"
)

// countKey is one row of group_counts.
type countKey struct {
	group    uuid.UUID
	version  string
	state    rollout.State
	reason   rollout.Reason
	standing rollout.Standing
}

func (m *Machine) countKey() countKey {
	return countKey{m.GroupID, m.Version.String(), m.State, m.Reason, m.Standing}
}

var groupCounts = bulk.NewTable("group_counts",
	"ON CONFLICT (group_id, version, state, reason, standing) DO UPDATE SET machines = group_counts.machines + EXCLUDED.machines",
	"group_id id, version text, state number, reason text, standing number, machines number")

// countChange moves each changed machine from its old row of group_counts to its
// new one.
func countChange(machines []*Machine) bulk.Change {
	diff := map[countKey]int64{}
	for _, m := range machines {
		if m.was != nil && m.was.GroupID != uuid.Nil {
			diff[m.was.countKey()]--
		}
		if m.GroupID != uuid.Nil {
			diff[m.countKey()]++
		}
	}
	keys := make([]countKey, 0, len(diff))
	for k, n := range diff {
		if n != 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b countKey) int {
		return cmp.Or(bytes.Compare(a.group[:], b.group[:]), cmp.Compare(a.version, b.version), cmp.Compare(a.state, b.state),
			cmp.Compare(a.reason, b.reason), cmp.Compare(a.standing, b.standing))
	})
	rows := make([]bulk.Value, 0, len(keys)*groupCounts.Width())
	for _, k := range keys {
		rows = append(rows, bulk.ID(k.group), bulk.Text(k.version), bulk.Number(k.state), bulk.Text(k.reason.String()), bulk.Number(k.standing), bulk.Number(diff[k]))
	}
	return bulk.Insert(groupCounts, rows)
}

// Census counts the active machines of a group by their place at a goal. It adds up
// the group's counters.
func (tx *Tx) Census(ctx context.Context, group uuid.UUID, goal version.Goal) (c rollout.Census, err error) {
	if goal.Target.IsZero() {
		return c, nil
	}
	versions, err := tx.versions(ctx, group)
	for text, machines := range versions {
		v, _ := rollout.ParseVersion(text)
		c.Add(goal.Place(v), machines)
	}
	return c, err
}

// versions returns how many active machines of a group run each version, without
// those that the census leaves out, see rollout.Reason.Counts.
func (tx *Tx) versions(ctx context.Context, group uuid.UUID) (map[string]int, error) {
	rows, err := tx.query(ctx, "SELECT version, SUM(machines) FROM group_counts WHERE group_id = ? AND standing = ? AND reason NOT IN ('', ?) GROUP BY version",
		group.String(), int64(rollout.StandingActive), rollout.ReasonNotEnrolled.String())
	if err != nil {
		return nil, fmt.Errorf("read the versions of a group: %w", err)
	}
	defer rows.Close()
	versions := map[string]int{}
	for rows.Next() {
		var text string
		var machines int
		if err := rows.Scan(&text, &machines); err != nil {
			return nil, fmt.Errorf("read the versions of a group: %w", err)
		}
		versions[text] = machines
	}
	return versions, rows.Err()
}

// LiftQuarantines makes the quarantined machines of groups active again, because
// the groups have a new target. Their next check decides whether the quarantine
// still applies. It reads one index, which holds few machines. The caller holds
// the groups' locks.
func (tx *Tx) LiftQuarantines(ctx context.Context, groups []uuid.UUID) error {
	if len(groups) == 0 {
		return nil
	}
	all, err := tx.machines(ctx, selectMachines+fmt.Sprintf("WHERE group_id @in AND standing > 0 AND standing = %d ORDER BY id @lock",
		rollout.StandingQuarantined), tx.sql.List(groups))
	if err != nil {
		return err
	}
	for _, m := range all {
		m.Standing = rollout.StandingActive
	}
	added, updated := machineChanges(all)
	written, err := tx.write(ctx, added, updated, countChange(all))
	if err != nil {
		return err
	}
	return checkWritten(written, added, updated)
}
