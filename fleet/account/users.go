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
	who, err := fault.Require(ctx, auth.Owner)
	if err != nil {
		return err
	}
	there, err := s.store.Reader().User.Query().Exist(ctx)
	if err != nil || there {
		return err
	}
	_, err = s.createUser(ctx, who, firstUser, firstPassword, auth.Owner)
	if fault.CodeOf(err) == fault.Conflict { // another process created it first
		return nil
	}
	return err
}

// CreateUser is the input of Service.CreateUser.
type CreateUser struct {
	Username string
	Password string // must be changed at the first sign-in
	Role     auth.Role
}

// CreateUser creates a user with a role that the caller has, too.
func (s *Service) CreateUser(ctx context.Context, in CreateUser) (*db.User, error) {
	who, err := fault.RequireVerb(ctx, "createUser")
	if err != nil {
		return nil, err
	}
	var p input.Problems
	name := p.Name("username", in.Username, input.MaxName)
	password(&p, "password", in.Password)
	grantable(&p, who, in.Role)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return s.createUser(ctx, who, name, in.Password, in.Role)
}

// grantable checks that the caller has a role that a user is given.
func grantable(p *input.Problems, who auth.Principal, role auth.Role) {
	switch {
	case role.String() == "":
		p.Add("role", "must be a role")
	case !who.MayManage(role):
		p.Add("role", "must not be above your own, %s", who.Role)
	}
}

func (s *Service) createUser(ctx context.Context, who auth.Principal, name, password string, role auth.Role) (*db.User, error) {
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return nil, err
	}
	v := change.Verb{Name: "createUser", By: who, Object: "user", ID: store.NewID(s.now()), Unique: "username"}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().User.Create().SetID(c.ID).SetTeamID(c.Team()).SetCreatedAt(c.Now).
			SetUsername(name).SetPasswordHash(hash).SetMustChangePassword(true).SetRole(role.String()).Save(ctx)
		return c.Saved(row, err)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Reader().User.Get(ctx, v.ID)
}

// UpdateUser is the input of Service.UpdateUser.
type UpdateUser struct {
	ID   uuid.UUID
	Role auth.Role
}

// UpdateUser changes the role of a user. It applies to open sessions, too. The last
// owner stays an owner.
func (s *Service) UpdateUser(ctx context.Context, in UpdateUser) (*db.User, error) {
	v := change.Verb{Name: "updateUser", Object: "user", ID: in.ID}
	err := s.changeUser(ctx, v, func(c *change.Change, row *db.User) error {
		var p input.Problems
		if grantable(&p, c.By, in.Role); p.Err() != nil {
			return p.Err()
		}
		if err := keepsOwner(c, row, in.Role); err != nil {
			return err
		}
		return c.Saved(c.Tx.Client().User.UpdateOne(row).SetRole(in.Role.String()).Save(ctx))
	})
	if err != nil {
		return nil, err
	}
	return s.store.Reader().User.Get(ctx, in.ID)
}

// DeleteUser is the input of Service.DeleteUser.
type DeleteUser struct{ ID uuid.UUID }

// DeleteUser deletes a user and ends the sessions and tokens at once. The last owner
// cannot be deleted.
func (s *Service) DeleteUser(ctx context.Context, in DeleteUser) error {
	v := change.Verb{Name: "deleteUser", Object: "user", ID: in.ID}
	return s.changeUser(ctx, v, func(c *change.Change, row *db.User) error {
		if err := keepsOwner(c, row, 0); err != nil {
			return err
		}
		return c.Tx.Client().User.DeleteOneID(in.ID).Exec(ctx)
	})
}

// changeUser changes a user whose role is not above the caller's.
func (s *Service) changeUser(ctx context.Context, v change.Verb, f func(*change.Change, *db.User) error) (err error) {
	if v.By, err = fault.RequireVerb(ctx, v.Name); err != nil {
		return err
	}
	return s.changes.Do(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().User.Get(ctx, v.ID)
		if err != nil {
			return fault.Missing(err, "id", "user")
		}
		if err := below(row, c.By); err != nil {
			return err
		}
		c.Before = row
		c.Tx.PublishAccounts()
		return f(c, row)
	})
}

// below returns Forbidden for a user with more rights than the caller.
func below(row *db.User, who auth.Principal) error {
	if role, _ := auth.ParseRole(row.Role); !who.MayManage(role) {
		return fault.Errorf(fault.Forbidden, "", "%s has the role %s, and you have the role %s", row.Username, role, who.Role)
	}
	return nil
}

// keepsOwner returns Conflict if no owner is left when a user gets another role.
func keepsOwner(c *change.Change, row *db.User, role auth.Role) error {
	if row.Role != auth.Owner.String() || role == auth.Owner {
		return nil
	}
	// The update changes nothing but locks all owners, so that two of them cannot give up
	// the role at the same time.
	owners, err := c.Tx.Client().User.Update().Where(user.Role(row.Role)).SetRole(row.Role).Save(c.Ctx)
	if err == nil && owners == 1 {
		err = fault.Errorf(fault.Conflict, "id", "%s is the last owner: make another user an owner first", row.Username)
	}
	return err
}

// Me reads the user of the caller; nil without a principal, for the command line and for
// a link, whose readers need not know who made it.
func (s *Service) Me(ctx context.Context) (*db.User, error) {
	who, ok := auth.From(ctx)
	if !ok || who.Credential == auth.CredentialLink {
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
	if _, err := fault.RequireVerb(ctx, "users"); err != nil {
		return nil, err
	}
	return s.store.Reader().User.Query().Order(user.ByUsername()).All(ctx)
}

// User reads the user with a name.
func (s *Service) User(ctx context.Context, name string) (*db.User, error) {
	if _, err := fault.RequireVerb(ctx, "users"); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().User.Query().Where(user.Username(name)).Only(ctx)
	return row, fault.Missing(err, "username", "user")
}
