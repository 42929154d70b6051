package view

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/fault"
)

// List is a list of rows, newest first, that is read page by page.
type List[T any] struct {
	rows  func(ctx context.Context, p part, n int) ([]T, error)
	count func(ctx context.Context, limit int) (n int, exact bool, err error)
	order order[T]
	match func(T) bool // nil: every row
	part
}

// part is the part of a list that is read, and its direction.
type part struct {
	ascending bool
	after     func(*sql.Selector) // nil: from the beginning
	until     func(*sql.Selector) // nil: to the end
	skip      int
}

// order is a descending sort order: the columns, and their values in a row.
type order[T any] struct {
	columns []string // "id" or "created_at"
	values  func(T) []any
}

// byID sorts by id. Ids are UUIDs of version 7 (RFC 9562), which sort by time.
func byID[T any](id func(T) uuid.UUID) order[T] {
	return order[T]{[]string{"id"}, func(row T) []any { return []any{id(row)} }}
}

// byCreation sorts by created_at, for rows whose ids may be imported.
func byCreation[T any](key func(T) (time.Time, uuid.UUID)) order[T] {
	return byTime("created_at", key)
}

// byTime sorts by a column with a time, then by id.
func byTime[T any](column string, key func(T) (time.Time, uuid.UUID)) order[T] {
	return order[T]{[]string{column, "id"}, func(row T) []any {
		at, id := key(row)
		return []any{at.UTC(), id}
	}}
}

// query is what ent's queries have in common.
type query[Q any, P, O ~func(*sql.Selector), T any] interface {
	Clone() Q
	Where(conditions ...P) Q
	Order(options ...O) Q
	Limit(n int) Q
	Offset(n int) Q
	IDs(ctx context.Context) ([]uuid.UUID, error)
	All(ctx context.Context) ([]T, error)
}

// listOf returns the list of the rows of a query.
func listOf[Q query[Q, P, O, T], P, O ~func(*sql.Selector), T any](q Q, o order[T]) *List[T] {
	return &List[T]{
		order: o,
		count: func(ctx context.Context, limit int) (int, bool, error) {
			ids, err := q.Clone().Limit(limit + 1).IDs(ctx) // one more shows whether the number is exact
			return min(len(ids), limit), len(ids) <= limit, err
		},
		rows: func(ctx context.Context, p part, n int) ([]T, error) {
			page := q.Clone().Limit(n)
			direction := sql.OrderDesc()
			if p.ascending {
				direction = sql.OrderAsc()
			}
			for _, column := range o.columns {
				page.Order(O(sql.OrderByField(column, direction).ToFunc()))
			}
			for _, bound := range []func(*sql.Selector){p.after, p.until} {
				if bound != nil {
					page.Where(P(bound))
				}
			}
			if p.skip > 0 {
				page.Offset(p.skip)
			}
			return page.All(ctx)
		},
	}
}

// Rows reads up to n rows.
func (l *List[T]) Rows(ctx context.Context, n int) ([]T, error) {
	return read(ctx, "list", func(ctx context.Context) ([]T, error) { return l.rows(ctx, l.part, n) })
}

// Count returns the length of the whole list. Without a counter it stops at limit;
// exact is then false if there are more.
func (l *List[T]) Count(ctx context.Context, limit int) (n int, exact bool, err error) {
	n, err = read(ctx, "length of a list", func(ctx context.Context) (n int, err error) {
		n, exact, err = l.count(ctx, limit)
		return n, err
	})
	return n, exact, err
}

// Place returns the position of a row as values for a cursor.
func (l *List[T]) Place(row T) []any { return l.order.values(row) }

// After starts the list after a position. scan must store the values that Place
// returned in the pointers.
func (l *List[T]) After(scan func(values ...any) error) error {
	var at time.Time
	var id uuid.UUID
	if len(l.order.columns) == 1 {
		err := scan(&id)
		l.begin(id)
		return err
	}
	err := scan(&at, &id)
	l.begin(at, id)
	return err
}

// AfterRow starts the list after a row.
func (l *List[T]) AfterRow(row T) { l.begin(l.Place(row)...) }

// Skip leaves out n rows. Their index entries are still read.
func (l *List[T]) Skip(n int) { l.skip = n }

func (l *List[T]) begin(place ...any) {
	l.skip, l.after = 0, func(s *sql.Selector) {
		columns := make([]string, len(l.order.columns))
		for i, column := range l.order.columns {
			columns[i] = s.C(column)
		}
		if l.ascending {
			s.Where(sql.CompositeGT(columns, place...))
		} else {
			s.Where(sql.CompositeLT(columns, place...))
		}
	}
}

// read checks the permission and runs a query.
func read[T any](ctx context.Context, what string, query func(context.Context) (T, error)) (T, error) {
	var none T
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return none, err
	}
	rows, err := query(ctx)
	if err != nil {
		return none, fmt.Errorf("read %s: %w", what, err)
	}
	return rows, nil
}

// one is read for a single row; a missing row is fault.NotFound for the field "id".
func one[T any](ctx context.Context, what string, query func(context.Context) (*T, error)) (*T, error) {
	row, err := read(ctx, what, query)
	return row, fault.Missing(err, "id", what)
}

// grouped reads rows and groups them by an id.
func grouped[T any](ctx context.Context, what string, query func(context.Context) ([]T, error), key func(T) uuid.UUID) (map[uuid.UUID][]T, error) {
	rows, err := read(ctx, what, query)
	out := make(map[uuid.UUID][]T)
	for _, row := range rows {
		out[key(row)] = append(out[key(row)], row)
	}
	return out, err
}

// indexed reads rows and indexes them by a unique id.
func indexed[T any](ctx context.Context, what string, query func(context.Context) ([]T, error), key func(T) uuid.UUID) (map[uuid.UUID]T, error) {
	rows, err := read(ctx, what, query)
	out := make(map[uuid.UUID]T, len(rows))
	for _, row := range rows {
		out[key(row)] = row
	}
	return out, err
}

// firstID returns the lowest id of version 7 (RFC 9562) that can be created at t.
// The indexes of activity and audit end with the id and have no time.
func firstID(t time.Time) (id uuid.UUID) {
	ms := max(t.UnixMilli(), 0)
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i))) //nolint:gosec // G115: takes one of the bytes
	}
	return id
}
