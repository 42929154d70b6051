package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/statement"
)

// Roster returns machines of a group, at most rollout.MaxRoster. It reads no more rows
// than that, however many machines are silent.
func (tx *Tx) Roster(ctx context.Context, group uuid.UUID) (all []rollout.Member, err error) {
	rows, err := tx.query(ctx, "SELECT machine_id, version, standing, created_at FROM instances WHERE group_id = ? LIMIT ?", group.String(), rollout.MaxRoster)
	if err != nil {
		return nil, fmt.Errorf("read the machines of a wave: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var m rollout.Member
		var version string
		var standing rollout.Standing
		if err := rows.Scan(&m.ID, &version, &standing, statement.Time(&m.FirstSeenAt)); err != nil {
			return nil, fmt.Errorf("read the machines of a wave: %w", err)
		}
		m.Version, _ = rollout.ParseVersion(version)
		m.Active = standing == rollout.StandingActive
		all = append(all, m)
	}
	return all, rows.Err()
}
