package account

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/store"
)

// The first user of a new database, as in CoreRoller 1.0. The password must be
// changed at the first sign-in.
const (
	firstUser     = "admin"
	firstPassword = "admin"
)

// EnsureFirstUser creates the first user when there is none.
func (s *Service) EnsureFirstUser(ctx context.Context) error {
	who, err := fault.Require(ctx, auth.Own)
	if err != nil {
		return err
	}
	there, err := s.store.Reader().User.Query().Exist(ctx)
	if err != nil || there {
		return err
	}
	_, err = s.createUser(ctx, who, firstUser, firstPassword)
	if fault.CodeOf(err) == fault.Conflict { // another process created it first
		return nil
	}
	return err
}

// CreateUser is the input of Service.CreateUser.
type CreateUser struct {
	Username string
	Password string // must be changed at the first sign-in
}

// CreateUser creates a user.
func (s *Service) CreateUser(ctx context.Context, in CreateUser) (*db.User, error) {
	who, err := fault.Require(ctx, auth.Own)
	if err != nil {
		return nil, err
	}
	var p input.Problems
	name := p.Name("username", in.Username, input.MaxName)
	password(&p, "password", in.Password)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return s.createUser(ctx, who, name, in.Password)
}

func (s *Service) createUser(ctx context.Context, who auth.Principal, name, password string) (*db.User, error) {
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return nil, err
	}
	v := change.Verb{Name: "createUser", By: who, Object: "user", ID: store.NewID(s.now()), Unique: "username"}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().User.Create().SetID(c.ID).SetTeamID(c.Team()).SetCreatedAt(c.Now).
			SetUsername(name).SetPasswordHash(hash).SetMustChangePassword(true).Save(ctx)
		return c.Saved(row, err)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Reader().User.Get(ctx, v.ID)
}

// DeleteUser is the input of Service.DeleteUser.
type DeleteUser struct{ ID uuid.UUID }

// DeleteUser deletes a user and ends the sessions and tokens at once. The last
// user cannot be deleted.
func (s *Service) DeleteUser(ctx context.Context, in DeleteUser) error {
	who, err := fault.Require(ctx, auth.Own)
	if err != nil {
		return err
	}
	v := change.Verb{Name: "deleteUser", By: who, Object: "user", ID: in.ID}
	return s.changes.Do(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().User.Get(ctx, in.ID)
		if err != nil {
			return fault.Missing(err, "id", "user")
		}
		c.Before = row
		others, err := c.Tx.Client().User.Query().Where(user.IDNEQ(in.ID)).Exist(ctx)
		if err != nil {
			return err
		}
		if !others {
			return fault.Errorf(fault.Conflict, "id", "the last user cannot be deleted: no one could sign in any more")
		}
		return c.Tx.Client().User.DeleteOneID(in.ID).Exec(ctx)
	})
}

// Me reads the user of the caller; nil without a principal and for the command
// line.
func (s *Service) Me(ctx context.Context) (*db.User, error) {
	who, ok := auth.From(ctx)
	if !ok {
		return nil, nil
	}
	row, err := s.store.Reader().User.Get(ctx, who.UserID)
	if db.IsNotFound(err) {
		return nil, nil
	}
	return row, err
}

// Users reads all users by name.
func (s *Service) Users(ctx context.Context) ([]*db.User, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return nil, err
	}
	return s.store.Reader().User.Query().Order(user.ByUsername()).All(ctx)
}

// User reads the user with a name.
func (s *Service) User(ctx context.Context, name string) (*db.User, error) {
	if _, err := fault.Require(ctx, auth.Read); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().User.Query().Where(user.Username(name)).Only(ctx)
	return row, fault.Missing(err, "username", "user")
}
