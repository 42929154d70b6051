package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/statement"
)

// Roster returns machines of a group, at most rollout.MaxRoster. It reads no more rows
// than that, however many machines are silent.
func (tx *Tx) Roster(ctx context.Context, group uuid.UUID) (all []rollout.Member, err error) {
	rows, err := tx.query(ctx, "SELECT machine_id, version, standing, created_at, enrolled, selected_wave FROM instances WHERE group_id = ? LIMIT ?", group.String(), rollout.MaxRoster)
	if err != nil {
		return nil, fmt.Errorf("read the machines of a wave: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var m rollout.Member
		var version string
		var standing rollout.Standing
		var enrolled bool
		if err := rows.Scan(&m.ID, &version, &standing, statement.Time(&m.KnownSince), &enrolled, &m.SelectedWave); err != nil {
			return nil, fmt.Errorf("read the machines of a wave: %w", err)
		}
		if enrolled {
			m.KnownSince = time.Time{}
		}
		m.Version, _ = rollout.ParseVersion(version)
		m.Active = standing == rollout.StandingActive
		all = append(all, m)
	}
	return all, rows.Err()
}
