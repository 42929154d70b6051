// Package auth identifies the user behind a request and checks the user's role. It
// compares roles nowhere else.
package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Principal is the user or script that makes a call.
type Principal struct {
	UserID     uuid.UUID
	Name       string    // shown in activity and audit
	TeamID     uuid.UUID // of what the principal creates
	Role       Role      // the highest of Grants
	Grants     []Grant   // see AllGrants
	Credential Credential
	Token      string    // name of the token of a script or link; "" for others
	Until      time.Time // when the session or token expires; zero: never
	// MustChangePassword is set while the documented first password is in use.
	MustChangePassword bool
	// PasswordOnly is set while nothing but the change of the own password is permitted.
	PasswordOnly bool
}

// Credential is how the principal was authenticated. The audit stores it.
type Credential string

// The credentials.
const (
	CredentialBasic   Credential = "basic"
	CredentialSession Credential = "session"
	CredentialToken   Credential = "token"   // a script's token in the Authorization header
	CredentialLink    Credential = "link"    // the token of a link to a wall screen
	CredentialCommand Credential = "command" // the server's own command line
	// CredentialMirror is that of a mirror, which changes what it was set up for.
	CredentialMirror Credential = "mirror"
	// CredentialSingleSignOn is that of the sign-in itself: the session then has its own.
	CredentialSingleSignOn Credential = "single sign-on"
)

// Proof is how the principal was authenticated, with the name of its token, as the audit
// stores it.
func (p Principal) Proof() string {
	if p.Token == "" {
		return string(p.Credential)
	}
	return string(p.Credential) + " " + p.Token
}

// InPerson reports whether the principal is a user who signed in, or the command line: a
// token may not manage tokens and sessions, or it could outlive its own revocation.
func (p Principal) InPerson() bool {
	return p.Credential != CredentialToken && p.Credential != CredentialLink
}

// Errors of Require.
var (
	ErrUnauthenticated = errors.New("sign in first")
	ErrForbidden       = errors.New("not permitted")
)

type key struct{}

// With returns a context that carries the principal.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, key{}, p)
}

// From returns the principal of a context.
func From(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(key{}).(Principal)
	return p, ok
}

// Require returns the principal if it has the role or more, else ErrUnauthenticated
// or an error that wraps ErrForbidden.
func Require(ctx context.Context, least Role) (Principal, error) {
	p, ok := From(ctx)
	switch {
	case !ok:
		return Principal{}, ErrUnauthenticated
	case p.PasswordOnly:
		return p, ErrChangePassword
	case p.Role < least:
		return p, fmt.Errorf("%w: this needs the role %s, and %s has the role %s", ErrForbidden, least, p.Name, p.Role)
	}
	return p, nil
}

// MayManage reports whether the principal may give a role to a user, and change a user
// who has it: only up to its own.
func (p Principal) MayManage(role Role) bool { return role <= p.Role }

// RequireVerb is Require with the least role for a verb or a read, by its name in the
// API. It panics if the table of roles has no such name. It is the first check of a verb;
// the second is RequireOn, once it is known what the verb concerns.
func RequireVerb(ctx context.Context, name string) (Principal, error) {
	least, ok := needs[name]
	if !ok {
		panic("no role is set for " + name)
	}
	return Require(ctx, least)
}

// RequireOn returns an error that wraps ErrForbidden if the principal lacks the role for a
// verb on a place.
func (p Principal) RequireOn(verb string, place Place) error {
	least, has := Needs(verb), p.RoleOn(place)
	switch {
	case has >= least:
		return nil
	case has == 0:
		return fmt.Errorf("%w: this needs the role %s on %s, and %s has none there", ErrForbidden, least, place, p.Name)
	}
	return fmt.Errorf("%w: this needs the role %s on %s, and %s has the role %s there", ErrForbidden, least, place, p.Name, has)
}
