package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/coreroller/coreroller/ent/db"
)

// Columns shows a machine's row, a column a line, for comparing in tests.
func Columns(m *Machine) string {
	var b strings.Builder
	for i, c := range appendMachine(nil, m) {
		fmt.Fprintf(&b, "%s=%v\n", machineColumns[i].name, machineColumns[i].kind.sqlite(c))
	}
	return b.String()
}

// Trace sees every statement of the hot path before it is run, with its
// arguments where it is run once (on SQLite a bulk write is run once a row).
func (s *Store) Trace(f func(tx *sql.Tx, text string, args []any)) { s.trace = f }

// TraceReader sees what the reader client asks before it does.
func (s *Store) TraceReader(f func(text string, args []any)) {
	s.reader = db.NewClient(db.Driver(tracer{entsql.OpenDB(s.dialect, s.readers), f}))
}

type tracer struct {
	*entsql.Driver
	f func(text string, args []any)
}

func (t tracer) Query(ctx context.Context, text string, args, to any) error {
	t.f(text, args.([]any))
	return t.Driver.Query(ctx, text, args, to)
}

// RewindPages is how long SQLite's log may become.
const RewindPages = rewindPages

// RecentRows is how many machines are kept between steps of their updates.
const RecentRows = recentRows

// Recent is how many are.
func (s *Store) Recent() int { return s.recent.size }
