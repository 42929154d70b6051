// Package model contains the Go types of the GraphQL schema: scalars,
// enumerations and types that are not table rows. Most of it is generated.
package model

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// InputError is returned for a value that a scalar cannot parse.
type InputError struct{ Message string }

func (e *InputError) Error() string { return e.Message }

func inputError(format string, args ...any) error { return &InputError{fmt.Sprintf(format, args...)} }

// MarshalID writes a UUID.
func MarshalID(id uuid.UUID) graphql.Marshaler { return graphql.MarshalString(id.String()) }

// UnmarshalID reads a UUID.
func UnmarshalID(v any) (uuid.UUID, error) {
	text, ok := v.(string)
	if !ok {
		return uuid.Nil, inputError("must be a UUID")
	}
	// Parse also accepts other forms, such as braces, which are refused here.
	id, err := uuid.Parse(text)
	if err != nil || len(text) != len(id.String()) {
		return uuid.Nil, inputError("%.50q is not a UUID", text)
	}
	return id, nil
}

// MarshalTime writes a time in UTC with microseconds, the precision of the
// databases. The zero time, which means "none", is written as null.
func MarshalTime(t time.Time) graphql.Marshaler {
	if t.IsZero() {
		return graphql.Null
	}
	return graphql.MarshalString(t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano))
}

// UnmarshalTime reads RFC 3339 with any offset.
func UnmarshalTime(v any) (time.Time, error) {
	text, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9000 {
		return time.Time{}, inputError(`must be a time such as "2026-11-23T14:00:00Z"`)
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// MarshalDuration writes ISO 8601.
func MarshalDuration(d time.Duration) graphql.Marshaler {
	return graphql.MarshalString(FormatDuration(d))
}

// UnmarshalDuration reads the formats of ParseDuration.
func UnmarshalDuration(v any) (time.Duration, error) {
	text, ok := v.(string)
	if !ok {
		return 0, errDuration()
	}
	return ParseDuration(text)
}

func errTimeOfDay() error { return inputError(`must be a time of day such as "22:30"`) }

// MarshalTimeOfDay writes minutes after midnight.
func MarshalTimeOfDay(minutes int) graphql.Marshaler {
	return graphql.MarshalString(fmt.Sprintf("%02d:%02d", minutes/60, minutes%60))
}

// UnmarshalTimeOfDay reads minutes after midnight, 24:00 included.
func UnmarshalTimeOfDay(v any) (int, error) {
	text, _ := v.(string)
	h, m, ok := strings.Cut(text, ":")
	if !ok || len(m) != 2 || len(h) == 0 || len(h) > 2 {
		return 0, errTimeOfDay()
	}
	hours, err1 := strconv.ParseUint(h, 10, 8)
	minutes, err2 := strconv.ParseUint(m, 10, 8)
	total := int(hours)*60 + int(minutes)
	if err1 != nil || err2 != nil || minutes > 59 || total > 24*60 {
		return 0, errTimeOfDay()
	}
	return total, nil
}

// MarshalBytes writes a number of bytes as a JSON number. Clients that use
// doubles read it exactly up to 2^53.
func MarshalBytes(n int64) graphql.Marshaler { return graphql.MarshalInt64(n) }

// UnmarshalBytes reads a whole number, which may be text.
func UnmarshalBytes(v any) (int64, error) {
	if f, ok := v.(float64); ok {
		v = strconv.FormatFloat(f, 'f', -1, 64)
	}
	n, err := graphql.UnmarshalInt64(v)
	if err != nil {
		return 0, inputError("must be a whole number of bytes")
	}
	return n, nil
}

// MarshalUpload is never called: files are only sent to the server.
func MarshalUpload(io.Reader) graphql.Marshaler { return graphql.Null }

// UnmarshalUpload takes the file of a multipart request.
func UnmarshalUpload(v any) (io.Reader, error) {
	if file, ok := v.(io.Reader); ok {
		return file, nil
	}
	return nil, inputError("must be a file of a multipart request, and null in its JSON")
}
