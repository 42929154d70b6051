package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/store/migrations"
	"github.com/coreroller/coreroller/store/postgres"
	"github.com/coreroller/coreroller/store/sqlite"
)

// Unavailable reports whether an error means that the database cannot be used now: it is
// not reached, it is full, its file is gone or damaged, or this program is too old for it.
// The same can succeed later.
func Unavailable(err error) bool {
	return Public(err) != "" || errors.Is(err, driver.ErrBadConn) || errors.Is(err, ErrNoAnswer) || postgres.IsLost(err) || sqlite.IsUnusable(err)
}

// Public is the sentence for clients if an error means that a person must do something
// before the database can be used, else "".
func Public(err error) string {
	var public interface{ Public() string }
	switch {
	case errors.As(err, &public):
		return public.Public()
	case sqlite.IsDamaged(err):
		return sqlite.ErrDamaged.Public()
	}
	return ""
}

// tooOld reports whether this program must not use the database any more.
func tooOld(err error) bool {
	var e *migrations.TooOldError
	return errors.As(err, &e)
}

// Full reports whether an error means that the disk of the database is full.
func Full(err error) bool { return sqlite.IsFull(err) || postgres.IsFull(err) }

// states are what this process knows of the database, without asking it.
type states struct {
	committed, failing atomic.Int64  // Unix microseconds, 0: never
	full               atomic.Int64  // of the last transaction that found the disk full
	beating            chan struct{} // full while a beat waits for PostgreSQL
	problem            atomic.Pointer[error]
}

// noteBeat keeps the result of a beat.
func (s *Store) noteBeat(now time.Time, err error) {
	if err == nil {
		s.state.committed.Store(now.UnixMicro())
		s.state.failing.Store(0)
		s.state.problem.Store(nil)
		return
	}
	s.state.failing.CompareAndSwap(0, now.UnixMicro())
	s.state.problem.Store(&err)
}

// Condition returns what this process knows of the database, without asking it: when the
// last beat committed, since when beats fail and why, and when the connection that receives
// the events of other processes answered last. A time is zero if that never happened, or
// does not apply.
func (s *Store) Condition() (committed, failing, listened time.Time, problem error) {
	if at := s.state.committed.Load(); at != 0 {
		committed = time.UnixMicro(at)
	}
	if at := s.state.failing.Load(); at != 0 {
		failing = time.UnixMicro(at)
	}
	if p := s.state.problem.Load(); p != nil {
		problem = *p
	}
	if s.postgres != nil {
		listened = s.postgres.Listened()
	}
	return committed, failing, listened, problem
}

// FoundFull returns when a transaction failed last because the disk of the database was
// full, zero if never. A beat needs no room and can succeed then.
func (s *Store) FoundFull() time.Time {
	if at := s.state.full.Load(); at != 0 {
		return time.UnixMicro(at)
	}
	return time.Time{}
}

const (
	// beatLimit bounds a beat, so that a database that does not answer is noticed.
	beatLimit = 5 * time.Second
	// refuseAfter is for how long beats must fail until transactions are refused at once,
	// instead of waiting for their connections.
	refuseAfter = 4 * time.Second
)

// ErrNoAnswer is the error of a beat, and of transactions later, when the database does not
// answer.
var ErrNoAnswer = errors.New("the database does not answer")

// Beat records that a server runs and that the database commits; see beat. It returns after
// five seconds also if the driver waits on.
func (s *Store) Beat(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, beatLimit)
	defer cancel()
	err := s.boundedBeat(ctx, now)
	s.noteBeat(now, err)
	return err
}

func (s *Store) boundedBeat(ctx context.Context, now time.Time) error {
	if s.sqlite != nil {
		if err := s.sqlite.Check(); err != nil {
			return err
		}
		return s.beat(ctx, now)
	}
	select {
	case s.state.beating <- struct{}{}:
	case <-ctx.Done(): // the last one waits still
		return ErrNoAnswer
	}
	ended := make(chan error, 1)
	go func() {
		defer func() { <-s.state.beating }()
		ended <- s.beat(ctx, now)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ErrNoAnswer
	}
}

// refuses returns why no transaction can begin now, nil if one can.
func (s *Store) refuses(now time.Time) error {
	if s.sqlite != nil {
		if err := s.sqlite.Lost(); err != nil {
			return err
		}
	}
	if p := s.state.problem.Load(); p != nil && tooOld(*p) {
		return *p
	}
	// SQLite needs no such rule: it waits for nothing but its own transactions.
	if at := s.state.failing.Load(); s.postgres != nil && at != 0 && now.UnixMicro()-at > refuseAfter.Microseconds() {
		return ErrNoAnswer
	}
	return nil
}

// waitEvery is the time between two attempts of OpenWithin.
const waitEvery = 500 * time.Millisecond

// OpenWithin is Open, but tries again while the database cannot be used, at most for a time.
func OpenWithin(ctx context.Context, o Options, limit time.Duration) (*Store, error) {
	for began := time.Now(); ; {
		s, err := Open(ctx, o)
		if err == nil || !Unavailable(err) || time.Since(began)+waitEvery > limit {
			return s, err
		}
		if o.Log != nil {
			o.Log.Info("waiting for the database", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(waitEvery):
		}
	}
}

// Lock marks the file of a database as used by a server; nothing is done for PostgreSQL.
func Lock(databaseURL string) (release func() error, err error) {
	if IsPostgres(databaseURL) {
		return func() error { return nil }, nil
	}
	return sqlite.Lock(databaseURL)
}
