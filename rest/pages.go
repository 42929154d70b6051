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
	perPage = 500 // entries of a page unless told
	// piece is how many entries of a list are in memory at once, however many
	// are asked for.
	piece = 500
)

// page is the part of a list that is asked for.
type page struct{ skip, limit int }

// pageOf reads page (from 1) and perpage; 0 and nothing stand for the default,
// as in CoreRoller 1.0.
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
	if p.skip = math.MaxInt / 2; number < p.skip/p.limit { // else behind the end of any list
		p.skip = number * p.limit
	}
	return p, nil
}

// count is a parameter that is a whole number and not negative; 0 for none.
func count(q url.Values, name string) (int, error) {
	text := q.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fault.Errorf(fault.Invalid, name, "must be a whole number, not negative")
	}
	return n, nil
}

// idIn is a parameter that is an id; nil for none.
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

// textIn is a parameter that a column is compared with.
func textIn(q url.Values, name string) (string, error) {
	text := q.Get(name)
	if !storable(text) {
		return "", fault.Errorf(fault.Invalid, name, "must be UTF-8 text")
	}
	return text, nil
}

// storable reports whether a database could hold the text, and so be asked for it.
func storable(text string) bool {
	return utf8.ValidString(text) && !bytes.ContainsRune([]byte(text), 0)
}

// timeIn is a parameter that is a moment; nil for none.
func timeIn(q url.Values, name string) (*time.Time, error) {
	text := q.Get(name)
	if text == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil { // a plus sign that was not escaped arrives as a blank
		t, err = time.Parse(time.RFC3339, string(bytes.ReplaceAll([]byte(text), []byte(" "), []byte("+"))))
	}
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, name, "must be a moment as in RFC 3339, such as 2026-03-02T10:00:00Z")
	}
	t = t.UTC()
	if t.Year() < 1970 {
		t = time.Unix(0, 0).UTC()
	}
	return &t, nil
}

// list is a page that is read piece by piece.
type list struct {
	limit int
	// next reads up to n more entries; fewer mean that the list ends.
	next func(ctx context.Context, n int) ([]any, error)
	most int            // entries of a piece, 0 = piece
	done func(last any) // the page was filled; nil: nobody wants to know
}

// listOf is a list of values of one type.
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

// stream serves a route whose answer is a bare array. It holds one piece at a
// time. The first one is read before anything is sent, so that what is wrong
// with the request is an error; after that the connection breaks off.
func (h *Handler) stream(f func(r *http.Request) (list, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l, err := begin(r, f)
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		if l.most == 0 {
			l.most = piece
		}
		sent := 0
		for more := true; more; {
			n := min(l.limit-sent, l.most)
			rows, err := next(r, l, n)
			if err == nil {
				err = write(w, rows, sent)
			}
			switch {
			case err != nil && sent == 0:
				h.refuse(w, r, err)
				return
			case err != nil:
				h.Log.WarnContext(r.Context(), "rest list broke off", "request", h.RequestID(r.Context()), "route", r.Pattern, "err", err)
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

// write sends one piece of an array of which some was sent. A client that does
// not read loses its connection.
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
	_ = c.SetWriteDeadline(time.Now().Add(readTime)) // a recorder of tests has none
	defer func() { _ = c.SetWriteDeadline(time.Time{}) }()
	_, err := w.Write(b.Bytes())
	return err
}

// cut is the part of sorted keys that a page shows, read piece by piece.
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
