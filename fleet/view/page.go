package view

import (
	"context"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"
)

const (
	// maxSearched bounds the rows that a search looks at for one page.
	maxSearched = 5000
	// searchChunk limits the rows that are in memory at once.
	searchChunk = 500
	// Unsettled is the time after that in its id within which a row becomes visible:
	// transactions take time, and the clocks of servers differ.
	Unsettled = 5 * time.Second
)

// Page is a page of a list.
type Page[T any] struct {
	Rows []T
	// End is the place of the last row that was looked at; nil if there was none.
	End []any
	// More reports whether there are rows after End. A search has not looked at them.
	More bool
}

// PageOf returns the page of n rows from n+1 rows that were read.
func PageOf[T any](rows []T, n int, place func(T) []any) Page[T] {
	p := Page[T]{Rows: rows[:min(n, len(rows))], More: len(rows) > n}
	if len(p.Rows) > 0 {
		p.End = place(p.Rows[len(p.Rows)-1])
	}
	return p
}

// Page reads the next n rows. A search looks at a limited number of rows, so that
// its page may be shorter, even empty, although there are more.
func (l *List[T]) Page(ctx context.Context, n int) (Page[T], error) {
	p, err := read(ctx, "list", func(ctx context.Context) (Page[T], error) { return l.page(ctx, n) })
	if p.End != nil {
		l.begin(p.End...)
	}
	return p, err
}

func (l *List[T]) page(ctx context.Context, n int) (Page[T], error) {
	if l.match == nil {
		rows, err := l.rows(ctx, l.part, n+1)
		return PageOf(rows, n, l.Place), err
	}
	p := Page[T]{Rows: []T{}, More: true}
	for looked := 0; looked < maxSearched && p.More; looked += searchChunk {
		rows, err := l.rows(ctx, l.part, searchChunk+1)
		if err != nil {
			return p, err
		}
		chunk := PageOf(rows, searchChunk, l.Place)
		for _, row := range chunk.Rows {
			if l.match(row) {
				if len(p.Rows) == n {
					return p, nil
				}
				p.Rows = append(p.Rows, row)
			}
			p.End = l.Place(row)
		}
		if p.More = chunk.More; p.More {
			l.begin(chunk.End...)
		}
	}
	return p, nil
}

// search keeps the rows in which one of the texts contains a text, regardless of
// case. A nil or empty text keeps all rows.
func (l *List[T]) search(text *string, texts func(T) []string) *List[T] {
	if text == nil || *text == "" {
		return l
	}
	wanted := strings.ToLower(*text)
	l.match = func(row T) bool {
		return slices.ContainsFunc(texts(row), func(t string) bool { return strings.Contains(strings.ToLower(t), wanted) })
	}
	l.count = func(ctx context.Context, limit int) (int, bool, error) {
		whole := List[T]{rows: l.rows, order: l.order, match: l.match}
		p, err := whole.page(ctx, limit)
		return len(p.Rows), !p.More, err
	}
	return l
}

// OldestFirst reverses a list of rows with time-sorted ids, for readers that follow
// it. It leaves out rows that are not settled, so that no row is stored later at a
// place that was already read.
func (l *List[T]) OldestFirst(now time.Time) {
	settled := firstID(now.Add(-Unsettled))
	l.ascending, l.until = true, func(s *sql.Selector) { s.Where(sql.LT(s.C("id"), settled)) }
}
