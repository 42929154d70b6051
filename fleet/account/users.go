package account

import (
	"cmp"
	"context"
	"slices"

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
	firstUser     = auth.FirstUser
	firstPassword = "admin"
)

// EnsureFirstUser creates the first user with the documented password when there is none.
func (s *Service) EnsureFirstUser(ctx context.Context) error { return s.EnsureFirstUserWith(ctx, "") }

// EnsureFirstUserWith is EnsureFirstUser with a password that only the caller knows, so
// that it need not be changed.
func (s *Service) EnsureFirstUserWith(ctx context.Context, own string) error {
	who, err := fault.Require(ctx, auth.Owner)
	if err != nil {
		return err
	}
	if own != "" {
		if err := CheckFirstPassword(own); err != nil {
			return err
		}
	}
	there, err := s.store.Reader().User.Query().Exist(ctx)
	if err != nil || there {
		return err
	}
	_, err = s.createUser(ctx, who, newUser{firstUser, cmp.Or(own, firstPassword), own == "", who.TeamID, rights{Role: auth.Owner}})
	if fault.CodeOf(err) == fault.Conflict { // another process created it first
		return nil
	}
	return err
}

// CreateUser is the input of Service.CreateUser.
type CreateUser struct {
	Username string
	Password string       // must be changed at the first sign-in
	TeamID   uuid.UUID    // zero: the caller's
	Role     auth.Role    // on the team, an owner's on every team; zero: Grants
	Grants   []auth.Grant // instead of Role
}

// CreateUser creates a user with rights that the caller has, too.
func (s *Service) CreateUser(ctx context.Context, in CreateUser) (*db.User, error) {
	who, err := fault.RequireVerb(ctx, "createUser")
	if err != nil {
		return nil, err
	}
	var p input.Problems
	name := p.Username("username", in.Username)
	newPassword(&p, "password", in.Username, in.Password)
	if err := p.Err(); err != nil {
		return nil, err
	}
	if in.TeamID == uuid.Nil {
		in.TeamID = who.TeamID
	} else if _, err := s.team(ctx, "teamId", in.TeamID); err != nil {
		return nil, err
	}
	if err := fault.RequireOn(who, "createUser", auth.Place{Team: in.TeamID}); err != nil {
		return nil, err
	}
	given, err := s.check(ctx, who, in.TeamID, rights{in.Role, in.Grants})
	if err != nil {
		return nil, err
	}
	return s.createUser(ctx, who, newUser{name, in.Password, true, in.TeamID, given})
}

// newUser is a user to create, whose fields are checked.
type newUser struct {
	name, password string
	mustChange     bool
	team           uuid.UUID
	rights         rights
}

func (s *Service) createUser(ctx context.Context, who auth.Principal, u newUser) (*db.User, error) {
	hash, err := s.hashPassword(ctx, u.password)
	if err != nil {
		return nil, err
	}
	v := change.Verb{Name: "createUser", By: who, Object: "user", ID: store.NewID(s.now()), TeamID: u.team, Unique: "username"}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		if err := userApart(c, "username", u.name); err != nil {
			return err
		}
		row, err := c.Tx.Client().User.Create().SetID(c.ID).SetTeamID(c.Team()).SetCreatedAt(c.Now).
			SetUsername(u.name).SetPasswordHash(hash).SetMustChangePassword(u.mustChange).SetRole(u.rights.Role.String()).SetGrants(u.rights.Grants).Save(ctx)
		return c.Saved(row, err)
	})
	if err != nil {
		return nil, err
	}
	return s.store.Reader().User.Get(ctx, v.ID)
}

// userApart returns Conflict if a new name looks like that of another user.
func userApart(c *change.Change, field, name string) error {
	names, err := c.Tx.Client().User.Query().Where(user.IDNEQ(c.ID)).Select(user.FieldUsername).Strings(c.Ctx)
	if err != nil {
		return err
	}
	return input.Apart(field, name, names...)
}

// UpdateUser is the input of Service.UpdateUser.
type UpdateUser struct {
	ID     uuid.UUID
	Role   auth.Role    // as in CreateUser
	Grants []auth.Grant // instead of Role
}

// UpdateUser changes the rights of a user. It applies to open sessions, too. The last
// owner stays an owner.
func (s *Service) UpdateUser(ctx context.Context, in UpdateUser) (*db.User, error) {
	v := change.Verb{Name: "updateUser", Object: "user", ID: in.ID}
	err := s.changeUser(ctx, v, func(c *change.Change, row *db.User) error {
		if err := external(row, "the role"); err != nil {
			return err
		}
		given, err := s.check(ctx, c.By, row.TeamID, rights{in.Role, in.Grants})
		if err != nil {
			return err
		}
		if err := keepsOwner(c, row, given.Role); err != nil {
			return err
		}
		return c.Saved(c.Tx.Client().User.UpdateOne(row).SetRole(given.Role.String()).SetGrants(given.Grants).Save(ctx))
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
		if !manages(c.By, row.TeamID) {
			return fault.Errorf(fault.NotFound, "id", "there is no such user")
		}
		c.TeamID = row.TeamID
		if err := below(row, c.By); err != nil {
			return err
		}
		c.Before = row
		c.Tx.PublishAccounts()
		return f(c, row)
	})
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

// Users reads the users of the teams that the caller manages, by name.
func (s *Service) Users(ctx context.Context) ([]*db.User, error) {
	who, err := fault.RequireVerb(ctx, "users")
	if err != nil {
		return nil, err
	}
	rows, err := s.store.Reader().User.Query().Order(user.ByUsername()).All(ctx)
	return slices.DeleteFunc(rows, func(u *db.User) bool { return !manages(who, u.TeamID) }), err
}

// User reads the user with a name, of a team that the caller manages.
func (s *Service) User(ctx context.Context, name string) (*db.User, error) {
	who, err := fault.RequireVerb(ctx, "users")
	if err != nil {
		return nil, err
	}
	row, err := s.store.Reader().User.Query().Where(user.Username(name)).Only(ctx)
	if err == nil && !manages(who, row.TeamID) {
		return nil, fault.Errorf(fault.NotFound, "username", "there is no such user")
	}
	return row, fault.Missing(err, "username", "user")
}
