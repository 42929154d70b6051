package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// TooOldError means that a newer program changed the database so that this one must not
// use it any more; see contracts.txt.
type TooOldError struct{ Needed, Own int64 } // migrations

// Error names both versions.
func (e *TooOldError) Error() string {
	return fmt.Sprintf("%s (the database needs %d, this program has %d)", e.Public(), e.Needed, e.Own)
}

// Public is for those who ask whether the server is ready.
func (*TooOldError) Public() string {
	return "a newer version of coreroller changed the database in a way that this one does not know: stop this server and start the new version"
}

// contractsFile lists the migrations that only programs with them can use.
const contractsFile = "contracts.txt"

// oldestNote begins the comment on goose's table in PostgreSQL. It is followed by the
// newest contract that was applied: programs without it must not use the database.
const oldestNote = "oldest program: "

// readOldest reads that comment.
const readOldest = `SELECT COALESCE(obj_description(to_regclass('goose_db_version'), 'pg_class'), '')`

// Contracts returns the versions in contracts.txt with their reasons.
func Contracts(files fs.FS) (map[int64]string, error) {
	text, err := fs.ReadFile(files, contractsFile)
	if err != nil {
		return nil, err
	}
	all := map[int64]string{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		number, reason, _ := strings.Cut(line, " ")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil || reason == "" {
			return nil, fmt.Errorf("%s: %q is not a version and a reason", contractsFile, line)
		}
		all[version] = reason
	}
	return all, nil
}

// newest returns the newest migration for PostgreSQL of this program.
func newest(files fs.FS) (version int64, err error) {
	all, err := fs.Glob(files, "postgres/*.sql")
	if err != nil || len(all) == 0 {
		return 0, errors.Join(err, errors.New("there are no migrations"))
	}
	number, _, _ := strings.Cut(path.Base(all[len(all)-1]), "_") // sorted
	return strconv.ParseInt(number, 10, 64)
}

// querier is a database, a connection or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// oldest returns the newest contract that was applied to a PostgreSQL, 0 if no program
// noted one.
func oldest(ctx context.Context, q querier) (int64, error) {
	var note string
	if err := q.QueryRowContext(ctx, readOldest).Scan(&note); err != nil {
		return 0, err
	}
	number, found := strings.CutPrefix(note, oldestNote)
	if !found {
		return 0, nil
	}
	return strconv.ParseInt(number, 10, 64)
}

// Usable returns a TooOldError if this program must not use a PostgreSQL any more.
func Usable(ctx context.Context, q querier) error {
	own, err := newest(embedded)
	if err != nil {
		return err
	}
	needed, err := oldest(ctx, q)
	if err == nil && needed > own {
		err = &TooOldError{needed, own}
	}
	return err
}

// upPostgres applies the missing migrations. The newest contract is noted before, so that
// servers that cannot use what it leaves never go on after a crash. If a migration fails,
// the note is of those that were applied: by this process, or by another one meanwhile.
func upPostgres(ctx context.Context, files fs.FS, d *sql.DB, p *goose.Provider, target int64) error {
	contracts, err := Contracts(files)
	if err != nil {
		return err
	}
	mine := int64(0)
	for version := range contracts {
		if version <= target {
			mine = max(mine, version)
		}
	}
	raise := func(_ *sql.Tx, noted int64) (int64, error) { return max(noted, mine), nil }
	if err := note(ctx, d, raise); err != nil {
		return err
	}
	if _, err = p.Up(ctx); err == nil {
		return note(ctx, d, raise) // a new database had no table for it
	}
	back := note(context.WithoutCancel(ctx), d, func(tx *sql.Tx, noted int64) (int64, error) {
		if noted > mine {
			return noted, nil // of a newer program
		}
		return newestApplied(ctx, tx, contracts)
	})
	return errors.Join(err, back)
}

// newestApplied returns the newest of the contracts that the database has, 0 for none.
func newestApplied(ctx context.Context, tx *sql.Tx, contracts map[int64]string) (newest int64, err error) {
	rows, err := tx.QueryContext(context.WithoutCancel(ctx), "SELECT version_id FROM goose_db_version WHERE is_applied")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		if err := rows.Scan(&version); err != nil {
			return 0, err
		}
		if contracts[version] != "" {
			newest = max(newest, version)
		}
	}
	return newest, rows.Err()
}

// note changes the comment under the lock of the table, if the table is there.
func note(ctx context.Context, d *sql.DB, change func(tx *sql.Tx, noted int64) (int64, error)) error {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it was committed, or nothing was changed
	var there bool
	if err := tx.QueryRowContext(ctx, "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&there); err != nil || !there {
		return err
	}
	if _, err := tx.ExecContext(ctx, "LOCK TABLE goose_db_version IN SHARE ROW EXCLUSIVE MODE"); err != nil {
		return err
	}
	noted, err := oldest(ctx, tx)
	if err != nil {
		return err
	}
	next, err := change(tx, noted)
	if err != nil || next == noted {
		return err
	}
	if _, err := tx.ExecContext(ctx, "COMMENT ON TABLE goose_db_version IS '"+oldestNote+strconv.FormatInt(next, 10)+"'"); err != nil {
		return err
	}
	return tx.Commit()
}
