// Package fault holds the expected failures of the service layer: errors whose
// message is for the caller, with a code that each API translates. Every other
// error is wrapped with its operation, and the APIs report it as "internal".
package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/store"
)

// Code is the kind of an expected failure.
type Code string

// The codes of expected failures.
const (
	Invalid         Code = "invalid"
	NotFound        Code = "not_found"
	Conflict        Code = "conflict"
	Forbidden       Code = "forbidden"
	Unauthenticated Code = "unauthenticated"
	Unavailable     Code = "unavailable"  // retry later: the lane is full, the server is stopping, or the database cannot be used
	RateLimited     Code = "rate_limited" // the caller used more than its budget
	// ApprovalRequired is for changes that another person must approve: they can be proposed.
	ApprovalRequired Code = "approval_required"
)

// Error is an expected failure.
type Error struct {
	Code    Code
	Field   string // path in the input, "" when the error concerns all of it
	Message string // lower case, no full stop
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Errorf makes an Error; field may be "".
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of an expected failure, "" for any other error and nil.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if store.Unavailable(err) {
		return Unavailable
	}
	return ""
}

// The messages of errors for which store.Unavailable is true.
const (
	noDatabase = "the database cannot be used now: try again later"
	noRoom     = "nothing can be stored now, because the disk of the database is full: make room, then try again"
)

// All returns the expected failures in err: usually one, several when an input
// has several problems, none for an unexpected error.
func All(err error) []*Error {
	if all := expected(err); all != nil || !store.Unavailable(err) {
		return all
	}
	text := store.Public(err)
	switch {
	case text != "":
	case store.Full(err):
		text = noRoom
	default:
		text = noDatabase
	}
	return []*Error{Errorf(Unavailable, "", "%s", text)}
}

func expected(err error) []*Error {
	switch e := any(err).(type) {
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() []error }:
		var all []*Error
		for _, one := range e.Unwrap() {
			all = append(all, expected(one)...)
		}
		return all
	case interface{ Unwrap() error }:
		return expected(e.Unwrap())
	}
	return nil
}

// Require is auth.Require, but returns its errors as expected failures. Every read
// begins with it.
func Require(ctx context.Context, least auth.Role) (auth.Principal, error) {
	who, err := auth.Require(ctx, least)
	return who, refused(err)
}

// RequireVerb is auth.RequireVerb, but returns its errors as expected failures. Every
// verb begins with it.
func RequireVerb(ctx context.Context, name string) (auth.Principal, error) {
	who, err := auth.RequireVerb(ctx, name)
	return who, refused(err)
}

// RequireOn is the method of auth.Principal, but returns its error as an expected failure.
func RequireOn(who auth.Principal, verb string, place auth.Place) error {
	return refused(who.RequireOn(verb, place))
}

// RequireSelf is auth.RequireSelf, but returns its errors as expected failures.
func RequireSelf(ctx context.Context) (auth.Principal, error) {
	who, err := auth.RequireSelf(ctx)
	return who, refused(err)
}

func refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, auth.ErrForbidden):
		return Errorf(Forbidden, "", "%s", err)
	}
	return Errorf(Unauthenticated, "", "%s", err)
}

// Missing turns ent's error for a missing row into NotFound for the field that
// named the row. It returns other errors, and nil, unchanged.
func Missing(err error, field, what string) error {
	if db.IsNotFound(err) {
		return Errorf(NotFound, field, "there is no such %s", what)
	}
	return err
}

// maxListed limits the values of a list in a filter.
const maxListed = 1000

// Lengths returns Invalid for the first list, by name, that has too many values for one
// statement. lists are the lengths of the lists of an input.
func Lengths(input string, lists map[string]int) error {
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if lists[name] > maxListed {
			return Errorf(Invalid, input+"."+name, "must have at most %d values, not %d", maxListed, lists[name])
		}
	}
	return nil
}
