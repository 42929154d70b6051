package signin

import (
	"context"
	"errors"
	"time"
)

// Provider verifies who signs in with another service.
type Provider interface {
	// ID is the segment of the provider in paths, such as oidc.
	ID() string
	// Name is the text of the button.
	Name() string
	// Issuer is what the provider may name in its answer (RFC 9207), "" if it has no such name.
	Issuer() string
	// Begin returns the page of the provider at which a sign-in begins. The provider sends the
	// browser back to the URL callback.
	Begin(ctx context.Context, a attempt, callback string) (string, error)
	// Finish exchanges the code of a sign-in for the person. The error wraps errRefused or
	// errUntrusted; any other is a fault of the provider.
	Finish(ctx context.Context, a attempt, callback, code string) (person, error)
	// Again reads a person again whose session is in use. The error wraps errRefused if the
	// provider has ended the session. A person without secret has nothing to be checked with.
	Again(ctx context.Context, p person) (person, error)
	// EndURL returns the page that ends the session of a person at the provider, or "".
	EndURL(p person) string
	// Mapping turns the person's values into rights.
	Mapping() Mapping
}

// person is what a provider says about who signs in.
type person struct {
	Issuer, Subject string   // identify the person forever
	Username        string   // may change
	Values          []string // groups, roles or teams, which Mapping turns into rights
	Known           bool     // Username and Values were read; false: only the session was checked

	secret string // a refresh or access token, for Again; "" for none
	hint   string // the ID token, for EndURL
}

// Errors of a provider that are no faults.
var (
	errRefused   = errors.New("the identity provider refused the sign-in")
	errUntrusted = errors.New("the answer of the identity provider failed a check")
)

const (
	// requestTimeout limits a request to a provider, so that a browser does not wait for long.
	requestTimeout = 10 * time.Second
	// clockSkew is how far the clocks of this server and the provider may differ.
	clockSkew = 30 * time.Second
)
