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

// noteOldest keeps the newest applied contract in the database. It never lowers it: a
// newer program can have noted a higher one meanwhile.
func noteOldest(ctx context.Context, d *sql.DB, files fs.FS, target int64) error {
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
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it was committed, or the error is returned
	if _, err := tx.ExecContext(ctx, "LOCK TABLE goose_db_version IN SHARE ROW EXCLUSIVE MODE"); err != nil {
		return err
	}
	noted, err := oldest(ctx, tx)
	if err != nil || noted >= mine {
		return err
	}
	if _, err := tx.ExecContext(ctx, "COMMENT ON TABLE goose_db_version IS '"+oldestNote+strconv.FormatInt(mine, 10)+"'"); err != nil {
		return err
	}
	return tx.Commit()
}
