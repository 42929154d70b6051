package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
)

// Roster returns the active machines of a group, at most rollout.MaxRoster.
func (tx *Tx) Roster(ctx context.Context, group uuid.UUID) (all []rollout.Member, err error) {
	rows, err := tx.query(ctx, "SELECT machine_id, version FROM instances WHERE group_id = ? AND standing = ? LIMIT ?",
		group.String(), int64(rollout.StandingActive), rollout.MaxRoster)
	if err != nil {
		return nil, fmt.Errorf("read the machines of a wave: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var m rollout.Member
		var version string
		if err := rows.Scan(&m.ID, &version); err != nil {
			return nil, fmt.Errorf("read the machines of a wave: %w", err)
		}
		m.Version, _ = rollout.ParseVersion(version)
		all = append(all, m)
	}
	return all, rows.Err()
}
