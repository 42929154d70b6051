package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/machinesecret"
)

// UseSecrets writes when machine secrets were used last, unless a later time is stored.
func (s *Store) UseSecrets(ctx context.Context, now time.Time, used map[uuid.UUID]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	err := s.Write(ctx, now, func(tx *Tx) error {
		for id, at := range used {
			err := tx.Client().MachineSecret.Update().Where(machinesecret.ID(id),
				machinesecret.Or(machinesecret.LastUsedAtIsNil(), machinesecret.LastUsedAtLT(at))).SetLastUsedAt(at).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write the use of machine secrets: %w", err)
	}
	return nil
}
