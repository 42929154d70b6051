package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// keptBackups is how many copies from before migrations are kept.
const keptBackups = 3

// BackupFolder is the folder of the copies, next to the database file.
const BackupFolder = "backups"

// ApplyWithBackup is Apply, but copies an embedded database first if it has data and
// lacks a migration. It returns the path of the copy, "" if none was made. PostgreSQL is
// not copied.
func ApplyWithBackup(ctx context.Context, databaseURL string, now time.Time) (copied string, err error) {
	return ApplyFromWithBackup(ctx, databaseURL, embedded, now)
}

// ApplyFromWithBackup is ApplyWithBackup with other files; see ApplyFrom.
func ApplyFromWithBackup(ctx context.Context, databaseURL string, files fs.FS, now time.Time) (copied string, err error) {
	err = withProvider(ctx, databaseURL, files, func(d *sql.DB, p *goose.Provider) error {
		return up(ctx, databaseURL, files, d, p, func(current, target int64) (err error) {
			if current > 0 && current < target {
				copied, err = backUp(ctx, d, databaseURL, current, now)
			}
			return err
		})
	})
	return copied, err
}

// backUp copies the database file through SQLite, so that the copy has one state, and
// deletes the oldest copies.
func backUp(ctx context.Context, d *sql.DB, path string, version int64, now time.Time) (string, error) {
	explain := func(err error) error {
		return fmt.Errorf("copy the database before its migration: %w: make room, or start with --migration-backup=false after a backup of your own", err)
	}
	folder := filepath.Join(filepath.Dir(path), BackupFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", explain(err)
	}
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	target := filepath.Join(folder, fmt.Sprintf("%s-%s-schema-%d.db", name, now.UTC().Format("20060102T150405Z"), version))
	part := target + ".part"
	_ = os.Remove(part) // of a copy that was interrupted
	if _, err := d.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		_ = os.Remove(part)
		return "", explain(err)
	}
	if err := finish(part, target); err != nil {
		return "", explain(err)
	}
	return target, dropBackups(folder, name)
}

// finish makes a copy durable, private, and gives it its name.
func finish(part, target string) error {
	if err := os.Chmod(part, 0o600); err != nil {
		return err
	}
	f, err := os.OpenFile(part, os.O_RDWR, 0) //nolint:gosec // G304: the path is of the database
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(part, target)
}

// dropBackups deletes all copies but the newest. Their names sort by time.
func dropBackups(folder, name string) error {
	all, err := filepath.Glob(filepath.Join(folder, name+"-*-schema-*.db"))
	if err != nil {
		return err
	}
	slices.Sort(all)
	for _, old := range all[:max(0, len(all)-keptBackups)] {
		if err := os.Remove(old); err != nil {
			return fmt.Errorf("delete an old copy of the database: %w", err)
		}
	}
	return nil
}
