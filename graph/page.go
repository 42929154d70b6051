package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/graph/model"
)

const (
	defaultFirst = 50
	maxFirst     = 500
	// maxCounted is the maximum of totalCount for lists without counters.
	maxCounted = 1000
)

// limit returns the page size for the argument `first`.
func limit(first *int) (int, error) {
	switch {
	case first == nil:
		return defaultFirst, nil
	case *first < 0:
		return 0, fault.Errorf(fault.Invalid, "first", "must not be negative")
	}
	return min(*first, maxFirst), nil
}

// place is the position of an entry in a list: its values of the sort columns.
type place []any

// cursor encodes a place for clients.
func (p place) cursor() string {
	data, err := json.Marshal(p)
	if err != nil { // impossible for strings, numbers, ids and times
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// readCursor decodes a cursor into pointers to the values.
func readCursor(text string, values ...any) error {
	bad := fault.Errorf(fault.Invalid, "after", "is not a cursor of this list")
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return bad
	}
	var parts []json.RawMessage
	if json.Unmarshal(data, &parts) != nil || len(parts) != len(values) {
		return bad
	}
	for i, part := range parts {
		if json.Unmarshal(part, values[i]) != nil {
			return bad
		}
		if text, ok := values[i].(*string); ok && strings.ContainsRune(*text, 0) {
			return bad // PostgreSQL cannot store NUL
		}
	}
	return nil
}

// page is one page of a list.
type page[T any] struct {
	rows  []T
	info  *model.PageInfo
	total int
	at    func(T) place
}

// order is a sort order: the place of an entry, and the condition for entries
// after a cursor.
type order[T any] struct {
	at    func(T) place
	after func(cursor string) (func(*sql.Selector), error)
}

// newestID sorts by descending id. Ids are UUIDs of version 7 (RFC 9562), which
// sort by time.
func newestID[T any](id func(T) uuid.UUID) order[T] {
	return order[T]{
		at: func(row T) place { return place{id(row)} },
		after: func(cursor string) (func(*sql.Selector), error) {
			var last uuid.UUID
			err := readCursor(cursor, &last)
			return func(s *sql.Selector) { s.Where(sql.LT(s.C("id"), last)) }, err
		},
	}
}

// newestCreated sorts by descending created_at, for rows whose ids may be
// imported.
func newestCreated[T any](key func(T) (time.Time, uuid.UUID)) order[T] {
	return order[T]{
		at: func(row T) place {
			at, id := key(row)
			return place{at.UTC(), id}
		},
		after: func(cursor string) (func(*sql.Selector), error) {
			var at time.Time
			var id uuid.UUID
			err := readCursor(cursor, &at, &id)
			return func(s *sql.Selector) { s.Where(sql.CompositeLT([]string{s.C("created_at"), s.C("id")}, at, id)) }, err
		},
	}
}

// readPage reads a page. rows returns the first n entries of the sorted list that
// match the condition. ids returns the ids of the whole list up to a limit; it is
// called only when totalCount is selected.
func readPage[T any](ctx context.Context, first *int, after *string, o order[T],
	ids func(context.Context) ([]uuid.UUID, error), rows func(after func(*sql.Selector), n int) ([]T, error),
) (page[T], error) {
	n, err := limit(first)
	if err != nil {
		return page[T]{}, err
	}
	condition := func(*sql.Selector) {}
	if after != nil {
		if condition, err = o.after(*after); err != nil {
			return page[T]{}, err
		}
	}
	read, err := rows(condition, n+1)
	if err != nil {
		return page[T]{}, err
	}
	p := pageOf(read, n, after, o.at)
	if ids != nil && asked(ctx, "totalCount") {
		all, err := ids(ctx)
		if err != nil {
			return page[T]{}, err
		}
		p.total = len(all)
	}
	return p, nil
}

// pageOf returns a page of n entries from up to n+1 entries that were read.
func pageOf[T any](read []T, n int, after *string, at func(T) place) page[T] {
	p := page[T]{rows: read[:min(n, len(read))], at: at}
	p.info = &model.PageInfo{HasPreviousPage: after != nil, HasNextPage: len(read) > n}
	if len(p.rows) > 0 {
		start, end := at(p.rows[0]).cursor(), at(p.rows[len(p.rows)-1]).cursor()
		p.info.StartCursor, p.info.EndCursor = &start, &end
	}
	return p
}

// edges returns the rows of a page with their cursors.
func edges[T, E any](p page[T], edge func(cursor string, node T) E) []E {
	out := make([]E, len(p.rows))
	for i, row := range p.rows {
		out[i] = edge(p.at(row).cursor(), row)
	}
	return out
}
