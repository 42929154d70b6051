package graph

import (
	"context"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/graph/model"
)

// signIn verifies a password and creates a session.
func (r *Resolver) signIn(ctx context.Context, in model.SignInInput) (*model.SignInPayload, error) {
	if err := auth.CanSetSession(ctx); err != nil {
		return nil, refusal(model.ErrorCodeInvalid, "%s", err)
	}
	var principal auth.Principal
	err := r.Guard.Try(ctx, in.Username, func() (err error) {
		principal, err = r.fleet.Accounts.Authenticate(ctx, in.Username, in.Password)
		return err
	})
	if err != nil {
		refused, err := userErrors(err)
		return &model.SignInPayload{UserErrors: refused}, err
	}
	ctx = auth.With(ctx, principal)
	token, expires, err := r.fleet.Accounts.CreateSession(ctx)
	if err != nil {
		refused, err := userErrors(err)
		return &model.SignInPayload{UserErrors: refused}, err
	}
	if err := auth.SetSession(ctx, token, expires); err != nil {
		return nil, err
	}
	row, err := r.fleet.Accounts.Me(ctx)
	return &model.SignInPayload{User: row, UserErrors: []*model.UserError{}}, err
}

// signOut ends the session of the request.
func (r *Resolver) signOut(ctx context.Context) (*model.SignOutPayload, error) {
	out := &model.SignOutPayload{UserErrors: []*model.UserError{}}
	token := auth.SessionToken(ctx)
	if token == "" {
		return out, nil
	}
	if err := r.fleet.Accounts.DeleteSession(ctx, token); err != nil {
		return nil, err
	}
	out.SessionEnded = true
	// A websocket cannot clear the cookie; its token is no longer valid.
	if err := auth.CanSetSession(ctx); err != nil {
		return out, nil //nolint:nilerr // the session ended, only the cookie stays
	}
	return out, auth.ClearSession(ctx)
}

func (r *Resolver) changePassword(ctx context.Context, in account.ChangePassword) (*model.UserPayload, error) {
	if err := r.forgetPasswords(r.fleet.Accounts.ChangePassword(ctx, in)); err != nil {
		return userPayload(nil, err)
	}
	return userPayload(r.fleet.Accounts.Me(ctx))
}

func (r *Resolver) setPassword(ctx context.Context, in account.SetPassword) (*model.UserPayload, error) {
	if err := r.forgetPasswords(r.fleet.Accounts.SetPassword(ctx, in)); err != nil {
		return userPayload(nil, err)
	}
	return userPayload(r.fleet.Accounts.User(ctx, in.Username))
}

// forgetPasswords clears the cache of verified passwords after a change.
func (r *Resolver) forgetPasswords(err error) error {
	if err == nil {
		r.Guard.Forget()
	}
	return err
}

// serverInfo returns only the version and the time without sign-in.
func (r *Resolver) serverInfo(ctx context.Context) (*model.ServerInfo, error) {
	out := &model.ServerInfo{Version: r.Server.Version, Now: r.Now()}
	if _, err := auth.Require(ctx, auth.Read); err != nil {
		return out, nil //nolint:nilerr // not signed in
	}
	if asked(ctx, "demo") {
		var err error
		if out.Demo, err = r.fleet.Demo(ctx); err != nil {
			return nil, err
		}
	}
	database, healthy, url := model.DatabaseSQLIte, r.Store.Ping(ctx) == nil, r.Server.UpdateURL(ctx)
	if r.Server.Postgres {
		database = model.DatabasePostgresql
	}
	out.StartedAt, out.Database, out.Healthy, out.UpdateURL = &r.Server.StartedAt, &database, &healthy, &url
	return out, nil
}
