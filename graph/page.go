package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
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
	case *first > maxFirst:
		return 0, fault.Errorf(fault.Invalid, "first", "must be at most %d", maxFirst)
	}
	return *first, nil
}

// cursor encodes the place of a row, which is its values of the sort columns.
func cursor(place []any) string {
	data, err := json.Marshal(place)
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
		if json.Unmarshal(part, values[i]) != nil { //nolint:gosec // G602: as many values as parts, checked above
			return bad
		}
		if text, ok := values[i].(*string); ok && strings.ContainsRune(*text, 0) { //nolint:gosec // G602: the same
			return bad // PostgreSQL cannot store NUL
		}
	}
	return nil
}

// pager is a list that is read page by page.
type pager[T any] interface {
	// After starts the list after a place.
	After(scan func(values ...any) error) error
	// Page reads up to n rows.
	Page(ctx context.Context, n int) (view.Page[T], error)
	// Place returns the position of a row.
	Place(row T) []any
}

// readPage reads a page of a list.
func readPage[T any](ctx context.Context, l *view.List[T], first *int, after *string) (*model.Connection[T], error) {
	c, err := readRows[T](ctx, l, first, after)
	if err == nil && askedTotal(ctx) {
		c.TotalCount, c.TotalCountIsExact, err = l.Count(ctx, maxCounted)
	}
	return c, err
}

// askedTotal reports whether the document selects the total of the connection.
func askedTotal(ctx context.Context) bool {
	return asked(ctx, "totalCount") || asked(ctx, "totalCountIsExact")
}

// readRows reads a page without its total.
func readRows[T any](ctx context.Context, l pager[T], first *int, after *string) (*model.Connection[T], error) {
	n, err := limit(first)
	if err != nil {
		return nil, err
	}
	if after != nil {
		if err := l.After(func(values ...any) error { return readCursor(*after, values...) }); err != nil {
			return nil, err
		}
	}
	page, err := l.Page(ctx, n)
	if err != nil {
		return nil, err
	}
	c := &model.Connection[T]{
		Nodes: page.Rows, Edges: []*model.Edge[T]{},
		PageInfo: &model.PageInfo{HasPreviousPage: after != nil, HasNextPage: page.More, EndCursor: after},
	}
	for _, row := range c.Nodes {
		c.Edges = append(c.Edges, &model.Edge[T]{Cursor: cursor(l.Place(row)), Node: row})
	}
	if len(c.Edges) > 0 {
		c.PageInfo.StartCursor = &c.Edges[0].Cursor
	}
	if page.End != nil {
		c.PageInfo.EndCursor = new(cursor(page.End))
	}
	return c, nil
}
