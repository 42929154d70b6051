package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/store"
)

// The first user of a new database, as documented since CoreRoller 1.0; the
// password has to be changed.
const (
	firstUser     = "admin"
	firstPassword = "admin"
)

// EnsureFirstUser makes the first user when there is none.
func (s *Service) EnsureFirstUser(ctx context.Context) error {
	who, err := require(ctx, auth.Own)
	if err != nil {
		return err
	}
	there, err := s.store.Reader().User.Query().Exist(ctx)
	if err != nil || there {
		return err
	}
	hash, err := s.hashPassword(ctx, firstPassword)
	if err != nil {
		return err
	}
	v := verb{name: "createUser", by: who, object: "user", id: store.NewID(s.now()), unique: "username"}
	err = s.change(ctx, v, func(c *change) error { return c.createUser(firstUser, hash) })
	if CodeOf(err) == Conflict { // another process was faster
		return nil
	}
	return err
}

// CreateUser is the input of Service.CreateUser.
type CreateUser struct {
	Username string
	Password string // to be changed at the first sign-in
}

// CreateUser lets somebody else sign in.
func (s *Service) CreateUser(ctx context.Context, in CreateUser) (*db.User, error) {
	who, err := require(ctx, auth.Own)
	if err != nil {
		return nil, err
	}
	var p problems
	name := p.name("username", in.Username, maxName)
	p.password("password", in.Password)
	if err := p.err(); err != nil {
		return nil, err
	}
	hash, err := s.hashPassword(ctx, in.Password)
	if err != nil {
		return nil, err
	}
	v := verb{name: "createUser", by: who, object: "user", id: store.NewID(s.now()), unique: "username"}
	if err := s.change(ctx, v, func(c *change) error { return c.createUser(name, hash) }); err != nil {
		return nil, err
	}
	return s.store.Reader().User.Get(ctx, v.id)
}

func (c *change) createUser(name, hash string) error {
	row, err := c.tx.Client().User.Create().SetID(c.id).SetTeamID(c.team()).SetCreatedAt(c.now).
		SetUsername(name).SetPasswordHash(hash).SetMustChangePassword(true).Save(c.ctx)
	return c.saved(row, err)
}

// DeleteUser is the input of Service.DeleteUser.
type DeleteUser struct{ ID uuid.UUID }

// DeleteUser takes somebody's access away at once. The last user stays.
func (s *Service) DeleteUser(ctx context.Context, in DeleteUser) error {
	who, err := require(ctx, auth.Own)
	if err != nil {
		return err
	}
	v := verb{name: "deleteUser", by: who, object: "user", id: in.ID}
	return s.change(ctx, v, func(c *change) error {
		row, err := c.tx.Client().User.Get(ctx, in.ID)
		if err != nil {
			return found(err, "id", "user")
		}
		c.before = row
		others, err := c.tx.Client().User.Query().Where(user.IDNEQ(in.ID)).Exist(ctx)
		if err != nil {
			return err
		}
		if !others {
			return Errorf(Conflict, "id", "the last user cannot be deleted: nobody could sign in any more")
		}
		return c.tx.Client().User.DeleteOneID(in.ID).Exec(ctx)
	})
}
