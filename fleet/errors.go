package fleet

import (
	"errors"
	"fmt"
)

// Code says what kind of expected failure an Error is. Edges map it once.
type Code string

// The codes of expected failures.
const (
	Invalid         Code = "invalid"
	NotFound        Code = "not_found"
	Conflict        Code = "conflict"
	Forbidden       Code = "forbidden"
	Unauthenticated Code = "unauthenticated"
	Unavailable     Code = "unavailable" // try again later; the lane is full or the server stops
)

// Error is an expected failure, made for the caller to read. Everything else
// that goes wrong is wrapped with its operation and becomes "internal" at the
// edge.
type Error struct {
	Code    Code
	Field   string // path of the input, "" when it is about the whole
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

// CodeOf is the code of an expected failure, "" for any other error and nil.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
