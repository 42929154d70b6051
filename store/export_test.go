package store

import (
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Columns shows a machine's row, a column a line, for comparing in tests.
func Columns(m *Machine) string {
	var b strings.Builder
	for i, v := range machineRow(m) {
		if t, ok := v.(time.Time); ok {
			v = t.UTC().Format(time.RFC3339Nano)
		}
		fmt.Fprintf(&b, "%s=%v\n", machineColumns[i].name, v)
	}
	return b.String()
}

// Trace sees every statement of the hot path before it is run, with its
// arguments where it is run once (on SQLite a bulk write is run once a row).
func (s *Store) Trace(f func(tx *sql.Tx, text string, args []any)) { s.trace = f }
