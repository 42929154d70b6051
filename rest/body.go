package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
)

// maxBody limits a request body to ten times a package with every field at its
// limit.
const maxBody = 1 << 20

// body is a JSON object in a request. Fields are read by name, and all problems
// are collected into one error. As in CoreRoller 1.0 keys are case-insensitive,
// unknown keys are ignored, null equals absent and the Content-Type is ignored.
type body struct {
	at       string // path of the object with a trailing dot
	fields   map[string]json.RawMessage
	problems *[]error
	forced   bool // ?force=true
}

// readBody reads the object of a request.
func readBody(w http.ResponseWriter, r *http.Request) (*body, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "", "the request body is incomplete")
	}
	return parseBody(data)
}

func parseBody(data []byte) (*body, error) {
	if !utf8.Valid(data) {
		return nil, fault.Errorf(fault.Invalid, "", "the request body is not valid UTF-8")
	}
	b := &body{problems: new([]error)}
	if err := b.take(data); err != nil {
		return nil, fault.Errorf(fault.Invalid, "", "the request body is not a JSON object")
	}
	for _, name := range nebraskas {
		if raw, sent := b.fields[name]; sent && !bytes.Equal(raw, []byte("null")) {
			b.complain(name, "%s is a field of Nebraska; this API is that of CoreRoller 1.0, which has none: use GraphQL for it", name)
		}
	}
	return b, nil
}

// nebraskas are the fields that Nebraska added to these objects. To ignore one would change
// what machines get: the payload of one architecture would go to another.
var nebraskas = []string{"arch", "extra_files", "flatcar_action", "product_id", "track"}

func (b *body) take(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	b.fields = make(map[string]json.RawMessage, len(fields))
	for name, value := range fields {
		lower := strings.ToLower(name)
		if _, taken := b.fields[lower]; !taken || name == lower { // the exact name wins
			b.fields[lower] = value
		}
	}
	return nil
}

// err returns the problems of the fields read so far.
func (b *body) err() error { return errors.Join(*b.problems...) }

func (b *body) complain(name, format string, args ...any) {
	*b.problems = append(*b.problems, fault.Errorf(fault.Invalid, b.at+name, format, args...))
}

// get decodes a field and reports whether it is present and not null.
func (b *body) get(name string, v any, kind string) bool {
	raw, ok := b.fields[name]
	if !ok || bytes.Equal(raw, []byte("null")) {
		return false
	}
	if err := json.Unmarshal(raw, v); err != nil {
		b.complain(name, "must be %s", kind)
		return false
	}
	return true
}

// text returns a string, "" for null.
func (b *body) text(name string) (v string) {
	b.get(name, &v, "a string")
	return v
}

func (b *body) flag(name string) (v bool) {
	b.get(name, &v, "true or false")
	return v
}

// optional returns a flag, nil when it is absent.
func (b *body) optional(name string) *bool {
	var v bool
	if !b.get(name, &v, "true or false") {
		return nil
	}
	return &v
}

// required reports whether a field is present and not null, else adds a problem.
func (b *body) required(name string) bool {
	raw, ok := b.fields[name]
	if !ok || bytes.Equal(raw, []byte("null")) {
		b.complain(name, "is missing")
		return false
	}
	return true
}

func (b *body) number(name string) (v int) {
	if b.required(name) {
		b.get(name, &v, "an integer")
	}
	return v
}

// size returns a number of bytes, sent as string or number; 0 when absent.
func (b *body) size(name string) int64 {
	var text string
	var number json.Number
	raw := b.fields[name]
	switch {
	case json.Unmarshal(raw, &text) == nil:
	case json.Unmarshal(raw, &number) == nil:
		text = number.String()
	case raw != nil:
		b.complain(name, "must be a number of bytes, as a string")
		return 0
	}
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		b.complain(name, "must be a number of bytes, as a string")
	}
	return n
}

// id returns an id, nil for null and "".
func (b *body) id(name string) *uuid.UUID {
	text := b.text(name)
	if text == "" {
		return nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		b.complain(name, "must be an id such as %s, or null", catalog.FlatcarID())
		return nil
	}
	return &id
}

// ids returns a list of ids, empty for null.
func (b *body) ids(name string) []uuid.UUID {
	var texts []string
	b.get(name, &texts, "a list of ids, or null")
	ids := make([]uuid.UUID, 0, len(texts))
	for i, text := range texts {
		id, err := uuid.Parse(text)
		if err != nil {
			b.complain(fmt.Sprintf("%s[%d]", name, i), "must be an id")
			continue
		}
		ids = append(ids, id)
	}
	return ids
}

// interval returns a required duration.
func (b *body) interval(name string) time.Duration {
	var text string
	if !b.required(name) || !b.get(name, &text, `a duration such as "15 minutes"`) {
		return 0
	}
	d, ok := parseInterval(text)
	if !ok {
		b.complain(name, `must be a duration such as "15 minutes", "1 hour", "1 day" or "00:15:00"`)
	}
	return d
}

// object returns a nested object, nil for null.
func (b *body) object(name string) *body {
	var raw json.RawMessage
	if !b.get(name, &raw, "an object") {
		return nil
	}
	inner := &body{at: b.at + name + ".", problems: b.problems}
	if inner.take(raw) != nil {
		b.complain(name, "must be an object, or null")
		return nil
	}
	return inner
}
