package view

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/fleet/fault"
)

// live are the applications that are not deleted. The rows of a deleted one are
// deleted in the background.
func (s *Service) live() *db.ApplicationQuery {
	return s.db().Application.Query().Where(application.DeletedAtIsNil())
}

// Applications reads all applications by name.
func (s *Service) Applications(ctx context.Context, with With) ([]*db.Application, error) {
	return read(ctx, "applications", loading(s.live(), with.applications).Order(application.ByName()).All)
}

// Application reads one application.
func (s *Service) Application(ctx context.Context, id uuid.UUID, with With) (*db.Application, error) {
	return one(ctx, "application", loading(s.live().Where(application.ID(id)), with.applications).Only)
}

// ApplicationIDs reads the ids of all applications, newest first.
func (s *Service) ApplicationIDs(ctx context.Context) ([]uuid.UUID, error) {
	q := s.live().Select(application.FieldID, application.FieldName, application.FieldCreatedAt)
	rows, err := read(ctx, "applications", q.All)
	return sortedIDs(rows, err, applicationKey, newestCreated)
}

// ApplicationsByID reads applications in the order of their ids. Missing ones are
// left out.
func (s *Service) ApplicationsByID(ctx context.Context, ids []uuid.UUID, with With) ([]*db.Application, error) {
	rows, err := read(ctx, "applications", loading(s.live().Where(application.IDIn(ids...)), with.applications).All)
	return inOrderOf(ids, rows, func(a *db.Application) uuid.UUID { return a.ID }), err
}

// ApplicationByID reads applications by id.
func (s *Service) ApplicationByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*db.Application, error) {
	return indexed(ctx, "applications", s.live().Where(application.IDIn(ids...)).All, func(a *db.Application) uuid.UUID { return a.ID })
}

// ApplicationChannels returns the channels of an application by name. It reads
// them unless they were loaded with the application.
func (s *Service) ApplicationChannels(ctx context.Context, a *db.Application, with With) ([]*db.Channel, error) {
	rows, err := edge(ctx, a.Edges.ChannelsOrErr, s.db().Channel.Query, channel.ApplicationID(a.ID), with.channels)
	return sorted(rows, channelKey, byName), err
}

// ApplicationGroups returns the groups of an application by name. It reads them
// unless they were loaded with the application.
func (s *Service) ApplicationGroups(ctx context.Context, a *db.Application, with With) ([]*db.Group, error) {
	rows, err := edge(ctx, a.Edges.GroupsOrErr, s.db().Group.Query, group.ApplicationID(a.ID), with.groups)
	return sorted(rows, groupKey, byName), err
}

// ApplicationNamed returns the id of the application with an id (any case, with or without
// braces) or product id.
func (s *Service) ApplicationNamed(ctx context.Context, text string) (uuid.UUID, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return uuid.Nil, err
	}
	if app := s.seen(ctx).Named(text); app != nil {
		return app.ID, nil
	}
	return uuid.Nil, fault.Errorf(fault.NotFound, "id", "there is no such application")
}
