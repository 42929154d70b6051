package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/fault"
)

const (
	// chunk is how many entries of a list are in memory at once, for any page size.
	chunk = 500
)

// Page is the requested part of a list.
type Page struct{ Skip, Limit int }

// Params are the query parameters of a request. They are read by name; Err is the
// problem that was found first.
type Params struct {
	url.Values
	Err error
}

// ParamsOf returns the query parameters of a request.
func ParamsOf(r *http.Request) *Params { return &Params{Values: r.URL.Query()} }

// Refuse records the problem of a parameter, unless there is one already.
func (q *Params) Refuse(name, problem string) {
	if q.Err == nil {
		q.Err = fault.Errorf(fault.Invalid, name, "%s", problem)
	}
}

// Page reads the parameters page (from 1) and perpage, with a default page size. 0 and
// absent mean the default.
func (q *Params) Page(perPage int) (p Page) {
	number := max(q.Count("page"), 1) - 1
	if p.Limit = q.Count("perpage"); p.Limit == 0 {
		p.Limit = perPage
	}
	if p.Skip = math.MaxInt / 2; number < p.Skip/p.Limit { // otherwise a page after the end of any list
		p.Skip = number * p.Limit
	}
	return p
}

// Count returns a non-negative integer; 0 when absent.
func (q *Params) Count(name string) int {
	text := q.Get(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		q.Refuse(name, "must be a non-negative integer")
		return 0
	}
	return n
}

// ID returns an id; nil when absent.
func (q *Params) ID(name string) *uuid.UUID {
	text := q.Get(name)
	if text == "" {
		return nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		q.Refuse(name, "must be an id")
	}
	return &id
}

// Text returns text that is compared with a column.
func (q *Params) Text(name string) string {
	text := q.Get(name)
	if !Storable(text) {
		q.Refuse(name, "must be UTF-8 text")
	}
	return text
}

// Storable reports whether the databases can store the text; a query with any other
// text fails.
func Storable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}

// Time returns a time; nil when absent.
func (q *Params) Time(name string) *time.Time {
	text := q.Get(name)
	if text == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, strings.ReplaceAll(text, " ", "+")) // an unescaped plus sign arrives as a space
	if err != nil {
		q.Refuse(name, "must be an RFC 3339 time such as 2026-03-02T10:00:00Z")
	}
	if t = t.UTC(); t.Year() < 1970 {
		t = time.Unix(0, 0).UTC()
	}
	return &t
}

// List is a page that is read in chunks.
type List struct {
	limit int
	// next reads up to n more entries; fewer mean the end of the list.
	next func(ctx context.Context, n int) ([]any, error)
	Max  int            // maximum entries of a chunk, 0 = chunk
	In   *Envelope      // nil: the response is a bare array
	Done func(last any) // called with the last entry of a full page; may be nil
}

// Envelope is an object with a list and its length.
type Envelope struct {
	Name string // of the list
	// End returns the other fields, given the number of entries that were sent.
	End func(count int) map[string]any
}

// ListOf returns a list of values of one type.
func ListOf[T any](limit int, next func(ctx context.Context, n int) ([]T, error)) List {
	return List{limit: limit, next: func(ctx context.Context, n int) ([]any, error) {
		rows, err := next(ctx, n)
		all := make([]any, len(rows))
		for i := range rows {
			all[i] = rows[i]
		}
		return all, err
	}}
}

// stream serves a route whose response is a list, with one chunk in memory
// at a time. The first chunk is read before the status is sent, so that it can
// still fail with an error; later failures abort the connection.
func (s *Server) stream(f func(r *http.Request) (List, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l, err := limited(r, func(ctx context.Context) (List, error) { return f(r.WithContext(ctx)) })
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		if l.Max == 0 {
			l.Max = chunk
		}
		sent := 0
		for more := true; more; {
			n := min(l.limit-sent, l.Max)
			rows, err := limited(r, func(ctx context.Context) ([]any, error) { return l.next(ctx, n) })
			if err == nil {
				err = l.write(w, rows, sent)
			}
			switch {
			case err != nil && sent == 0:
				s.refuse(w, r, err)
				return
			case err != nil:
				s.Log.WarnContext(r.Context(), "rest list aborted", "request", s.RequestID(r.Context()), "route", r.Pattern, "err", err)
				panic(http.ErrAbortHandler)
			}
			sent += len(rows)
			more = len(rows) == n && sent < l.limit
			if !more && sent == l.limit && l.Done != nil {
				l.Done(rows[len(rows)-1])
			}
		}
		_, _ = w.Write(l.end(sent)) //nolint:gosec // G705: JSON, sent as such
	})
}

func (l *List) begin() string {
	if l.In == nil {
		return "["
	}
	return `{"` + l.In.Name + `":[`
}

func (l *List) end(sent int) []byte {
	if l.In == nil {
		return []byte("]\n")
	}
	rest, _ := json.Marshal(l.In.End(sent)) // numbers
	return append(append([]byte("],"), rest[1:]...), '\n')
}

// limited calls f with the time limit of a response.
func limited[T any](r *http.Request, f func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	return f(ctx)
}

// write sends one chunk of an array after sent entries. A client that does not
// read it within readTime loses its connection.
func (l *List) write(w http.ResponseWriter, rows []any, sent int) error {
	var b bytes.Buffer
	for i, row := range rows {
		text, err := json.Marshal(row)
		if err != nil {
			return err
		}
		if sent+i > 0 {
			b.WriteString(",\n")
		}
		b.Write(text)
	}
	if sent == 0 {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(l.begin())) //nolint:gosec // G705: JSON, sent as such
	}
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Now().Add(readTime)) // not supported by the recorder of tests
	_, err := w.Write(b.Bytes())
	return err
}

// Cut returns the page of a list whose sorted keys are known.
func Cut[K, T any](p Page, keys []K, read func(ctx context.Context, part []K) ([]T, error)) List {
	keys = keys[min(p.Skip, len(keys)):]
	keys = keys[:min(p.Limit, len(keys))]
	return ListOf(p.Limit, func(ctx context.Context, n int) ([]T, error) {
		part := keys[:min(n, len(keys))]
		keys = keys[len(part):]
		if len(part) == 0 {
			return nil, nil
		}
		return read(ctx, part)
	})
}
