package graph

import (
	"context"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *queryResolver) Me(ctx context.Context) (*db.User, error) {
	return r.fleet.Accounts.Me(ctx)
}

func (r *queryResolver) Users(ctx context.Context) ([]*db.User, error) {
	return r.fleet.Accounts.Users(ctx)
}

func (r *queryResolver) Teams(ctx context.Context) ([]*db.Team, error) {
	return r.fleet.Accounts.Teams(ctx)
}

// SignIn verifies a password and creates a session.
func (r *mutationResolver) SignIn(ctx context.Context, in model.SignInInput) (*model.UserPayload, error) {
	if err := auth.CanSetSession(ctx); err != nil {
		return nil, refusal(model.ErrorCodeInvalid, "%s", err)
	}
	var principal auth.Principal
	err := r.Guard.Try(ctx, in.Username, func(ctx context.Context) (err error) {
		principal, err = r.fleet.Accounts.Authenticate(ctx, in.Username, in.Password)
		return err
	})
	if err != nil {
		return payload[db.User](nil, err)
	}
	ctx = auth.With(ctx, principal)
	token, expires, err := r.fleet.Accounts.CreateSession(ctx)
	if err != nil {
		return payload[db.User](nil, err)
	}
	if err := auth.SetSession(ctx, token, expires); err != nil {
		return nil, err
	}
	r.Guard.RememberDevice(ctx, principal.Name)
	return payload(r.fleet.Accounts.Me(ctx))
}

// SignOut ends the session of the request.
func (r *mutationResolver) SignOut(ctx context.Context) (*model.SignOutPayload, error) {
	out := &model.SignOutPayload{UserErrors: []*model.UserError{}}
	token := auth.SessionToken(ctx)
	if token == "" {
		return out, nil
	}
	if err := r.fleet.Accounts.DeleteSession(ctx, token); err != nil {
		return nil, err
	}
	out.SessionEnded = true
	if url := r.Server.EndURL(token); url != "" {
		out.ProviderURL = &url
	}
	// A websocket cannot clear the cookie; its token is no longer valid.
	if err := auth.CanSetSession(ctx); err != nil {
		return out, nil //nolint:nilerr // the session ended, only the cookie stays
	}
	return out, auth.ClearSession(ctx)
}

func (r *mutationResolver) ChangePassword(ctx context.Context, in account.ChangePassword) (*model.UserPayload, error) {
	who, _ := auth.From(ctx)
	err := r.Guard.Try(ctx, who.Name, func(ctx context.Context) error { return r.fleet.Accounts.ChangePassword(ctx, in) })
	if err := r.forgetPasswords(err); err != nil {
		return payload[db.User](nil, err)
	}
	r.Guard.RememberDevice(ctx, who.Name)
	return payload(r.fleet.Accounts.Me(ctx))
}

func (r *mutationResolver) SetPassword(ctx context.Context, in account.SetPassword) (*model.UserPayload, error) {
	if err := r.forgetPasswords(r.fleet.Accounts.SetPassword(ctx, in)); err != nil {
		return payload[db.User](nil, err)
	}
	return payload(r.fleet.Accounts.User(ctx, in.Username))
}

func (r *mutationResolver) CreateUser(ctx context.Context, in account.CreateUser) (*model.UserPayload, error) {
	return payload(r.fleet.Accounts.CreateUser(ctx, in))
}

func (r *mutationResolver) UpdateUser(ctx context.Context, in account.UpdateUser) (*model.UserPayload, error) {
	row, err := r.fleet.Accounts.UpdateUser(ctx, in)
	return payload(row, r.forgetPasswords(err))
}

func (r *mutationResolver) DeleteUser(ctx context.Context, in account.DeleteUser) (*model.DeletePayload, error) {
	return deletePayload(in.ID, r.forgetPasswords(r.fleet.Accounts.DeleteUser(ctx, in)))
}

func (r *mutationResolver) CreateTeam(ctx context.Context, in account.CreateTeam) (*model.TeamPayload, error) {
	return payload(r.fleet.Accounts.CreateTeam(ctx, in))
}

func (r *mutationResolver) UpdateTeam(ctx context.Context, in account.UpdateTeam) (*model.TeamPayload, error) {
	return payload(r.fleet.Accounts.UpdateTeam(ctx, in))
}

func (r *mutationResolver) DeleteTeam(ctx context.Context, in account.DeleteTeam) (*model.DeletePayload, error) {
	return deletePayload(in.ID, r.fleet.Accounts.DeleteTeam(ctx, in))
}

// forgetPasswords clears the cache of verified passwords after a change.
func (r *Resolver) forgetPasswords(err error) error {
	if err == nil {
		r.Guard.Forget()
	}
	return err
}
