package account

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/token"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/store"
)

const (
	minTokenLife = time.Minute
	maxTokenLife = 10 * 365 * 24 * time.Hour // so that forgotten tokens end

	// maxTokens caps the tokens of a user, so that a list is one page.
	maxTokens = 100
	// maxPlaces caps the applications and groups of a token, so that checking a call is quick.
	maxPlaces = 50

	secretLength = 43 // letters and digits of 5 bits each: 215 random bits
	shownLetters = 4  // of the secret, in lists
)

// CreateToken is the input of Service.CreateToken.
type CreateToken struct {
	Username       string    // the user it acts for; "": the caller. Others need the role owner.
	Name           string    // unique per user
	Role           auth.Role // not above the user's; 0: all that the user may do
	Link           bool      // reads one group, for its wall screen; Role is not used
	ApplicationIDs []uuid.UUID
	GroupIDs       []uuid.UUID // without applications and groups: all that the user sees
	ExpiresAt      time.Time   // from a minute to ten years ahead
}

// CreateToken creates a token with which a script acts as a user, within its grants and
// never beyond what the user may do at the time of a call. It returns the secret, of which
// only a hash is stored.
func (s *Service) CreateToken(ctx context.Context, in CreateToken) (row *db.Token, secret string, err error) {
	who, err := inPerson(ctx, "createToken")
	if err != nil {
		return nil, "", err
	}
	owner, err := s.tokenOwner(ctx, who, in.Username)
	if err != nil {
		return nil, "", err
	}
	var p input.Problems
	now := s.now()
	name := p.Name("name", in.Name, input.MaxName)
	if life := in.ExpiresAt.Sub(now); life < minTokenLife || life > maxTokenLife {
		p.Add("expiresAt", "must be at least a minute and at most ten years ahead")
	}
	grants, err := s.tokenGrants(ctx, &p, principal(owner, ""), in)
	if err != nil {
		return nil, "", err
	}
	if err := p.Err(); err != nil {
		return nil, "", err
	}
	secret = newSecret()
	v := change.Verb{Name: "createToken", By: who, Object: "token", ID: store.NewID(now), Unique: "name"}
	err = s.changes.Do(ctx, v, func(c *change.Change) error {
		switch names, err := c.Tx.Client().Token.Query().Where(token.UserID(owner.ID)).Select(token.FieldName).Strings(ctx); {
		case err != nil:
			return err
		case len(names) >= maxTokens:
			return fault.Errorf(fault.Conflict, "name", "a user has at most %d tokens: revoke one first", maxTokens)
		default:
			if err := input.Apart("name", name, names...); err != nil {
				return err
			}
		}
		row, err = c.Tx.Client().Token.Create().SetID(v.ID).SetUserID(owner.ID).SetName(name).SetLink(in.Link).
			SetHash(tokenHash(secret)).SetEnding(secret[len(secret)-shownLetters:]).SetGrants(grants).
			SetCreatedAt(c.Now).SetCreatedBy(who.Name).SetExpiresAt(in.ExpiresAt.UTC().Truncate(time.Microsecond)).Save(ctx)
		return c.Saved(row, err)
	})
	if err != nil {
		return nil, "", err
	}
	row.Edges.User = owner
	return row, secret, nil
}

// tokenOwner reads the user that a new token acts for.
func (s *Service) tokenOwner(ctx context.Context, who auth.Principal, username string) (*db.User, error) {
	if username == "" {
		row, err := s.store.Reader().User.Get(ctx, who.UserID)
		return row, fault.Missing(err, "", "user")
	}
	if _, err := fault.Require(ctx, auth.Owner); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().User.Query().Where(user.Username(username)).Only(ctx)
	return row, fault.Missing(err, "username", "user")
}

// tokenGrants returns the grants of a new token and adds what is wrong with them.
func (s *Service) tokenGrants(ctx context.Context, p *input.Problems, owner auth.Principal, in CreateToken) ([]auth.Grant, error) {
	role := in.Role
	switch {
	case in.Link && (len(in.GroupIDs) != 1 || len(in.ApplicationIDs) > 0):
		p.Add("groupIds", "a link is for exactly one group")
		return nil, nil
	case in.Link:
		role = auth.Viewer
	case role == 0:
		role = auth.Owner
	case role.String() == "":
		p.Add("role", "must be a role")
	case role > owner.Role:
		p.Add("role", "must not be above that of the user, %s", owner.Role)
	}
	if len(in.ApplicationIDs)+len(in.GroupIDs) > maxPlaces {
		p.Add("groupIds", "at most %d applications and groups", maxPlaces)
		return nil, nil
	}
	if len(in.ApplicationIDs)+len(in.GroupIDs) == 0 {
		return []auth.Grant{{Role: role}}, nil
	}
	var grants []auth.Grant
	apps, err := s.store.Reader().Application.Query().Where(application.IDIn(in.ApplicationIDs...), application.DeletedAtIsNil()).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range apps {
		grants = append(grants, auth.Grant{Role: role, Team: a.TeamID, Application: a.ID})
	}
	groups, err := s.store.Reader().Group.Query().Where(group.IDIn(in.GroupIDs...), group.DeletedAtIsNil()).WithApplication().All(ctx)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		grants = append(grants, auth.Grant{Role: role, Team: g.Edges.Application.TeamID, Application: g.ApplicationID, Group: g.ID})
	}
	both := auth.Narrow(owner.AllGrants(), grants)
	for _, id := range in.ApplicationIDs {
		if !slices.ContainsFunc(both, func(g auth.Grant) bool { return g.Application == id }) {
			p.Add("applicationIds", "there is no application %s", id)
		}
	}
	for _, id := range in.GroupIDs {
		if !slices.ContainsFunc(both, func(g auth.Grant) bool { return g.Group == id }) {
			p.Add("groupIds", "there is no group %s", id)
		}
	}
	return grants, nil
}

// RevokeToken is the input of Service.RevokeToken.
type RevokeToken struct{ ID uuid.UUID }

// RevokeToken deletes a token of the caller, or of a user that the caller manages. Its
// open connections end, in every process.
func (s *Service) RevokeToken(ctx context.Context, in RevokeToken) error {
	who, err := inPerson(ctx, "revokeToken")
	if err != nil {
		return err
	}
	v := change.Verb{Name: "revokeToken", By: who, Object: "token", ID: in.ID}
	return s.changes.Do(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().Token.Query().Where(token.ID(in.ID)).WithUser().Only(ctx)
		if err != nil {
			return fault.Missing(err, "id", "token")
		}
		if !ends(who, row.Edges.User) {
			return fault.Errorf(fault.NotFound, "id", "there is no such token")
		}
		c.Before = row
		c.Tx.PublishAccounts()
		return c.Tx.Client().Token.DeleteOne(row).Exec(ctx)
	})
}

// Tokens reads the tokens of the caller by name, or with all those of every user that the
// caller manages. They carry their users.
func (s *Service) Tokens(ctx context.Context, all bool) ([]*db.Token, error) {
	who, err := inPerson(ctx, "tokens")
	if err != nil {
		return nil, err
	}
	query := s.store.Reader().Token.Query().WithUser().Order(token.ByName(), token.ByID())
	if !all {
		return query.Where(token.UserID(who.UserID)).All(ctx)
	}
	if _, err := fault.RequireVerb(ctx, "users"); err != nil {
		return nil, err
	}
	rows, err := query.All(ctx)
	if err != nil {
		return nil, err
	}
	managed := make([]*db.Token, 0, len(rows))
	for _, row := range rows {
		if ends(who, row.Edges.User) {
			managed = append(managed, row)
		}
	}
	return managed, nil
}

// Token returns who acts with a token. An error that wraps auth.ErrUnauthenticated means
// that it was revoked or has expired.
func (s *Service) Token(ctx context.Context, secret string) (auth.Principal, error) {
	row, err := s.store.Reader().Token.Query().Where(token.Hash(tokenHash(secret)), token.ExpiresAtGT(s.now())).WithUser().Only(ctx)
	switch {
	case db.IsNotFound(err):
		return auth.Principal{}, &wrongPassword{fault.Errorf(fault.Unauthenticated, "", "the token was revoked or has expired")}
	case err != nil:
		return auth.Principal{}, err
	}
	p := principal(row.Edges.User, auth.CredentialToken)
	if row.Link {
		p.Credential = auth.CredentialLink
	}
	p.Token, p.Until = row.Name, row.ExpiresAt
	p.Grants = auth.Narrow(p.AllGrants(), row.Grants)
	p.Role = auth.HighestRole(p.Grants)
	s.uses.token(ctx, row, s.now())
	return p, nil
}

// newSecret returns the secret of a new token.
func newSecret() string {
	return auth.TokenPrefix + (rand.Text() + rand.Text())[:secretLength]
}
