// Package foreign reads the databases of Nebraska and of CoreRoller 1.0. It only reads:
// everything is read in one read-only transaction, so that the server there may run. It
// looks at the columns that exist, not at a version, and decides nothing about what it
// reads. All texts are those of another server: their length is limited, and no more.
package foreign

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/lib/pq" // driver "postgres"

	"github.com/coreroller/coreroller/store/postgres"
)

// Kind is the program that wrote a database.
type Kind string

// The programs.
const (
	Nebraska   Kind = "nebraska"
	CoreRoller Kind = "coreroller"
)

const (
	// maxConfiguration limits the rows of one table of configuration, which are in memory.
	maxConfiguration = 200_000
	// statementLimit ends a statement that the other server does not finish.
	statementLimit = 30 * time.Minute
	// connectLimit ends an attempt to connect.
	connectLimit = 30 * time.Second
)

// Source is an open database of another server. It is used by one goroutine.
type Source struct {
	Kind   Kind
	Place  string    // host and name of the database, without user and password
	Schema string    // name of the last migration
	Now    time.Time // of the transaction, by the clock of the database

	pool    *sql.DB
	tx      *sql.Tx
	columns map[string]bool // "table.column"
}

// Open connects and begins the transaction. The error says if the database is that of
// neither program.
func Open(ctx context.Context, databaseURL string) (_ *Source, err error) {
	if !postgres.IsURL(databaseURL) {
		return nil, errors.New("the address of the other database must begin with postgres://")
	}
	u, err := url.Parse(databaseURL)
	if err != nil {
		return nil, errors.New("the address of the other database is not a valid URL") // err contains the password
	}
	s := &Source{Place: placeOf(u), columns: map[string]bool{}}
	if s.pool, err = sql.Open("postgres", databaseURL); err != nil {
		return nil, fmt.Errorf("open %s: %w", s.Place, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("read %s: %w", s.Place, err), s.Close())
		}
	}()
	s.pool.SetMaxOpenConns(1)
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	if s.tx, err = s.pool.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}); err != nil {
		return nil, err
	}
	for _, setting := range []string{
		fmt.Sprintf("SET LOCAL statement_timeout = %d", statementLimit.Milliseconds()),
		"SET LOCAL idle_in_transaction_session_timeout = 0", "SET LOCAL timezone = 'UTC'",
	} {
		if _, err := s.tx.ExecContext(ctx, setting); err != nil {
			return nil, err
		}
	}
	if err := s.readColumns(ctx); err != nil {
		return nil, err
	}
	return s, s.recognize(ctx)
}

func (s *Source) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	return s.pool.PingContext(ctx)
}

// placeOf names a database without the password.
func placeOf(u *url.URL) string {
	host := u.Host
	if host == "" {
		host = u.Query().Get("host")
	}
	return host + "/" + strings.TrimPrefix(u.Path, "/")
}

// Close ends the transaction, which wrote nothing, and the connection.
func (s *Source) Close() error {
	if s.tx != nil {
		_ = s.tx.Rollback() // nothing was written
	}
	return s.pool.Close()
}

func (s *Source) readColumns(ctx context.Context) error {
	rows, err := s.tx.QueryContext(ctx, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ANY (current_schemas(false))") //nolint:sqlclosecheck // each closes them
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var table, column string
		err := rows.Scan(&table, &column)
		s.columns[table+"."+column] = true
		return err
	})
}

// recognize finds out which program wrote the database, and the time.
func (s *Source) recognize(ctx context.Context) error {
	for _, column := range []string{
		"database_migrations.id", "team.id", "application.id", "package.id", "channel.id", "groups.id", "instance.id",
		"instance_application.update_in_progress", "instance_status_history.id", "event.id", "event_type.id", "activity.id",
	} {
		if !s.columns[column] {
			return fmt.Errorf("it is neither the database of Nebraska nor that of CoreRoller 1.0: there is no %s", column)
		}
	}
	if !s.columns["flatcar_action.id"] && !s.columns["coreos_action.id"] {
		return errors.New("it is neither the database of Nebraska nor that of CoreRoller 1.0: there is no flatcar_action.id and no coreos_action.id")
	}
	var migrations int
	if err := s.tx.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(MAX(id), ''), now() FROM database_migrations").Scan(&migrations, &s.Schema, &s.Now); err != nil {
		return err
	}
	s.Now = s.Now.UTC()
	if s.Kind = Nebraska; migrations == 1 && s.columns["coreos_action.id"] {
		s.Kind = CoreRoller
	}
	return nil
}

// optional returns an expression for a column that older databases do not have.
func (s *Source) optional(alias, table, column, otherwise string) string {
	if s.columns[table+"."+column] {
		return alias + "." + column
	}
	return otherwise
}

// each calls scan for every row and closes rows.
func each(rows *sql.Rows, scan func() error) error {
	defer rows.Close()
	for n := 1; rows.Next(); n++ {
		if n > maxConfiguration {
			return fmt.Errorf("more than %d rows in one table", maxConfiguration)
		}
		if err := scan(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// seconds returns the length of an interval as PostgreSQL reads it. A text that is no
// interval ends the statement, so each is read below a savepoint of its own.
func (s *Source) seconds(ctx context.Context, text string) (seconds float64, ok bool, err error) {
	if _, err := s.tx.ExecContext(ctx, "SAVEPOINT one_interval"); err != nil {
		return 0, false, err
	}
	failed := s.tx.QueryRowContext(ctx, "SELECT extract(epoch FROM $1::text::interval)::float8", text).Scan(&seconds)
	if _, err := s.tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT one_interval"); err != nil {
		return 0, false, err
	}
	if failed == nil {
		return seconds, true, nil
	}
	if _, refused := errors.AsType[*pq.Error](failed); refused {
		return 0, false, nil
	}
	return 0, false, failed
}
