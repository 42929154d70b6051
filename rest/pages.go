package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strconv"
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

// pageOf reads the parameters page (from 1) and perpage. As in CoreRoller 1.0,
// 0 and absent mean the default.
func pageOf(q url.Values) (p page, err error) {
	number, err := count(q, "page")
	if err != nil {
		return p, err
	}
	if p.limit, err = count(q, "perpage"); err != nil {
		return p, err
	}
	if p.limit == 0 {
		p.limit = perPage
	}
	number = max(number, 1) - 1
	if p.skip = math.MaxInt / 2; number < p.skip/p.limit { // otherwise a page after the end of any list
		p.skip = number * p.limit
	}
	return p, nil
}

// count returns a parameter that is a non-negative integer; 0 when absent.
func count(q url.Values, name string) (int, error) {
	text := q.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fault.Errorf(fault.Invalid, name, "must be a non-negative integer")
	}
	return n, nil
}

// idIn returns a parameter that is an id; nil when absent.
func idIn(q url.Values, name string) (*uuid.UUID, error) {
	text := q.Get(name)
	if text == "" {
		return nil, nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, name, "must be an id")
	}
	return &id, nil
}

// textIn returns a parameter that is compared with a column.
func textIn(q url.Values, name string) (string, error) {
	text := q.Get(name)
	if !storable(text) {
		return "", fault.Errorf(fault.Invalid, name, "must be UTF-8 text")
	}
	return text, nil
}

// storable reports whether the databases can store the text; a query with any other
// text fails.
func storable(text string) bool {
	return utf8.ValidString(text) && !bytes.ContainsRune([]byte(text), 0)
}

// timeIn returns a parameter that is a time; nil when absent.
func timeIn(q url.Values, name string) (*time.Time, error) {
	text := q.Get(name)
	if text == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil { // an unescaped plus sign arrives as a space
		t, err = time.Parse(time.RFC3339, string(bytes.ReplaceAll([]byte(text), []byte(" "), []byte("+"))))
	}
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, name, "must be an RFC 3339 time such as 2026-03-02T10:00:00Z")
	}
	t = t.UTC()
	if t.Year() < 1970 {
		t = time.Unix(0, 0).UTC()
	}
	return &t, nil
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
		l, err := begin(r, f)
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
			rows, err := next(r, l, n)
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

func begin(r *http.Request, f func(r *http.Request) (list, error)) (list, error) {
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	return f(r.WithContext(ctx))
}

func next(r *http.Request, l list, n int) ([]any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	return l.next(ctx, n)
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
	defer func() { _ = c.SetWriteDeadline(time.Time{}) }()
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
