package bulk

import (
	"context"
	"fmt"
	"strings"

	"github.com/coreroller/coreroller/store/statement"
)

// Change is the rows of one table that a statement inserts or updates.
type Change struct {
	Table *Table
	Rows  []Value // row after row, each with a value for every column
	// Parts are the parts to write. In a new row the other columns get their default.
	Parts Parts
	// Update changes existing rows, which the table's first column identifies. The
	// first part is always written.
	Update bool
	// Rising updates only rows whose second column is lower.
	Rising bool
}

// Insert returns a change that inserts whole rows.
func Insert(t *Table, rows []Value) Change { return Change{Table: t, Rows: rows, Parts: AllParts} }

// Count is the number of rows.
func (c *Change) Count() int { return len(c.Rows) / c.Table.Width() }

func (c *Change) indexes() []int {
	if c.Update {
		return c.Table.indexes(c.Parts | 1)
	}
	return c.Table.indexes(c.Parts)
}

// Writer writes changes. It caches the statements it generates; the zero Writer
// is ready to use, by several goroutines.
type Writer struct{ statements joinedStatements }

// Write writes changes and returns how many rows of each were written. SQLite
// writes them in their order. PostgreSQL writes all of them with one statement
// and checks foreign keys at its end. The statement contains the tables without
// rows too, so that there are few texts to prepare.
func (w *Writer) Write(ctx context.Context, tx *statement.Tx, changes ...Change) (written []int64, err error) {
	written = make([]int64, len(changes))
	filled := 0
	for i := range changes {
		if len(changes[i].Rows) > 0 {
			filled++
		}
	}
	if filled > 1 && tx.Postgres() && len(changes) <= maxJoined {
		return written, w.writeJoined(ctx, tx, changes, written)
	}
	for i := range changes {
		c := &changes[i]
		if len(c.Rows) == 0 {
			continue
		}
		if tx.Postgres() {
			written[i], err = c.writePostgres(ctx, tx)
		} else {
			written[i], err = c.writeSQLite(ctx, tx)
		}
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", c.Table.Name, err)
		}
	}
	return written, nil
}

func (c *Change) writePostgres(ctx context.Context, tx *statement.Tx) (int64, error) {
	indexes := c.indexes()
	result, err := tx.Change(ctx, c.head()+c.Table.source(indexes)+c.tail(), c.Table.arrays(nil, c.Rows, indexes)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *Change) writeSQLite(ctx context.Context, tx *statement.Tx) (written int64, err error) {
	text, indexes := c.single()
	stmt, err := tx.Statement(ctx, text)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	args := make([]any, len(indexes))
	for rows := c.Rows; len(rows) > 0; rows = rows[c.Table.Width():] {
		for k, i := range indexes {
			args[k] = c.Table.columns[i].kind.sqlite(rows[i])
		}
		result, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		written += n
	}
	return written, nil
}

// head and tail are the statement for PostgreSQL before and after source.
func (c *Change) head() string {
	indexes := c.indexes()
	if !c.Update {
		return "INSERT INTO " + c.Table.Name + " (" + c.Table.names(indexes, "") + ") "
	}
	var set []string
	for _, i := range indexes[1:] {
		set = append(set, c.Table.columns[i].name+" = r."+c.Table.columns[i].name)
	}
	return "UPDATE " + c.Table.Name + " SET " + strings.Join(set, ", ") + " FROM ("
}

func (c *Change) tail() string {
	if !c.Update {
		return " " + c.Table.conflict
	}
	name, key := c.Table.Name, c.Table.columns[0].name
	tail := ") AS r WHERE " + name + "." + key + " = r." + key
	if c.Rising {
		second := c.Table.columns[1].name
		tail += " AND " + name + "." + second + " < r." + second
	}
	return tail
}

// single is the statement for one row in SQLite, and the columns of its
// arguments.
func (c *Change) single() (text string, indexes []int) {
	indexes, name := c.indexes(), c.Table.Name
	if !c.Update {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(indexes)), ", ")
		return "INSERT INTO " + name + " (" + c.Table.names(indexes, "") + ") VALUES (" + marks + ") " + c.Table.conflict, indexes
	}
	set := indexes[1:]
	text = "UPDATE " + name + " SET " + c.Table.names(set, " = ?") + " WHERE " + c.Table.columns[0].name + " = ?"
	if c.Rising {
		return text + " AND " + c.Table.columns[1].name + " < ?", append(set, 0, 1)
	}
	return text, append(set, 0)
}
