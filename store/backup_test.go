package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/migrations"
	"github.com/coreroller/coreroller/store/storetest"
)

// withFurther returns the folder of the migrations with one more for SQLite.
func withFurther(t *testing.T, text string) string {
	t.Helper()
	folder := t.TempDir()
	check(t, os.CopyFS(folder, os.DirFS("migrations")))
	check(t, os.WriteFile(filepath.Join(folder, "sqlite", "99990101000000_further.sql"), []byte("-- +goose Up\n"+text), 0o600))
	return folder
}

func copies(t *testing.T, path string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(filepath.Dir(path), migrations.BackupFolder, "*"))
	check(t, err)
	return all
}

func TestEmbeddedDatabaseIsCopiedBeforeItsMigration(t *testing.T) {
	path := storetest.SQLite(t)
	s, err := store.Open(t.Context(), store.Options{URL: path})
	check(t, err)
	fill(t, s)
	check(t, s.Close())
	before := rows(t, path)
	now := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	apply := func(folder string, now time.Time) (string, error) {
		return migrations.ApplyFromWithBackup(t.Context(), path, os.DirFS(folder), now)
	}

	// Nothing is pending.
	if copied, err := apply("migrations", now); err != nil || copied != "" || len(copies(t, path)) != 0 {
		t.Fatalf("without a migration: %q %v", copied, err)
	}
	// A migration that fails changes nothing, and the copy is there.
	copied, err := apply(withFurther(t, "DROP TABLE history_entries;\nCREATE TABLE wrong (;\n"), now)
	if err == nil || copied == "" {
		t.Fatalf("a migration that fails: %q %v", copied, err)
	}
	for _, file := range []string{path, copied} {
		for table, n := range rows(t, file) {
			if n != before[table] {
				t.Errorf("%s: %s has %d rows, had %d", file, table, n, before[table])
			}
		}
		if s, err := store.Open(t.Context(), store.Options{URL: file}); err != nil {
			t.Errorf("%s cannot be opened: %v", file, err)
		} else {
			check(t, s.Close())
		}
	}
	info, err := os.Stat(copied)
	check(t, err)
	if info.Mode().Perm() != 0o600 || !strings.HasSuffix(copied, ".db") || !strings.Contains(copied, "20261201T100000Z") {
		t.Errorf("%s has mode %v", copied, info.Mode())
	}
	// The last three copies are kept.
	for i := range 4 {
		if _, err := apply(withFurther(t, "CREATE TABLE wrong (;\n"), now.Add(time.Duration(i+1)*time.Minute)); err == nil {
			t.Fatal("a wrong migration was applied")
		}
	}
	if all := copies(t, path); len(all) != 3 || strings.Contains(strings.Join(all, " "), "T100000Z") {
		t.Errorf("copies: %v", all)
	}
	if _, err := apply(withFurther(t, "CREATE TABLE further (id integer);\n"), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, ok := rows(t, path)["further"]; !ok {
		t.Error("the migration was not applied")
	}
}

// Without room for the copy nothing is migrated.
func TestMigrationWaitsForRoomForItsCopy(t *testing.T) {
	path := storetest.SQLite(t)
	check(t, os.WriteFile(filepath.Join(filepath.Dir(path), migrations.BackupFolder), nil, 0o600)) // no folder can be made
	_, err := migrations.ApplyFromWithBackup(t.Context(), path, os.DirFS(withFurther(t, "CREATE TABLE further (id integer);\n")), time.Now())
	if err == nil || !strings.Contains(err.Error(), "--migration-backup=false") || errors.Is(err, migrations.ErrNewer) {
		t.Errorf("error %v", err)
	}
	if _, ok := rows(t, path)["further"]; ok {
		t.Error("it was migrated without a copy")
	}
}

func TestNewDatabaseIsNotCopied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.db")
	s, err := store.Open(t.Context(), store.Options{URL: path})
	check(t, err)
	check(t, s.Close())
	if all := copies(t, path); len(all) != 0 {
		t.Errorf("copies of a new database: %v", all)
	}
}
