// Package store keeps the state of the fleet in a database and publishes what
// changed after each commit. Only this folder contains SQL text, transactions
// and database drivers. It decides nothing: callers lock a group's ledger,
// change values and save them.
//
// Two databases are supported and behave alike: SQLite (one writer connection,
// many readers) and PostgreSQL (row locks). A transaction that changes groups
// first locks their ledger rows in the order of their ids.
//
// Below are the parts that know no tables: sqlite and postgres open a database,
// migrations bring its schema up to date, statement prepares SQL, bulk writes
// many rows at once, and lane is the group commit. foreign reads the databases of other
// servers, and transfer copies whole databases.
package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store/bulk"
	"github.com/coreroller/coreroller/store/lane"
	"github.com/coreroller/coreroller/store/migrations"
	"github.com/coreroller/coreroller/store/postgres"
	"github.com/coreroller/coreroller/store/sqlite"
	"github.com/coreroller/coreroller/store/statement"
)

// Options configure Open.
type Options struct {
	// URL is postgres://… for PostgreSQL. Anything else is the path of an SQLite
	// file, which is created if it is missing.
	URL string
	Log *slog.Logger // nil: discard
	// Unchanged opens a database that exists, without migrating it.
	Unchanged bool
	// NoBackup migrates an embedded database without a copy, see migrations.ApplyWithBackup.
	NoBackup bool
	// AnswerWithin is how long PostgreSQL may take to answer, three times that for reads; 0
	// for DefaultAnswerWithin. Then the connection is closed.
	AnswerWithin time.Duration
	// OutageAfter is the time without a beat of any process that counts as an outage, 0 for
	// 8 s. A simulation whose clock moves in longer steps sets it.
	OutageAfter time.Duration
	// Keep has the periods after which records are deleted; nil: the defaults.
	Keep Keep
}

// DefaultAnswerWithin is Options.AnswerWithin if it is 0.
const DefaultAnswerWithin = postgres.DefaultLimit

// Store is an open database. It is safe for concurrent use.
type Store struct {
	sqlite      *sqlite.DB   // nil on PostgreSQL
	postgres    *postgres.DB // nil on SQLite
	writer      *statement.Pool
	readers     *statement.Pool
	client      *db.Client // of readers
	bulk        bulk.Writer
	recent      recentRows
	outages     atomic.Pointer[[]rollout.Outage] // see Beat
	outageAfter time.Duration
	keep        Keep
	exclusive   sync.Mutex // see Exclusive
	state       states
	bus         *event.Memory
	log         *slog.Logger
}

// ErrReadOnly is returned by the reader client for every write.
var ErrReadOnly = errors.New("this client is read-only: use the verbs of fleet to write")

// ErrRetry means that another process changed the same rows. Repeat the work
// from its beginning in a new transaction.
var ErrRetry = errors.New("another process changed the same rows: try again")

// maxAttempts bounds how often a transaction is repeated after a deadlock or
// ErrRetry. Each attempt makes progress for at least one process.
const maxAttempts = 5

// IsPostgres reports whether a database URL names PostgreSQL.
func IsPostgres(databaseURL string) bool { return postgres.IsURL(databaseURL) }

// Postgres reports whether the database is PostgreSQL.
func (s *Store) Postgres() bool { return s.postgres != nil }

// Open opens the database, applies missing migrations and starts listening to
// other processes. A database newer than this binary is refused with
// migrations.ErrNewer.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := open(ctx, o)
	if sqlite.IsDamaged(err) {
		err = fmt.Errorf("%s: %w: %w", o.URL, sqlite.ErrDamaged, err)
	}
	return s, err
}

func open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{log: o.Log, bus: event.NewMemory(), outageAfter: cmp.Or(o.OutageAfter, defaultOutageAfter), keep: o.Keep, state: states{beating: make(chan struct{}, 1)}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := prepare(ctx, o, s.log); err != nil {
		return nil, err
	}
	name := dialect.SQLite
	if IsPostgres(o.URL) {
		d, err := postgres.Open(ctx, o.URL, cmp.Or(o.AnswerWithin, postgres.DefaultLimit), s.bus, s.log)
		if err != nil {
			return nil, err
		}
		name, s.postgres = dialect.Postgres, d
		s.writer, s.readers = statement.NewPool(d.Writer, true), statement.NewPool(d.Readers, true)
	} else {
		d, err := sqlite.Open(ctx, o.URL, s.log)
		if err != nil {
			return nil, err
		}
		s.sqlite = d
		s.writer, s.readers = statement.NewPool(d.Writer, false), statement.NewPool(d.Readers, false)
	}
	s.client = db.NewClient(db.Driver(entsql.OpenDB(name, s.readers.DB)))
	s.client.Use(func(ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(context.Context, ent.Mutation) (ent.Value, error) { return nil, ErrReadOnly })
	})
	return s, nil
}

// prepare creates and migrates the database, unless nothing may be changed.
func prepare(ctx context.Context, o Options, log *slog.Logger) error {
	if o.Unchanged {
		return nil
	}
	if !IsPostgres(o.URL) {
		if err := sqlite.MakePrivate(o.URL, log); err != nil {
			return err
		}
	}
	if o.NoBackup {
		return migrations.Apply(ctx, o.URL)
	}
	copied, err := migrations.ApplyWithBackup(ctx, o.URL, time.Now())
	if copied != "" {
		log.Info("copied the database before its migration", "copy", copied)
	}
	return err
}

// Private reports whether other users of this machine have no access to a file or a
// directory of a database.
func Private(info fs.FileInfo) bool { return sqlite.Private(info) }

// Close stops listening and closes the database. Open transactions fail.
func (s *Store) Close() error {
	s.writer.CloseStatements()
	s.readers.CloseStatements()
	if s.postgres != nil {
		return s.postgres.Close()
	}
	return s.sqlite.Close()
}

// Reader is an ent client that refuses to write.
func (s *Store) Reader() *db.Client { return s.client }

// Bus publishes every change of this process, and of other processes on the same
// database.
func (s *Store) Bus() event.Bus { return s.bus }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if _, _, _, problem := s.Condition(); problem != nil {
		return problem // another question could wait for the driver
	}
	return s.readers.PingContext(ctx)
}

// Write runs f in one transaction, whose time is now. If f returns nil, Write
// commits and then publishes the transaction's events. Otherwise it rolls back
// and returns f's error.
func (s *Store) Write(ctx context.Context, now time.Time, f func(tx *Tx) error) error {
	tx, err := s.write(ctx, s.writer, now, f)
	if err != nil {
		if Unavailable(err) { // callers answer that the database cannot be used, and log nothing
			s.log.Warn("a transaction failed", "error", err)
		}
		return err
	}
	tx.sql.PrepareOnPool(ctx)
	s.publish(tx.events)
	return nil
}

// write runs f in a transaction of the writer pool, or of one of its
// connections, and commits it.
func (s *Store) write(ctx context.Context, from statement.Beginner, now time.Time, f func(tx *Tx) error) (*Tx, error) {
	tx, err := s.tryWrite(ctx, from, now, f)
	switch {
	case err == nil:
	case sqlite.IsDamaged(err):
		s.sqlite.Damaged()
	case Full(err) && !now.IsZero(): // last seen times have none
		s.state.full.Store(now.UnixMicro())
	}
	return tx, err
}

func (s *Store) tryWrite(ctx context.Context, from statement.Beginner, now time.Time, f func(tx *Tx) error) (*Tx, error) {
	tx, err := s.begin(ctx, from, now)
	if err != nil {
		return nil, err
	}
	defer tx.sql.Rollback() //nolint:errcheck // does nothing after a commit
	if err := f(tx); err != nil {
		return nil, err
	}
	if err := tx.chain(ctx); err != nil {
		return nil, err
	}
	if err := tx.sql.Commit(); err != nil {
		return nil, &commitError{err}
	}
	if tx.saved != nil && s.postgres != nil { // SQLite reads a row faster than recentRows keeps it
		s.recent.keep(tx.saved)
	}
	if s.sqlite != nil {
		s.sqlite.Committed()
	}
	return tx, nil
}

// View runs f in a transaction that is always rolled back: f can call the
// writing methods of Tx to see their effect.
func (s *Store) View(ctx context.Context, now time.Time, f func(tx *Tx) error) error {
	tx, err := s.begin(ctx, s.writer, now)
	if err != nil {
		return err
	}
	defer tx.sql.Rollback() //nolint:errcheck // the purpose of View
	return f(tx)
}

func (s *Store) begin(ctx context.Context, from statement.Beginner, now time.Time) (*Tx, error) {
	if err := s.refuses(now); err != nil {
		return nil, err
	}
	t, err := s.writer.Begin(ctx, from, nil)
	if err != nil && s.postgres != nil && Unavailable(err) && ctx.Err() == nil { // a connection that ended; nothing was done yet
		t, err = s.writer.Begin(ctx, from, nil)
	}
	if err != nil {
		return nil, err
	}
	return &Tx{store: s, sql: t, now: now.UTC().Truncate(time.Microsecond)}, nil
}

// publish sends events to the subscribers in this process and in others.
func (s *Store) publish(events []event.Event) {
	if len(events) == 0 {
		return
	}
	s.bus.Publish(events...)
	if s.postgres != nil {
		s.postgres.Notify(events)
	}
}

// commitError is the error of a commit: whether it took place is not known if the
// connection was lost.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// retry repeats f after a conflict with another transaction: a deadlock, or
// ErrRetry from f. It repeats it once after the loss of a connection before the commit,
// because another connection may work.
func retry(f func() error) (err error) {
	lost := false
	for range maxAttempts {
		err = f()
		if errors.Is(err, ErrRetry) || postgres.Retryable(err) {
			continue
		}
		if _, committing := errors.AsType[*commitError](err); lost || committing || !errors.Is(err, driver.ErrBadConn) && !postgres.IsLost(err) {
			break
		}
		lost = true
	}
	return err
}

// NewLane starts a lane whose batches are transactions of the store. process
// returns the items that need another transaction. It may run more than once
// for the same items, each time in a new transaction.
func NewLane[T comparable](s *Store, o lane.Options, now func() time.Time, process func(ctx context.Context, tx *Tx, items []T) (again []T, err error)) *lane.Lane[T] {
	return lane.New(o, func(ctx context.Context, items []T) (again []T, err error) {
		err = retry(func() error {
			return s.Write(ctx, now(), func(tx *Tx) (err error) {
				again, err = process(ctx, tx, items)
				return err
			})
		})
		if err != nil {
			return nil, fmt.Errorf("commit a batch: %w", err)
		}
		return again, nil
	})
}
