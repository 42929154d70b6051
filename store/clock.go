package store

import (
	"context"
	"time"

	"github.com/coreroller/coreroller/store/statement"
)

// Clock returns a reader of the clock that all processes on the database share, nil
// on SQLite. It takes a connection of the readers, so that no lock delays it.
func (s *Store) Clock() func(ctx context.Context) (time.Time, error) {
	if s.postgres == nil {
		return nil
	}
	return func(ctx context.Context) (t time.Time, err error) {
		err = s.readers.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(statement.Time(&t))
		return t, err
	}
}
