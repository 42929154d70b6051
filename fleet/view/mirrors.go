package view

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/mirror"
	"github.com/coreroller/coreroller/store"
)

// Mirror is a client that asked as a mirror, with its group.
type Mirror struct {
	*db.Mirror
	Group *db.Group
	// Application is that of the group.
	Application *db.Application
}

// Mirrors returns the mirrors of all groups, those seen last first.
func (s *Service) Mirrors(ctx context.Context) ([]*Mirror, error) {
	rows, err := read(ctx, "mirrors", s.db().Mirror.Query().Order(db.Desc(mirror.FieldLastSeenAt, mirror.FieldID)).Limit(store.MaxMirrors).All)
	if err != nil {
		return nil, err
	}
	ids := map[uuid.UUID]bool{}
	var wanted []uuid.UUID
	for _, row := range rows {
		if !ids[row.GroupID] {
			ids[row.GroupID], wanted = true, append(wanted, row.GroupID)
		}
	}
	groups, err := s.db().Group.Query().Where(group.IDIn(wanted...), group.DeletedAtIsNil()).WithApplication().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	byID := make(map[uuid.UUID]*db.Group, len(groups))
	for _, g := range groups {
		byID[g.ID] = g
	}
	out := make([]*Mirror, 0, len(rows))
	for _, row := range rows {
		if g := byID[row.GroupID]; g != nil { // else it was deleted
			out = append(out, &Mirror{Mirror: row, Group: g, Application: g.Edges.Application})
		}
	}
	return out, nil
}
