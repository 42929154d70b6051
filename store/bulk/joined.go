package bulk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/coreroller/coreroller/store/statement"
)

// maxJoined is the most changes in one statement: as many as a batch of
// check-ins has.
const maxJoined = 8

// writeJoined writes changes with one statement of PostgreSQL.
func (w *Writer) writeJoined(ctx context.Context, tx *statement.Tx, changes []Change, written []int64) error {
	j := w.statements.of(changes)
	var args []any
	counts := make([]any, len(changes))
	for i := range changes {
		args, counts[i] = changes[i].Table.arrays(args, changes[i].Rows, j.indexes[i]), &written[i]
	}
	rows, err := tx.Run(ctx, j.text, args...)
	if err == nil {
		defer rows.Close()
		for rows.Next() {
			err = rows.Scan(counts...)
		}
		err = errors.Join(err, rows.Err())
	}
	if err != nil {
		return fmt.Errorf("write a batch: %w", err)
	}
	return nil
}

// joined is a statement that writes several tables, and the columns it takes
// for each.
type joined struct {
	text    string
	indexes [][]int
}

// joinedStatements caches joined statements: there are few, and each is long.
type joinedStatements struct{ made sync.Map } // joinedKey → *joined

// joinedKey identifies a statement by the tables and columns it writes.
type joinedKey [maxJoined]struct {
	table  *Table
	parts  Parts
	update bool
}

// of returns the statement for some changes.
func (s *joinedStatements) of(changes []Change) *joined {
	var key joinedKey
	for i := range changes {
		c := &changes[i]
		key[i].table, key[i].parts, key[i].update = c.Table, c.Table.rounded(c.Parts), c.Update
	}
	if made, ok := s.made.Load(key); ok {
		return made.(*joined)
	}
	j := &joined{indexes: make([][]int, len(changes))}
	parts, counts := make([]string, len(changes)), make([]string, len(changes))
	for i := range changes {
		c := Change{Table: key[i].table, Parts: key[i].parts, Update: key[i].update}
		j.indexes[i] = c.indexes()
		parts[i] = fmt.Sprintf("c%d AS (%s%s%s RETURNING 1)", i, c.head(), c.Table.source(j.indexes[i]), c.tail())
		counts[i] = fmt.Sprintf("(SELECT COUNT(*) FROM c%d)", i)
	}
	j.text = "WITH " + strings.Join(parts, ", ") + " SELECT " + strings.Join(counts, ", ")
	s.made.Store(key, j)
	return j
}
