package graph

import (
	"context"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/graph/model"
)

// signIn proves who somebody is and gives them a session.
func (r *Resolver) signIn(ctx context.Context, in model.SignInInput) (*model.SignInPayload, error) {
	if err := auth.CanSetSession(ctx); err != nil {
		return nil, refusal(model.ErrorCodeInvalid, "%s", err)
	}
	var who auth.Principal
	err := r.Guard.Try(ctx, in.Username, func() (err error) {
		who, err = r.fleet.Accounts.Authenticate(ctx, in.Username, in.Password)
		return err
	})
	if err != nil {
		refused, err := userErrors(err)
		return &model.SignInPayload{UserErrors: refused}, err
	}
	ctx = auth.With(ctx, who)
	token, expires, err := r.fleet.Accounts.CreateSession(ctx)
	if err != nil {
		refused, err := userErrors(err)
		return &model.SignInPayload{UserErrors: refused}, err
	}
	if err := auth.SetSession(ctx, token, expires); err != nil {
		return nil, err
	}
	row, err := r.reader.User.Get(ctx, who.UserID)
	return &model.SignInPayload{User: row, UserErrors: []*model.UserError{}}, err
}

// signOut ends the session the request came with.
func (r *Resolver) signOut(ctx context.Context) (*model.SignOutPayload, error) {
	out := &model.SignOutPayload{UserErrors: []*model.UserError{}}
	token := auth.SessionToken(ctx)
	if token == "" {
		return out, nil
	}
	if err := r.fleet.Accounts.DeleteSession(ctx, token); err != nil {
		return nil, err
	}
	out.Ended = true
	// Over a websocket the cookie stays, with a token that is good for nothing.
	if err := auth.CanSetSession(ctx); err != nil {
		return out, nil //nolint:nilerr // the session is over, which was asked for
	}
	return out, auth.ClearSession(ctx)
}

func (r *Resolver) changePassword(ctx context.Context, in account.ChangePassword) (*model.UserPayload, error) {
	if err := r.forgetting(r.fleet.Accounts.ChangePassword(ctx, in)); err != nil {
		return userPayload(nil, err)
	}
	return userPayload(r.me(ctx))
}

func (r *Resolver) setPassword(ctx context.Context, in account.SetPassword) (*model.UserPayload, error) {
	if err := r.forgetting(r.fleet.Accounts.SetPassword(ctx, in)); err != nil {
		return userPayload(nil, err)
	}
	return userPayload(r.reader.User.Query().Where(user.Username(in.Username)).Only(ctx))
}

// forgetting drops remembered passwords after a change of one.
func (r *Resolver) forgetting(err error) error {
	if err == nil {
		r.Guard.Forget()
	}
	return err
}

// me is the caller, nil for a stranger and for the command line.
func (r *Resolver) me(ctx context.Context) (*db.User, error) {
	who, ok := auth.From(ctx)
	if !ok {
		return nil, nil
	}
	return maybe(r.reader.User.Get(ctx, who.UserID))
}

// serverInfo tells strangers no more than they need to sign in.
func (r *Resolver) serverInfo(ctx context.Context) (*model.ServerInfo, error) {
	out := &model.ServerInfo{Version: r.Server.Version, Now: r.Now()}
	if _, err := auth.Require(ctx, auth.Read); err != nil {
		return out, nil //nolint:nilerr // a stranger
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
