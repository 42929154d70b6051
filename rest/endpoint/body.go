package endpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// maxBody limits a request body to ten times a package with every field at its
// limit.
const maxBody = 1 << 20

// Body is a JSON object in a request. Fields are read by name, and all problems
// are collected into one error. Keys are case-insensitive, null equals absent and the Content-Type is ignored.
type Body struct {
	at       string // path of the object with a trailing dot
	fields   map[string]json.RawMessage
	problems *[]error
	Forced   bool // ?force=true
	read     map[string]bool
}

// ReadBody reads the object of a request.
func (s *Server) ReadBody(w http.ResponseWriter, r *http.Request) (*Body, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "", "the request body is incomplete")
	}
	return s.ParseBody(data)
}

// ParseBody reads an object, and refuses the foreign fields of the dialect.
func (d *Dialect) ParseBody(data []byte) (*Body, error) {
	if !utf8.Valid(data) {
		return nil, fault.Errorf(fault.Invalid, "", "the request body is not valid UTF-8")
	}
	b := &Body{problems: new([]error)}
	if err := b.take(data); err != nil {
		return nil, fault.Errorf(fault.Invalid, "", "the request body is not a JSON object")
	}
	for _, name := range slices.Sorted(maps.Keys(d.Foreign)) {
		if b.Has(name) {
			b.Complain(name, "%s", d.Foreign[name])
		}
	}
	return b, nil
}

// Has reports whether a field is present and not null.
func (b *Body) Has(name string) bool {
	raw, sent := b.fields[name]
	return sent && !bytes.Equal(raw, []byte("null"))
}

// Only adds a problem for each field that was not read and is not listed.
func (b *Body) Only(unread ...string) {
	for _, name := range slices.Sorted(maps.Keys(b.fields)) {
		if !b.read[name] && !slices.Contains(unread, name) {
			b.Complain(name, "is not a field of this object")
		}
	}
}

func (b *Body) take(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	b.read = map[string]bool{}
	b.fields = make(map[string]json.RawMessage, len(fields))
	for name, value := range fields {
		lower := strings.ToLower(name)
		if _, taken := b.fields[lower]; !taken || name == lower { // the exact name wins
			b.fields[lower] = value
		}
	}
	return nil
}

// Err returns the problems of the fields read so far.
func (b *Body) Err() error { return errors.Join(*b.problems...) }

// Complain adds a problem of a field.
func (b *Body) Complain(name, format string, args ...any) {
	*b.problems = append(*b.problems, fault.Errorf(fault.Invalid, b.at+name, format, args...))
}

// get decodes a field and reports whether it is present and not null.
func (b *Body) get(name string, v any, kind string) bool {
	b.read[name] = true
	raw, ok := b.fields[name]
	if !ok || bytes.Equal(raw, []byte("null")) {
		return false
	}
	if err := json.Unmarshal(raw, v); err != nil {
		b.Complain(name, "must be %s", kind)
		return false
	}
	return true
}

// Text returns a string, "" for null.
func (b *Body) Text(name string) (v string) {
	b.get(name, &v, "a string")
	return v
}

// Flag returns true or false; false for null.
func (b *Body) Flag(name string) (v bool) {
	b.get(name, &v, "true or false")
	return v
}

// Optional returns a flag, nil when it is absent.
func (b *Body) Optional(name string) *bool {
	var v bool
	if !b.get(name, &v, "true or false") {
		return nil
	}
	return &v
}

// Required reports whether a field is present and not null, else adds a problem.
func (b *Body) Required(name string) bool {
	b.read[name] = true
	raw, ok := b.fields[name]
	if !ok || bytes.Equal(raw, []byte("null")) {
		b.Complain(name, "is missing")
		return false
	}
	return true
}

// Number returns a required integer.
func (b *Body) Number(name string) (v int) {
	if b.Required(name) {
		b.get(name, &v, "an integer")
	}
	return v
}

// Size returns a number of bytes, sent as string or number; 0 when absent.
func (b *Body) Size(name string) int64 {
	var text string
	var number json.Number
	b.read[name] = true
	raw := b.fields[name]
	switch {
	case json.Unmarshal(raw, &text) == nil:
	case json.Unmarshal(raw, &number) == nil:
		text = number.String()
	case raw != nil:
		b.Complain(name, "must be a number of bytes, as a string")
		return 0
	}
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		b.Complain(name, "must be a number of bytes, as a string")
	}
	return n
}

// ID returns an id, nil for null and "".
func (b *Body) ID(name string) *uuid.UUID {
	text := b.Text(name)
	if text == "" {
		return nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		b.Complain(name, "must be an id such as %s, or null", catalog.FlatcarID())
		return nil
	}
	return &id
}

// IDs returns a list of ids, empty for null.
func (b *Body) IDs(name string) []uuid.UUID {
	var texts []string
	b.get(name, &texts, "a list of ids, or null")
	ids := make([]uuid.UUID, 0, len(texts))
	for i, text := range texts {
		id, err := uuid.Parse(text)
		if err != nil {
			b.Complain(fmt.Sprintf("%s[%d]", name, i), "must be an id")
			continue
		}
		ids = append(ids, id)
	}
	return ids
}

// Interval returns a required duration.
func (b *Body) Interval(name string) time.Duration {
	var text string
	if !b.Required(name) || !b.get(name, &text, `a duration such as "15 minutes"`) {
		return 0
	}
	d, ok := ParseInterval(text)
	if !ok {
		b.Complain(name, `must be a duration such as "15 minutes", "1 hour", "1 day" or "00:15:00"`)
	}
	return d
}

// Object returns a nested object, nil for null.
func (b *Body) Object(name string) *Body {
	var raw json.RawMessage
	if !b.get(name, &raw, "an object") {
		return nil
	}
	inner := &Body{at: b.at + name + ".", problems: b.problems}
	if inner.take(raw) != nil {
		b.Complain(name, "must be an object, or null")
		return nil
	}
	return inner
}

// Objects returns a list of objects, empty for null.
func (b *Body) Objects(name string) []*Body {
	var all []json.RawMessage
	b.get(name, &all, "a list of objects, or null")
	list := make([]*Body, 0, len(all))
	for i, raw := range all {
		inner := &Body{at: fmt.Sprintf("%s%s[%d].", b.at, name, i), problems: b.problems}
		if inner.take(raw) != nil {
			b.Complain(fmt.Sprintf("%s[%d]", name, i), "must be an object")
			continue
		}
		list = append(list, inner)
	}
	return list
}

// Policy reads the fields of a group's policy that both APIs have, and returns the change
// of a policy. Other fields keep their value. Both had one number for both caps, so while
// these are equal, a change of maxUpdatesPerPeriod also changes maxConcurrentUpdates.
func (b *Body) Policy() func(rollout.Policy) rollout.Policy {
	enabled, safe, office := b.Flag("policy_updates_enabled"), b.Flag("policy_safe_mode"), b.Flag("policy_office_hours")
	period, timeout := b.Interval("policy_period_interval"), b.Interval("policy_update_timeout")
	updates, timezone := b.Number("policy_max_updates_per_period"), b.Text("policy_timezone")
	return func(p rollout.Policy) rollout.Policy {
		if p.MaxConcurrentUpdates == p.MaxUpdatesPerPeriod {
			p.MaxConcurrentUpdates = updates
		}
		p.MaxUpdatesPerPeriod, p.PeriodInterval, p.UpdateTimeout = updates, period, timeout
		p.UpdatesEnabled, p.SafeMode, p.OfficeHours, p.Timezone = enabled, safe, office, timezone
		return p
	}
}
