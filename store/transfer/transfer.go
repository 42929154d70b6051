package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/sqlite"
)

// Result is what a transfer copied and checked.
type Result struct {
	Tables  []Table
	Audits  int64 // entries of the chain, which was verified
	Differ  int   // counters that differ from a recount, in the source and in the target alike
	Machine int64 // rows of instances
}

// Move copies a database into an empty one. No server may use either.
func Move(ctx context.Context, from, to string) (r *Result, err error) {
	source, err := openSource(ctx, from)
	if err != nil {
		return nil, err
	}
	defer closeAll(&err, source)
	target, err := openTarget(ctx, to)
	if err != nil {
		return nil, err
	}
	defer closeAll(&err, target)
	all, err := copyInto(ctx, source, target, func(tx *sql.Tx) error { return empty(ctx, tx) }, nil)
	if err != nil {
		return nil, err
	}
	return check(ctx, all, from, to)
}

// copyInto copies in one transaction of each database. before and after run in that of
// the target.
func copyInto(ctx context.Context, source, target *database, before func(*sql.Tx) error, after func(*sql.Tx, []Table) error) ([]Table, error) {
	reading, err := source.begin(ctx, true)
	if err != nil {
		return nil, err
	}
	defer reading.Rollback() //nolint:errcheck // nothing was written
	writing, err := target.begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer writing.Rollback() //nolint:errcheck // does nothing after a commit
	if err := before(writing); err != nil {
		return nil, err
	}
	all, err := copyAll(ctx, reading, writing, target.postgres)
	if err != nil {
		return nil, err
	}
	if after != nil {
		if err := after(writing, all); err != nil {
			return nil, err
		}
	}
	return all, writing.Commit()
}

// check verifies the audit and the counters of a copy.
func check(ctx context.Context, all []Table, from, to string) (*Result, error) {
	r := &Result{Tables: all}
	if i := slices.IndexFunc(all, func(t Table) bool { return t.Name == "instances" }); i >= 0 {
		r.Machine = all[i].Rows
	}
	was, err := recount(ctx, from, nil)
	if err != nil {
		return nil, fmt.Errorf("recount the source: %w", err)
	}
	is, err := recount(ctx, to, r)
	if err != nil {
		return nil, fmt.Errorf("check the copy: %w", err)
	}
	if !slices.Equal(was, is) {
		return nil, fmt.Errorf("the counters of the copy differ from a recount: %d of them, and %d in the source", len(is), len(was))
	}
	r.Differ = len(is)
	return r, nil
}

// recount compares the counters of a database, and verifies its audit if r is not nil.
func recount(ctx context.Context, url string, r *Result) (all []store.Difference, err error) {
	s, err := store.Open(ctx, store.Options{URL: url, Unchanged: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if r != nil {
		chain, err := s.VerifyAudits(ctx, "")
		if err != nil {
			return nil, fmt.Errorf("verify the audit: %w", err)
		}
		r.Audits = chain.Entries
	}
	return s.Recount(ctx)
}

// formatVersion is the version of the backup format.
const formatVersion = 1

// Backup copies a database, which may be in use, into a new file: an SQLite database
// with a table of checksums. The file appears under its name when it is complete and
// written to the disk.
func Backup(ctx context.Context, from, path string) (r *Result, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s exists already: choose another name", path)
	}
	source, err := openSource(ctx, from)
	if err != nil {
		return nil, err
	}
	defer closeAll(&err, source)
	folder, err := os.MkdirTemp(filepath.Dir(path), ".coreroller-backup-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	part := filepath.Join(folder, "backup.db")
	all, err := backupInto(ctx, source, part)
	if err != nil {
		return nil, err
	}
	if err := verify(ctx, part, all); err != nil {
		return nil, err
	}
	r = &Result{Tables: all}
	differences, err := recount(ctx, part, r)
	if err != nil {
		return nil, err
	}
	r.Differ = len(differences)
	return r, publish(part, path)
}

func backupInto(ctx context.Context, source *database, part string) (all []Table, err error) {
	target, err := openTarget(ctx, part)
	if err != nil {
		return nil, err
	}
	defer closeAll(&err, target)
	return copyInto(ctx, source, target, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE backup_manifest (name text PRIMARY KEY, rows integer NOT NULL, digest text NOT NULL)`)
		return err
	}, func(tx *sql.Tx, all []Table) error {
		for _, t := range append(slices.Clone(all), Table{Name: "", Rows: formatVersion}) {
			if _, err := tx.ExecContext(ctx, "INSERT INTO backup_manifest (name, rows, digest) VALUES (?, ?, ?)", t.Name, t.Rows, t.Digest); err != nil {
				return err
			}
		}
		return nil
	})
}

// publish gives a complete backup its name.
func publish(part, path string) error {
	if err := settle(part); err != nil {
		return err
	}
	f, err := os.OpenFile(part, os.O_RDWR, 0) //nolint:gosec // G304: the file that it wrote
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(part, path); err != nil { // unlike a rename it never replaces a file
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// settle moves everything from the log into the file.
func settle(path string) error {
	d, err := sqlite.OpenToMigrate(path)
	if err != nil {
		return err
	}
	var mode string
	err = d.QueryRow("PRAGMA journal_mode = DELETE").Scan(&mode)
	if err == nil && mode != "delete" {
		err = fmt.Errorf("the log of %s is in use", path)
	}
	return errors.Join(err, d.Close())
}

// Restore copies a backup into an empty database, after it has verified the file.
func Restore(ctx context.Context, path, to string) (r *Result, err error) {
	if err := verify(ctx, path, nil); err != nil {
		return nil, err
	}
	// The file stays as it is: SQLite would create a log next to it.
	folder, err := os.MkdirTemp("", "coreroller-restore-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	duplicate := filepath.Join(folder, "backup.db")
	if err := duplicateFile(path, duplicate); err != nil {
		return nil, err
	}
	return Move(ctx, duplicate, to)
}

// verify reads a backup and compares it with its checksums, and with all if that is not
// nil.
func verify(ctx context.Context, path string, all []Table) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the backup %s is damaged, or none: %w", path, err)
		}
	}()
	d, err := sqlite.OpenUntouched(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	var whole string
	if err := tx.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&whole); err != nil {
		return err
	}
	if whole != "ok" {
		return errors.New(whole)
	}
	manifest, err := readManifest(ctx, tx)
	if err != nil {
		return err
	}
	if format := manifest[""].Rows; format != formatVersion {
		return fmt.Errorf("its format is version %d, and this program knows version %d", format, formatVersion)
	}
	for _, t := range tables() {
		want, known := manifest[t.Name]
		if !known {
			return fmt.Errorf("it has no table %s: restore it with the version of coreroller that made it, then upgrade", t.Name)
		}
		got, err := digest(ctx, tx, t, nil)
		if err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
		if got.Rows != want.Rows || got.String() != want.Digest {
			return fmt.Errorf("the checksum of %s does not match: it has %s rows of %d", t.Name, strconv.FormatInt(got.Rows, 10), want.Rows)
		}
		if all != nil && !slices.Contains(all, want) {
			return fmt.Errorf("the copy of %s differs from what was read", t.Name)
		}
	}
	return nil
}

func readManifest(ctx context.Context, tx *sql.Tx) (map[string]Table, error) {
	rows, err := tx.QueryContext(ctx, "SELECT name, rows, digest FROM backup_manifest")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]Table{}
	for rows.Next() {
		var t Table
		if err := rows.Scan(&t.Name, &t.Rows, &t.Digest); err != nil {
			return nil, err
		}
		all[t.Name] = t
	}
	return all, rows.Err()
}

func duplicateFile(from, to string) error {
	content, err := os.Open(from) //nolint:gosec // G304: the file that the caller names
	if err != nil {
		return err
	}
	defer content.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // G304: in a new folder
	if err != nil {
		return err
	}
	_, err = f.ReadFrom(content)
	return errors.Join(err, f.Close())
}
