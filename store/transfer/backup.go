package transfer

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/sqlite"
)

// A backup is an SQLite database with a table of checksums. Besides a row for each table
// this has two about the file: entryFormat has the version of the format and of the
// schema, entryRecount the counters that differ from a recount, as JSON.
const (
	formatVersion = 1
	entryFormat   = "(format)"
	entryRecount  = "(recount)"

	createManifest = "CREATE TABLE backup_manifest (name text PRIMARY KEY, rows integer NOT NULL, digest text NOT NULL)"
	insertManifest = "INSERT INTO backup_manifest (name, rows, digest) VALUES (?, ?, ?)"
)

var errOtherVersion = errors.New("the backup was made by another version of coreroller: restore it with that version, then upgrade")

// Backup copies a database, which may be in use, into a new file. The file appears under
// its name when it is complete, verified and on the disk.
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
	r = &Result{Tables: all}
	differences, err := recount(ctx, part, r)
	if err != nil {
		return nil, err
	}
	r.Differ = len(differences)
	if err := settle(ctx, part, differences); err != nil {
		return nil, err
	}
	if _, err := verify(ctx, part); err != nil {
		return nil, err
	}
	return r, publish(part, path)
}

func backupInto(ctx context.Context, source *database, part string) (all []Table, err error) {
	target, err := openTarget(ctx, part)
	if err != nil {
		return nil, err
	}
	defer closeAll(&err, target)
	return copyInto(ctx, source, target, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, createManifest)
		return err
	}, func(tx *sql.Tx, all []Table) error {
		for _, t := range append(slices.Clone(all), Table{entryFormat, formatVersion, schemaDigest()}) {
			if _, err := tx.ExecContext(ctx, insertManifest, t.Name, t.Rows, t.Digest); err != nil {
				return err
			}
		}
		return nil
	})
}

// schemaDigest identifies the tables and columns of this version, which are those of both
// databases.
func schemaDigest() string {
	sum := sha256.New()
	for _, t := range tables() {
		for _, c := range t.Columns {
			_, _ = fmt.Fprintf(sum, "%s.%s %s\n", t.Name, c.Name, c.Type)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// settle adds the result of the recount, and moves everything from the log into the file.
func settle(ctx context.Context, path string, differences []store.Difference) error {
	text, err := json.Marshal(differences)
	if err != nil {
		return err
	}
	d, err := sqlite.OpenToMigrate(path)
	if err != nil {
		return err
	}
	var mode string
	_, err = d.ExecContext(ctx, insertManifest, entryRecount, len(differences), string(text))
	if err == nil {
		err = d.QueryRowContext(ctx, "PRAGMA journal_mode = DELETE").Scan(&mode)
	}
	if err == nil && mode != "delete" {
		err = fmt.Errorf("the log of %s is in use", path)
	}
	return errors.Join(err, d.Close())
}

// publish gives a complete backup its name.
func publish(part, path string) error {
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

// Restore copies a backup into an empty database, after it has verified the file, which
// it only reads.
func Restore(ctx context.Context, path, to string) (r *Result, err error) {
	differences, err := verify(ctx, path)
	if err != nil {
		return nil, err
	}
	target, err := openTarget(ctx, to)
	if err != nil {
		return nil, err
	}
	defer closeAll(&err, target)
	pool, err := sqlite.OpenUntouched(path)
	if err != nil {
		return nil, err
	}
	source := &database{url: path, pool: pool, close: pool.Close}
	defer closeAll(&err, source)
	all, err := copyInto(ctx, source, target, func(tx *sql.Tx) error { return empty(ctx, tx) }, nil)
	if err != nil {
		return nil, err
	}
	return check(ctx, all, to, differences)
}

// verify reads a backup and compares it with its checksums. It returns the counters that
// differed from a recount.
func verify(ctx context.Context, path string) (differences []store.Difference, err error) {
	defer func() {
		if err != nil && !errors.Is(err, errOtherVersion) {
			err = fmt.Errorf("the backup %s is damaged, or none: %w", path, err)
		}
	}()
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	d, err := sqlite.OpenUntouched(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	var whole string
	if err := tx.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&whole); err != nil {
		return nil, err
	}
	if whole != "ok" {
		return nil, errors.New(whole)
	}
	manifest, err := readManifest(ctx, tx)
	if err != nil {
		return nil, err
	}
	if format := manifest[entryFormat].Rows; format != formatVersion {
		return nil, fmt.Errorf("its format is version %d, and this program knows version %d", format, formatVersion)
	}
	if err := json.Unmarshal([]byte(manifest[entryRecount].Digest), &differences); err != nil {
		return nil, fmt.Errorf("read the result of its recount: %w", err)
	}
	if manifest[entryFormat].Digest != schemaDigest() {
		return nil, errOtherVersion
	}
	return differences, verifyTables(ctx, tx, manifest)
}

func verifyTables(ctx context.Context, tx *sql.Tx, manifest map[string]Table) error {
	for _, t := range tables() {
		want, known := manifest[t.Name]
		if !known {
			return fmt.Errorf("it has no table %s", t.Name)
		}
		got, err := digest(ctx, tx, t, nil)
		if err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
		if got.Rows != want.Rows || got.String() != want.Digest {
			return fmt.Errorf("the checksum of %s does not match: it has %d rows, and had %d", t.Name, got.Rows, want.Rows)
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
