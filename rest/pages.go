package rest

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
	perPage = 500 // default page size
	// chunk is how many entries of a list are in memory at once, for any page size.
	chunk = 500
)

// page is the requested part of a list.
type page struct{ skip, limit int }

// params are the query parameters of a request. They are read by name; err is the
// problem that was found first.
type params struct {
	url.Values
	err error
}

func paramsOf(r *http.Request) *params { return &params{Values: r.URL.Query()} }

func (q *params) refuse(name, problem string) {
	if q.err == nil {
		q.err = fault.Errorf(fault.Invalid, name, "%s", problem)
	}
}

// page reads the parameters page (from 1) and perpage. As in CoreRoller 1.0, 0 and
// absent mean the default.
func (q *params) page() (p page) {
	number := max(q.count("page"), 1) - 1
	if p.limit = q.count("perpage"); p.limit == 0 {
		p.limit = perPage
	}
	if p.skip = math.MaxInt / 2; number < p.skip/p.limit { // otherwise a page after the end of any list
		p.skip = number * p.limit
	}
	return p
}

// count returns a non-negative integer; 0 when absent.
func (q *params) count(name string) int {
	text := q.Get(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		q.refuse(name, "must be a non-negative integer")
		return 0
	}
	return n
}

// id returns an id; nil when absent.
func (q *params) id(name string) *uuid.UUID {
	text := q.Get(name)
	if text == "" {
		return nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		q.refuse(name, "must be an id")
	}
	return &id
}

// text returns text that is compared with a column.
func (q *params) text(name string) string {
	text := q.Get(name)
	if !storable(text) {
		q.refuse(name, "must be UTF-8 text")
	}
	return text
}

// storable reports whether the databases can store the text; a query with any other
// text fails.
func storable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}

// time returns a time; nil when absent.
func (q *params) time(name string) *time.Time {
	text := q.Get(name)
	if text == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, strings.ReplaceAll(text, " ", "+")) // an unescaped plus sign arrives as a space
	if err != nil {
		q.refuse(name, "must be an RFC 3339 time such as 2026-03-02T10:00:00Z")
	}
	if t = t.UTC(); t.Year() < 1970 {
		t = time.Unix(0, 0).UTC()
	}
	return &t
}

// list is a page that is read in chunks.
type list struct {
	limit int
	// next reads up to n more entries; fewer mean the end of the list.
	next func(ctx context.Context, n int) ([]any, error)
	max  int            // maximum entries of a chunk, 0 = chunk
	done func(last any) // called with the last entry of a full page; may be nil
}

// listOf returns a list of values of one type.
func listOf[T any](limit int, next func(ctx context.Context, n int) ([]T, error)) list {
	return list{limit: limit, next: func(ctx context.Context, n int) ([]any, error) {
		rows, err := next(ctx, n)
		all := make([]any, len(rows))
		for i := range rows {
			all[i] = rows[i]
		}
		return all, err
	}}
}

// stream serves a route whose response is a bare array, with one chunk in memory
// at a time. The first chunk is read before the status is sent, so that it can
// still fail with an error; later failures abort the connection.
func (h *Handler) stream(f func(r *http.Request) (list, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l, err := limited(r, func(ctx context.Context) (list, error) { return f(r.WithContext(ctx)) })
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		if l.max == 0 {
			l.max = chunk
		}
		sent := 0
		for more := true; more; {
			n := min(l.limit-sent, l.max)
			rows, err := limited(r, func(ctx context.Context) ([]any, error) { return l.next(ctx, n) })
			if err == nil {
				err = write(w, rows, sent)
			}
			switch {
			case err != nil && sent == 0:
				h.refuse(w, r, err)
				return
			case err != nil:
				h.Log.WarnContext(r.Context(), "rest list aborted", "request", h.RequestID(r.Context()), "route", r.Pattern, "err", err)
				panic(http.ErrAbortHandler)
			}
			sent += len(rows)
			more = len(rows) == n && sent < l.limit
			if !more && sent == l.limit && l.done != nil {
				l.done(rows[len(rows)-1])
			}
		}
		_, _ = w.Write([]byte("]\n"))
	})
}

// limited calls f with the time limit of a response.
func limited[T any](r *http.Request, f func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	return f(ctx)
}

// write sends one chunk of an array after sent entries. A client that does not
// read it within readTime loses its connection.
func write(w http.ResponseWriter, rows []any, sent int) error {
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
		_, _ = w.Write([]byte("["))
	}
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Now().Add(readTime)) // not supported by the recorder of tests
	_, err := w.Write(b.Bytes())
	return err
}

// cut returns the page of a list whose sorted keys are known.
func cut[K, T any](p page, keys []K, read func(ctx context.Context, part []K) ([]T, error)) list {
	keys = keys[min(p.skip, len(keys)):]
	keys = keys[:min(p.limit, len(keys))]
	return listOf(p.limit, func(ctx context.Context, n int) ([]T, error) {
		part := keys[:min(n, len(keys))]
		keys = keys[len(part):]
		if len(part) == 0 {
			return nil, nil
		}
		return read(ctx, part)
	})
}
