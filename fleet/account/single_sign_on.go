package account

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/team"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/store"
)

// singleSignOnLife is the longest session of a user of an identity provider. The provider cannot
// end a session after a restart of this process, so it must not last for weeks.
const singleSignOnLife = 12 * time.Hour

// maxIdentity limits the text of an identity.
const maxIdentity = 1024

// TeamRole is a role that an identity provider gives a user.
type TeamRole struct {
	Role auth.Role
	Team string // name; "" forevery team
}

// Identified is what an identity provider says about who signs in.
type Identified struct {
	Issuer, Subject string // the same person forever
	Username        string
	Rights          []TeamRole
	Existing        bool // do not create the user: it may have been deleted meanwhile
}

// The fields of the errors of Identify, by which a page chooses its text.
const (
	FieldRights   = "rights"
	FieldUsername = "username"
)

// Identify returns the user of an identity that a provider verified, after creating the user or
// replacing the rights and the name. It is Forbidden without rights, and a Conflict when another
// user has the name: that user is never taken over. Such failures are in the audit.
func (s *Service) Identify(ctx context.Context, in Identified) (auth.Principal, error) {
	row, err := s.identify(ctx, in)
	if code := fault.CodeOf(err); code == fault.Conflict || code == fault.Forbidden || code == fault.Invalid {
		s.countFailed(ctx, failedSignIn{name: cleanName(in.Username), address: auth.Address(ctx), credential: auth.CredentialSingleSignOn, reason: err.Error()})
	}
	if err != nil {
		return auth.Principal{}, err
	}
	return principal(row, auth.CredentialSingleSignOn), nil
}

func (s *Service) identify(ctx context.Context, in Identified) (row *db.User, err error) {
	var p input.Problems
	if in.Username = strings.TrimSpace(in.Username); in.Username == "" {
		p.Add(FieldUsername, "is missing")
	}
	identity := in.Issuer + " " + in.Subject
	if in.Issuer == "" || in.Subject == "" {
		p.Add("subject", "is missing")
	}
	p.Characters("subject", identity, maxIdentity)
	if err := p.Err(); err != nil {
		return nil, err
	}
	grants, err := s.grantsFor(ctx, in.Rights)
	if err != nil {
		return nil, err
	}
	for range change.MaxTries { // another process may create the same user
		v := change.Verb{Name: "updateUser", Object: "user", Unique: FieldUsername}
		err = s.changes.Do(ctx, v, func(c *change.Change) error {
			row, err = enter(c, identity, in, grants)
			return err
		})
		if fault.CodeOf(err) != fault.Conflict || row != nil {
			return row, err
		}
	}
	return nil, err
}

// enter creates or changes the user of an identity. On a Conflict with another user it returns
// that user, too.
func enter(c *change.Change, identity string, in Identified, grants []auth.Grant) (*db.User, error) {
	users := c.Tx.Client().User
	named, err := users.Query().Where(user.Username(in.Username)).Only(c.Ctx)
	if err != nil && !db.IsNotFound(err) {
		return nil, err
	}
	if err == nil && (named.Identity == nil || *named.Identity != identity) {
		return named, nameTaken(named)
	}
	row, err := users.Query().Where(user.Identity(identity)).Only(c.Ctx)
	if db.IsNotFound(err) && !in.Existing || err == nil && row.Username != in.Username {
		if err := checkNewName(c, row, in.Username); err != nil {
			return nil, err
		}
	}
	switch {
	case db.IsNotFound(err) && in.Existing:
		return nil, fault.Errorf(fault.NotFound, "", "the user was deleted")
	case db.IsNotFound(err):
		c.Name = "createUser"
		row, err = users.Create().SetID(store.NewID(c.Now)).SetTeamID(cmp.Or(grants[0].Team, c.Team())).SetCreatedAt(c.Now).
			SetUsername(in.Username).SetPasswordHash("").SetIdentity(identity).
			SetRole(auth.HighestRole(grants).String()).SetGrants(grants).Save(c.Ctx)
	case err == nil:
		role, own := auth.HighestRole(grants).String(), cmp.Or(grants[0].Team, row.TeamID)
		if row.Username == in.Username && row.Role == role && row.TeamID == own && slices.Equal(row.Grants, grants) {
			return row, change.ErrUnchanged
		}
		c.Before = row
		c.Tx.PublishAccounts()
		row, err = users.UpdateOne(row).SetUsername(in.Username).SetTeamID(own).SetRole(role).SetGrants(grants).Save(c.Ctx)
	}
	if err != nil {
		return nil, err
	}
	c.By, c.ID, c.TeamID, c.After = principal(row, auth.CredentialSingleSignOn), row.ID, row.TeamID, row
	return row, nil
}

// checkNewName checks the name that a provider gives a new user, or the user of a row
// whose name changed there. Users from before this check keep their names.
func checkNewName(c *change.Change, row *db.User, name string) error {
	var p input.Problems
	if p.Username(FieldUsername, name); p.Err() != nil {
		return p.Err()
	}
	if row != nil {
		c.ID = row.ID
	}
	return userApart(c, FieldUsername, name)
}

func nameTaken(by *db.User) error {
	whose := "a user with a password"
	if by.Identity != nil {
		whose = "another user of single sign-on"
	}
	return fault.Errorf(fault.Conflict, FieldUsername, "the name %q belongs to %s: an administrator must remove that user first", by.Username, whose)
}

// grantsFor returns the grants for roles, in the order of the rules. A team that does not exist
// gives nothing.
func (s *Service) grantsFor(ctx context.Context, rights []TeamRole) ([]auth.Grant, error) {
	var all []auth.Grant
	for _, r := range rights {
		g := auth.Grant{Role: r.Role}
		if r.Team != "" {
			id, err := s.store.Reader().Team.Query().Where(team.Name(r.Team)).OnlyID(ctx)
			if db.IsNotFound(err) {
				s.log.WarnContext(ctx, "a rule of single sign-on names a team that does not exist", "team", r.Team)
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("find the team of a rule: %w", err)
			}
			g.Team = id
		}
		if !slices.Contains(all, g) && len(all) < maxGrants {
			all = append(all, g)
		}
	}
	if len(all) == 0 {
		return nil, fault.Errorf(fault.Forbidden, FieldRights, "the identity provider gives no role on this server")
	}
	return all, nil
}

// EndSessionOf ends the session of a token for a reason, which the audit keeps. The token itself is
// the permission.
func (s *Service) EndSessionOf(ctx context.Context, token, reason string) error {
	return s.endSession(ctx, token, reason)
}

// external returns Conflict for a user that an identity provider changes instead.
func external(row *db.User, what string) error {
	if row.Identity == nil {
		return nil
	}
	return fault.Errorf(fault.Conflict, "", "%s signs in with an identity provider, which sets %s", row.Username, what)
}

// IsExternal reports whether a user signs in with an identity provider.
func IsExternal(u *db.User) bool { return u.Identity != nil }
