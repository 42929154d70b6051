// Package store keeps what the fleet knows. It is the only place with SQL
// text, transactions and database drivers, and it publishes what changed after
// a commit. It decides nothing: callers change values under a group's ledger
// lock and hand them back.
//
// Two databases are supported and behave alike: SQLite (one writer connection,
// many readers) and PostgreSQL (row locks). A transaction that touches groups
// first locks their ledger rows in the order of their ids.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
)

// Options say which database to open.
type Options struct {
	// URL is postgres://… for PostgreSQL; anything else is the path of an
	// SQLite file, which is made when missing.
	URL string
	Log *slog.Logger // nil: discard
	Now func() time.Time
}

// Store is an open database.
type Store struct {
	writer      *sql.DB
	readers     *sql.DB
	dialect     string
	reader      *db.Client
	bus         *event.Memory
	notify      *notifier     // nil on SQLite
	checkpoints *checkpointer // nil on PostgreSQL
	log         *slog.Logger
	recent      recent
	joints      sync.Map                                  // shape → *joint
	words       sync.Map                                  // text → the text in the words of the dialect
	stmts       statements                                // of writer
	reading     statements                                // of readers
	trace       func(tx *sql.Tx, text string, args []any) // sees the statements of the hot path before they run; tests only
}

// ErrReadOnly is the answer of the reader client to every attempt to write.
var ErrReadOnly = errors.New("this client reads only: write through the fleet")

// Open opens the database, brings its schema up to date under a lock and
// starts listening to other processes. A database newer than this binary is
// refused with ErrNewer.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{log: o.Log, bus: event.NewMemory()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := Migrate(ctx, o.URL); err != nil {
		return nil, err
	}
	var err error
	if IsPostgres(o.URL) {
		err = s.openPostgres(ctx, o.URL)
	} else {
		err = s.openSQLite(ctx, o.URL)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.stmts.db, s.reading.db = s.writer, s.readers
	s.reader = db.NewClient(db.Driver(entsql.OpenDB(s.dialect, s.readers)))
	s.reader.Use(func(ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(context.Context, ent.Mutation) (ent.Value, error) { return nil, ErrReadOnly })
	})
	return s, nil
}

// Close stops listening and closes the database. Open transactions fail.
func (s *Store) Close() error {
	var errs []error
	if s.notify != nil {
		s.notify.close()
	}
	if s.checkpoints != nil {
		errs = append(errs, s.checkpoints.close())
	}
	s.stmts.close()
	s.reading.close()
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	return errors.Join(errs...)
}

// Reader is an ent client that refuses to write.
func (s *Store) Reader() *db.Client { return s.reader }

// Bus carries what changed, in this process and in the others on the same
// database.
func (s *Store) Bus() event.Bus { return s.bus }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.readers.PingContext(ctx) }

// Write runs f in one transaction at the moment now. When f returns nil it
// commits and then publishes; else it rolls back and returns f's error.
func (s *Store) Write(ctx context.Context, now time.Time, f func(tx *Tx) error) error {
	tx, err := s.write(ctx, s.writer, now, f)
	if err != nil {
		return err
	}
	tx.keep(ctx)
	s.publish(tx.events)
	return nil
}

// write runs f in a transaction of a connection or pool and commits it.
func (s *Store) write(ctx context.Context, from beginner, now time.Time, f func(tx *Tx) error) (*Tx, error) {
	tx, err := s.begin(ctx, from, now)
	if err != nil {
		return nil, err
	}
	defer tx.sql.Rollback() //nolint:errcheck // after a commit there is nothing left to roll back
	if err := f(tx); err != nil {
		return nil, err
	}
	if err := tx.sql.Commit(); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	if tx.saved != nil {
		s.recent.keep(tx.saved)
	}
	if s.checkpoints != nil {
		s.checkpoints.written.Store(true)
	}
	return tx, nil
}

// View runs f in a transaction that is always rolled back: f may use the verbs
// of a Tx to see what would happen.
func (s *Store) View(ctx context.Context, now time.Time, f func(tx *Tx) error) error {
	tx, err := s.begin(ctx, s.writer, now)
	if err != nil {
		return err
	}
	defer tx.sql.Rollback() //nolint:errcheck // meant to be undone
	return f(tx)
}

// beginner is a pool of connections or one of them.
type beginner interface {
	BeginTx(ctx context.Context, o *sql.TxOptions) (*sql.Tx, error)
}

func (s *Store) begin(ctx context.Context, from beginner, now time.Time) (*Tx, error) {
	t, err := from.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return &Tx{store: s, stmts: &s.stmts, sql: t, now: now.UTC().Truncate(time.Microsecond)}, nil
}

// publish tells this process and the others.
func (s *Store) publish(events []event.Event) {
	if len(events) == 0 {
		return
	}
	s.bus.Publish(events...)
	if s.notify != nil {
		s.notify.send(events)
	}
}

// postgres reports whether the dialect is PostgreSQL.
func (s *Store) postgres() bool { return s.dialect == dialect.Postgres }
