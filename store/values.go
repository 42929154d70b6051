package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// Versions returns the versions by which a group counts machines, also those that no
// machine runs any more and that DropEmptyCounts has not deleted yet.
func (tx *Tx) Versions(ctx context.Context, group uuid.UUID) (map[string]struct{}, error) {
	return tx.values(ctx, "SELECT DISTINCT version FROM group_counts WHERE group_id = ?", group)
}

// Platforms returns the platforms of the machines of a group. It reads one index
// entry for each.
func (tx *Tx) Platforms(ctx context.Context, group uuid.UUID) (map[string]struct{}, error) {
	return tx.values(ctx, `WITH RECURSIVE found(oem) AS (
		SELECT MIN(oem) FROM instances WHERE group_id = ?
		UNION ALL SELECT (SELECT MIN(i.oem) FROM instances i WHERE i.group_id = ? AND i.oem > found.oem) FROM found WHERE found.oem IS NOT NULL
		) SELECT oem FROM found WHERE oem IS NOT NULL`, group, group)
}

func (tx *Tx) values(ctx context.Context, text string, groups ...uuid.UUID) (map[string]struct{}, error) {
	args := make([]any, len(groups))
	for i, g := range groups {
		args[i] = g.String()
	}
	rows, err := tx.query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read the values of a group: %w", err)
	}
	defer rows.Close()
	found := map[string]struct{}{}
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, fmt.Errorf("read the values of a group: %w", err)
		}
		found[value] = struct{}{}
	}
	return found, rows.Err()
}

// DropEmptyCounts deletes the counters of a group that are zero, under its lock, so
// that no check-in waits for single rows.
func (tx *Tx) DropEmptyCounts(ctx context.Context, group uuid.UUID) error {
	if _, err := tx.LockGroups(ctx, []uuid.UUID{group}); err != nil {
		return err
	}
	if _, err := tx.sql.ExecContext(ctx, tx.sql.SQL("DELETE FROM group_counts WHERE group_id = ? AND machines = 0"), group.String()); err != nil {
		return fmt.Errorf("delete empty counters: %w", err)
	}
	return nil
}
