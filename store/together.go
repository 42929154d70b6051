package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// together sends changes to PostgreSQL as one statement.
func (tx *Tx) together(ctx context.Context, changes []change, written []int64) error {
	j := tx.store.joined(changes)
	var args []any
	to := make([]any, len(changes))
	for i := range changes {
		args, to[i] = changes[i].table.arrays(args, changes[i].rows, j.places[i]), &written[i]
	}
	if tx.meanwhile != nil {
		go tx.meanwhile()
	}
	rows, err := tx.query(ctx, j.text, args...)
	if err == nil {
		defer rows.Close()
		for rows.Next() {
			err = rows.Scan(to...)
		}
		err = errors.Join(err, rows.Err())
	}
	if err != nil {
		return fmt.Errorf("write a batch: %w", err)
	}
	return nil
}

// maxTogether is how many changes one statement takes: those of a batch.
const maxTogether = 8

// shape is which tables and columns a statement writes.
type shape [maxTogether]struct {
	table *table
	parts parts
	known bool
}

// joint is the statement of a shape, and the columns of each of its changes.
type joint struct {
	text   string
	places [][]int
}

// joined makes the statement of some changes, each shape once: there are few,
// and each is long.
func (s *Store) joined(changes []change) *joint {
	var key shape
	for i := range changes {
		c := &changes[i]
		key[i].table, key[i].parts, key[i].known = c.table, c.table.rounded(c.parts), c.known
	}
	if made, ok := s.joints.Load(key); ok {
		return made.(*joint)
	}
	j := &joint{places: make([][]int, len(changes))}
	parts, counts := make([]string, len(changes)), make([]string, len(changes))
	for i := range changes {
		c := change{table: key[i].table, parts: key[i].parts, known: key[i].known}
		j.places[i] = c.places()
		parts[i] = fmt.Sprintf("c%d AS (%s%s%s RETURNING 1)", i, c.head(), c.table.source(j.places[i]), c.tail())
		counts[i] = fmt.Sprintf("(SELECT COUNT(*) FROM c%d)", i)
	}
	j.text = "WITH " + strings.Join(parts, ", ") + " SELECT " + strings.Join(counts, ", ")
	s.joints.Store(key, j)
	return j
}
