package view

import (
	"context"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/machinesecret"
)

// MachineSecret reads one machine secret.
func (s *Service) MachineSecret(ctx context.Context, id uuid.UUID) (*db.MachineSecret, error) {
	return one(ctx, "machine secret", s.db().MachineSecret.Query().Where(machinesecret.ID(id)).Only)
}

// ApplicationSecrets returns the secrets that are right for all groups of an
// application, those in use first, then by name and age.
func (s *Service) ApplicationSecrets(ctx context.Context, app uuid.UUID) ([]*db.MachineSecret, error) {
	return secrets(ctx, s.db().MachineSecret.Query().Where(machinesecret.ApplicationID(app), machinesecret.GroupIDIsNil()))
}

// GroupSecrets returns the secrets of one group.
func (s *Service) GroupSecrets(ctx context.Context, group uuid.UUID) ([]*db.MachineSecret, error) {
	return secrets(ctx, s.db().MachineSecret.Query().Where(machinesecret.GroupID(group)))
}

func secrets(ctx context.Context, q *db.MachineSecretQuery) ([]*db.MachineSecret, error) {
	// PostgreSQL and SQLite sort null differently.
	return read(ctx, "machine secrets", q.Order(machinesecret.ByRevokedAt(sql.OrderNullsFirst()), machinesecret.ByName(), machinesecret.ByID()).All)
}
