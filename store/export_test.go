package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
)

// Columns shows a machine's row with one column a line.
func Columns(m *Machine) string {
	var b strings.Builder
	names := strings.Split(instances.Columns(), ", ")
	for i, v := range appendMachine(nil, m) {
		fmt.Fprintf(&b, "%s=%v\n", names[i], v)
	}
	return b.String()
}

// Trace calls f before each statement of the hot path, see statement.Pool.
func (s *Store) Trace(f func(tx *sql.Tx, text string, args []any)) {
	s.writer.Trace, s.readers.Trace = f, f
}

// TraceReader calls f before each query of the reader client.
func (s *Store) TraceReader(f func(text string, args []any)) {
	name := dialect.SQLite
	if s.readers.Postgres {
		name = dialect.Postgres
	}
	s.client = db.NewClient(db.Driver(tracer{entsql.OpenDB(name, s.readers.DB), f}))
}

// StoppedGroupsStatement is the statement of StoppedGroups.
func (s *Store) StoppedGroupsStatement(groups []uuid.UUID) (text string, args []any) {
	return s.stoppedGroups(groups)
}

type tracer struct {
	*entsql.Driver
	f func(text string, args []any)
}

func (t tracer) Query(ctx context.Context, text string, args, to any) error {
	t.f(text, args.([]any))
	return t.Driver.Query(ctx, text, args, to)
}

// MaxRecentRows bounds the cache of recent rows.
const MaxRecentRows = maxRecentRows

// RecentRows is the number of rows in the cache.
func (s *Store) RecentRows() int { return s.recent.size }
