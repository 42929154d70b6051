package view

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/group"
)

// Group reads one group.
func (s *Service) Group(ctx context.Context, id uuid.UUID, with With) (*db.Group, error) {
	return one(ctx, "group", loading(s.db().Group.Query().Where(group.ID(id), group.HasApplicationWith(application.DeletedAtIsNil())), with.groups).Only)
}

// GroupIDs reads the ids of the groups of an application, newest first.
func (s *Service) GroupIDs(ctx context.Context, app uuid.UUID) ([]uuid.UUID, error) {
	q := s.db().Group.Query().Where(group.ApplicationID(app), group.DeletedAtIsNil()).Select(group.FieldID, group.FieldName, group.FieldArch, group.FieldCreatedAt)
	rows, err := read(ctx, "groups", q.All)
	return sortedIDs(rows, err, groupKey, newestCreated)
}

// GroupsByID reads groups in the order of their ids. Missing ones are left out.
func (s *Service) GroupsByID(ctx context.Context, ids []uuid.UUID, with With) ([]*db.Group, error) {
	rows, err := read(ctx, "groups", loading(s.db().Group.Query().Where(group.IDIn(ids...)), with.groups).All)
	return inOrderOf(ids, rows, func(g *db.Group) uuid.UUID { return g.ID }), err
}

// GroupByID reads groups by id.
func (s *Service) GroupByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*db.Group, error) {
	return indexed(ctx, "groups", s.db().Group.Query().Where(group.IDIn(ids...), group.DeletedAtIsNil()).All, func(g *db.Group) uuid.UUID { return g.ID })
}
