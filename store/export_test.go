package store

import (
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

// Trace sees every statement of the hot path, with its arguments when it is run
// once (each row of a bulk write on SQLite is not).
func (s *Store) Trace(f func(Statement)) { s.trace = f }
