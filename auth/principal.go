// Package auth identifies the user behind a request and checks permissions. It
// does not know the operations that need them, and compares permissions only in
// Require.
package auth

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// Principal is the user or script that makes a call.
type Principal struct {
	UserID     uuid.UUID
	Name       string // shown in activity and audit
	TeamID     uuid.UUID
	Credential Credential
	// MustChangePassword is set while the documented first password is in use.
	MustChangePassword bool
}

// Credential is how the principal was authenticated. The audit stores it.
type Credential string

// The credentials.
const (
	CredentialBasic   Credential = "basic"
	CredentialSession Credential = "session"
	CredentialToken   Credential = "token"   // a script's token in the Authorization header
	CredentialCommand Credential = "command" // the server's own command line
)

// Permission is what an operation requires.
type Permission string

// The permissions. Every signed-in user has all of them until roles exist.
const (
	Read      Permission = "read"
	Operate   Permission = "operate"   // pause, resume, halt, promote, override
	Configure Permission = "configure" // create, change and delete
	Own       Permission = "own"       // manage users
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

// Require returns the principal if it has the permission, else
// ErrUnauthenticated or ErrForbidden. Every operation of fleet calls it first.
func Require(ctx context.Context, _ Permission) (Principal, error) {
	p, ok := From(ctx)
	if !ok {
		return Principal{}, ErrUnauthenticated
	}
	return p, nil
}
