// Package auth knows who asks and what they may do. It knows no verb of the
// fleet and compares roles nowhere but in Require.
package auth

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// Principal is whoever makes a call.
type Principal struct {
	UserID     uuid.UUID
	Name       string // shown in activity and audit
	TeamID     uuid.UUID
	Credential Credential
	// MustChangePassword is set while the documented first password is in use.
	MustChangePassword bool
}

// Credential says how the principal proved who it is; it is kept in the audit.
type Credential string

// The credentials.
const (
	CredentialBasic   Credential = "basic"
	CredentialSession Credential = "session"
	CredentialToken   Credential = "token"   // a script's, in the header
	CredentialCommand Credential = "command" // the server's own command line
)

// Permission is what a verb needs.
type Permission string

// The permissions. Every signed-in user has all of them until roles exist.
const (
	Read      Permission = "read"
	Operate   Permission = "operate"   // pause, resume, halt, promote, override
	Configure Permission = "configure" // create, change and delete
	Own       Permission = "own"       // users
)

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

// Require returns the principal if it may do what is named, else
// ErrUnauthenticated or ErrForbidden. Every verb of the fleet begins with it.
func Require(ctx context.Context, _ Permission) (Principal, error) {
	p, ok := From(ctx)
	if !ok {
		return Principal{}, ErrUnauthenticated
	}
	return p, nil
}
