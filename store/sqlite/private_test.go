package sqlite

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Other users can read neither a new database nor one of an earlier version.
func TestDatabaseIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "coreroller.db")
	mode := func(name string) os.FileMode {
		t.Helper()
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	open := func() {
		t.Helper()
		if err := MakePrivate(path, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Fatal(err)
		}
		d, err := Open(t.Context(), path, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		if _, err := d.Writer.ExecContext(t.Context(), "create table if not exists t (a int)"); err != nil {
			t.Fatal(err)
		}
	}
	open()
	files := []string{path, path + "-wal", path + "-shm"}
	for _, name := range append(files, dir) {
		if m := mode(name); m&0o077 != 0 {
			t.Errorf("%s has the mode %o", name, m)
		}
		if err := os.Chmod(name, map[bool]os.FileMode{true: 0o755, false: 0o644}[name == dir]); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), dir) {
		t.Errorf("the directory was repaired with the log %s", log.String())
	}
	log.Reset()
	open()
	for _, name := range append(files, dir) {
		if m := mode(name); m&0o077 != 0 {
			t.Errorf("%s still has the mode %o", name, m)
		}
	}
	if strings.Count(log.String(), "\n") != 1 {
		t.Errorf("log: %s", log.String())
	}
	log.Reset()
	open()
	if log.Len() > 0 {
		t.Errorf("nothing was changed, log: %s", log.String())
	}
}

// A directory of all users is not taken from them.
func TestSharedDirectoryStaysShared(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if err := MakePrivate(filepath.Join(dir, "coreroller.db"), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o777 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}
