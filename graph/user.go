package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/graph/model"
)

// Role returns the highest role of a user. A role that this version does not know is the
// zero Role, which may do nothing.
func (r *userResolver) Role(ctx context.Context, u *db.User) (auth.Role, error) {
	return roleOf(ctx, u), nil
}

// Permissions names what the user may call somewhere.
func (r *userResolver) Permissions(ctx context.Context, u *db.User) ([]string, error) {
	return roleOf(ctx, u).Permissions(), nil
}

// roleOf returns the role of a user; for the caller that of the credential, which can be
// lower.
func roleOf(ctx context.Context, u *db.User) auth.Role {
	if who, _ := auth.From(ctx); who.UserID == u.ID {
		return who.Role
	}
	role, _ := auth.ParseRole(u.Role)
	return role
}

// SingleSignOn reports whether the user signs in with an identity provider.
func (r *userResolver) SingleSignOn(_ context.Context, u *db.User) (bool, error) {
	return account.IsExternal(u), nil
}

func (r *userResolver) Team(ctx context.Context, u *db.User) (*db.Team, error) {
	return loadersOf(ctx).team(ctx, u.TeamID)
}

// Grants returns where a user has which role.
func (r *userResolver) Grants(ctx context.Context, u *db.User) ([]*model.RoleGrant, error) {
	var all []*model.RoleGrant
	for _, g := range account.GrantsOf(ctx, u) {
		all = append(all, &model.RoleGrant{Role: g.Role, TeamID: unlessZero(g.Team), ApplicationID: unlessZero(g.Application), GroupID: unlessZero(g.Group)})
	}
	return all, nil
}

func (r *roleGrantResolver) Team(ctx context.Context, g *model.RoleGrant) (*db.Team, error) {
	return given(ctx, g.TeamID, loadersOf(ctx).team)
}

func (r *roleGrantResolver) Application(ctx context.Context, g *model.RoleGrant) (*db.Application, error) {
	return given(ctx, g.ApplicationID, loadersOf(ctx).applications.load)
}

func (r *roleGrantResolver) Group(ctx context.Context, g *model.RoleGrant) (*db.Group, error) {
	return given(ctx, g.GroupID, loadersOf(ctx).groups.load)
}

// given loads what has an id, nil without one.
func given[T any](ctx context.Context, id *uuid.UUID, load func(context.Context, uuid.UUID) (*T, error)) (*T, error) {
	if id == nil {
		return nil, nil
	}
	return load(ctx, *id)
}

func unlessZero(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func (r *applicationResolver) Team(ctx context.Context, a *db.Application) (*db.Team, error) {
	return loadersOf(ctx).team(ctx, a.TeamID)
}

func (r *applicationResolver) Permissions(ctx context.Context, a *db.Application) ([]string, error) {
	return permissions(ctx, auth.Place{Team: a.TeamID, Application: a.ID}), nil
}

func (r *groupResolver) Permissions(ctx context.Context, g *db.Group) ([]string, error) {
	app := r.fleet.Catalog().App(g.ApplicationID)
	if app == nil { // deleted meanwhile
		return []string{}, nil
	}
	return permissions(ctx, auth.Place{Team: app.TeamID, Application: app.ID, Group: g.ID}), nil
}

// permissions names what the caller may call on a place.
func permissions(ctx context.Context, p auth.Place) []string {
	who, _ := auth.From(ctx)
	return who.RoleOn(p).Permissions()
}
