package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// Forget lets Save delete the machine's row and its history. The machine has left its
// group. Its ended attempts stay, because the numbers of their rollouts count them,
// but name no machine any more.
func (m *Machine) Forget() { m.GroupID, m.forgotten = uuid.Nil, true }

// Forgotten reports whether Forget was called.
func (m *Machine) Forgotten() bool { return m.forgotten }

// deleteForgotten deletes the forgotten machines of a batch, after all else was
// written.
func (tx *Tx) deleteForgotten(ctx context.Context, machines []*Machine) error {
	var ids []uuid.UUID
	for _, m := range machines {
		if m.forgotten {
			ids = append(ids, m.InstanceID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	for _, text := range []string{
		"UPDATE attempts SET instance_id = '" + uuid.Nil.String() + "' WHERE instance_id @in",
		"DELETE FROM history_entries WHERE instance_id @in",
		"DELETE FROM instances WHERE id @in",
	} {
		if _, err := tx.sql.Change(ctx, text, tx.sql.List(ids)); err != nil {
			return fmt.Errorf("forget machines: %w", err)
		}
	}
	return nil
}
