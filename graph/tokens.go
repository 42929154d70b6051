package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *queryResolver) Tokens(ctx context.Context, all bool) ([]*db.Token, error) {
	return r.fleet.Accounts.Tokens(ctx, all)
}

func (r *queryResolver) Sessions(ctx context.Context, userID *uuid.UUID) ([]*account.BrowserSession, error) {
	return r.fleet.Accounts.Sessions(ctx, userID)
}

func (r *mutationResolver) CreateToken(ctx context.Context, in account.CreateToken) (*model.CreateTokenPayload, error) {
	row, secret, err := r.fleet.Accounts.CreateToken(ctx, in)
	refused, err := userErrors(err)
	out := &model.CreateTokenPayload{Token: row, UserErrors: refused}
	if row != nil {
		out.Secret = &secret
	}
	return out, err
}

func (r *mutationResolver) RevokeToken(ctx context.Context, in account.RevokeToken) (*model.DeletePayload, error) {
	return deletePayload(in.ID, r.fleet.Accounts.RevokeToken(ctx, in))
}

func (r *mutationResolver) EndSession(ctx context.Context, in account.EndSession) (*model.DeletePayload, error) {
	return deletePayload(in.ID, r.fleet.Accounts.EndSession(ctx, in))
}

func (r *mutationResolver) EndOtherSessions(ctx context.Context, in account.EndOtherSessions) (*model.EndOtherSessionsPayload, error) {
	ended, err := r.fleet.Accounts.EndOtherSessions(ctx, in)
	p, err := payload(&ended, err)
	if len(p.UserErrors) > 0 {
		p.Object = nil
	}
	return &model.EndOtherSessionsPayload{Ended: p.Object, UserErrors: p.UserErrors}, err
}

// User returns the user that a token acts for; the read of the token brought it.
func (r *tokenResolver) User(_ context.Context, t *db.Token) (*db.User, error) {
	return t.Edges.User, nil
}

// Application returns where a grant is valid; nil after the application was deleted.
func (r *tokenGrantResolver) Application(ctx context.Context, g *auth.Grant) (*db.Application, error) {
	if g.Application == uuid.Nil {
		return nil, nil
	}
	return loadersOf(ctx).applications.load(ctx, g.Application)
}

// Group returns where a grant is valid; nil after the group was deleted.
func (r *tokenGrantResolver) Group(ctx context.Context, g *auth.Grant) (*db.Group, error) {
	if g.Group == uuid.Nil {
		return nil, nil
	}
	return loadersOf(ctx).groups.load(ctx, g.Group)
}

// Everywhere reports whether a grant is not limited to a part.
func (r *tokenGrantResolver) Everywhere(_ context.Context, g *auth.Grant) (bool, error) {
	return g.Team == uuid.Nil && g.Application == uuid.Nil && g.Group == uuid.Nil, nil
}
