package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"coreroller/fleet"
	"coreroller/graph/model"
)

const (
	defaultFirst = 50
	maxFirst     = 500
	// maxCounted is where counting a list stops.
	maxCounted = 1000
)

// limit is how many entries a page has.
func limit(first *int) (int, error) {
	switch {
	case first == nil:
		return defaultFirst, nil
	case *first < 0:
		return 0, fleet.Errorf(fleet.Invalid, "first", "must not be negative")
	}
	return min(*first, maxFirst), nil
}

// place is where an entry stands in a list: the values the list is sorted by.
type place []any

// cursor is a place as clients see it.
func (p place) cursor() string {
	data, err := json.Marshal(p)
	if err != nil { // of strings, numbers, ids and times never
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// readCursor reads the values of a place into pointers.
func readCursor(text string, values ...any) error {
	bad := fleet.Errorf(fleet.Invalid, "after", "is not a cursor of this list")
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

// cut makes a page of rows of which one more than n was read.
func cut[T any](rows []T, n int, after *string, at func(T) place) page[T] {
	p := page[T]{rows: rows, at: at, info: &model.PageInfo{HasPreviousPage: after != nil, HasNextPage: len(rows) > n}}
	p.rows = rows[:min(n, len(rows))]
	if len(p.rows) > 0 {
		first, last := at(p.rows[0]).cursor(), at(p.rows[len(p.rows)-1]).cursor()
		p.info.StartCursor, p.info.EndCursor = &first, &last
	}
	return p
}

// edges are the rows of a page with their cursors.
func edges[T, E any](p page[T], edge func(cursor string, node T) E) []E {
	out := make([]E, len(p.rows))
	for i, row := range p.rows {
		out[i] = edge(p.at(row).cursor(), row)
	}
	return out
}

// list is a query of ent, as far as paging needs it.
type list[Q, T any] interface {
	Limit(int) Q
	All(context.Context) ([]T, error)
	IDs(context.Context) ([]uuid.UUID, error)
	Clone() Q
}

// newest reads a page of a list sorted by id from the newest: ids of version 7
// (RFC 9562) sort by time. The query has its conditions already; order must add
// descending ids and beyond the condition that an id is below another.
func newest[Q list[Q, T], T any](ctx context.Context, q Q, first *int, after *string, id func(T) uuid.UUID, sorted func(Q) Q, below func(Q, uuid.UUID) Q) (page[T], error) {
	n, err := limit(first)
	if err != nil {
		return page[T]{}, err
	}
	total := 0
	if asked(ctx, "totalCount") {
		if total, err = counted(ctx, q.Clone()); err != nil {
			return page[T]{}, err
		}
	}
	if after != nil {
		var last uuid.UUID
		if err := readCursor(*after, &last); err != nil {
			return page[T]{}, err
		}
		q = below(q, last)
	}
	rows, err := sorted(q).Limit(n + 1).All(ctx)
	if err != nil {
		return page[T]{}, err
	}
	p := cut(rows, n, after, func(row T) place { return place{id(row)} })
	p.total = total
	return p, nil
}

// counted is how many rows a query has, at most maxCounted.
func counted[Q list[Q, T], T any](ctx context.Context, q Q) (int, error) {
	ids, err := q.Limit(maxCounted).IDs(ctx)
	return len(ids), err
}

// earlier is the condition that (created_at, id) is below that of a cursor.
func earlier(after *string) (func(*sql.Selector), error) {
	if after == nil {
		return func(*sql.Selector) {}, nil
	}
	var at time.Time
	var id uuid.UUID
	if err := readCursor(*after, &at, &id); err != nil {
		return nil, err
	}
	return func(s *sql.Selector) {
		s.Where(sql.CompositeLT([]string{s.C("created_at"), s.C("id")}, at, id))
	}, nil
}
