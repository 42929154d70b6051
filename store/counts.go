package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
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

var groupCounts = &table{
	name: "group_counts",
	columns: []column{
		{"group_id", asID}, {"version", asText}, {"state", asNumber}, {"reason", asText}, {"standing", asNumber}, {"machines", asNumber},
	},
	conflict: `ON CONFLICT (group_id, version, state, reason, standing) DO UPDATE SET machines = group_counts.machines + EXCLUDED.machines`,
}

// countChange moves each changed machine from the row it was counted in to the
// row it belongs in now.
func countChange(machines []*Machine) change {
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
	rows := make(cells, 0, len(keys)*len(groupCounts.columns))
	for _, k := range keys {
		rows = append(rows, inID(k.group), inText(k.version), inNumber(k.state), inText(k.reason.String()), inNumber(k.standing), inNumber(diff[k]))
	}
	return insertion(groupCounts, rows)
}

// Census counts the active machines of a group below and at a target, from the
// group's few counters.
func (tx *Tx) Census(ctx context.Context, group uuid.UUID, target rollout.Version) (c rollout.Census, err error) {
	if target.IsZero() {
		return c, nil
	}
	rows, err := tx.query(ctx, "SELECT version, SUM(machines) FROM group_counts WHERE group_id = ? AND standing = ? GROUP BY version",
		group.String(), int64(rollout.StandingActive))
	if err != nil {
		return c, fmt.Errorf("take census: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var machines int
		if err := rows.Scan(&text, &machines); err != nil {
			return c, fmt.Errorf("take census: %w", err)
		}
		if v, _ := rollout.ParseVersion(text); v.Less(target) {
			c.Behind += machines
		} else {
			c.OnTarget += machines
		}
	}
	return c, rows.Err()
}

// LiftQuarantines lets the quarantined machines of groups count as active
// again, because their groups have another target. Whether one is still kept
// back is decided at its next check. It reads one index of quarantined
// machines. The caller holds the groups' locks.
func (tx *Tx) LiftQuarantines(ctx context.Context, groups []uuid.UUID) error {
	if len(groups) == 0 {
		return nil
	}
	all, err := tx.machines(ctx, selectMachines+fmt.Sprintf("WHERE group_id @in AND standing > 0 AND standing = %d ORDER BY id @lock",
		rollout.StandingQuarantined), tx.store.list(groups))
	if err != nil {
		return err
	}
	for _, m := range all {
		m.Standing = rollout.StandingActive
	}
	added, known := machineChanges(all)
	written, err := tx.write(ctx, added, known, countChange(all))
	if err != nil {
		return err
	}
	return overtook(written, added, known)
}
