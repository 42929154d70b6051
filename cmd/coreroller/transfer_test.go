package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/foreign/foreigntest"
	"github.com/coreroller/coreroller/store/storetest"
)

// The whole way: import, back up, restore into PostgreSQL, move back.
func TestImportBackUpRestoreAndMove(t *testing.T) {
	from := storetest.EmptyPostgres(t)
	foreigntest.Fill(t, from, foreigntest.CoreRoller, 24)
	folder, other := t.TempDir(), t.TempDir()
	pg := storetest.EmptyPostgres(t)
	backup := filepath.Join(t.TempDir(), "backup")
	for _, step := range []struct {
		args  []string
		input string
		code  int
		want  []string // in the output or the error
	}{
		{[]string{"import", "nebraska", "--data-dir", folder, "--from", from}, "", 1, []string{"run coreroller import coreroller"}},
		{[]string{"import", "coreroller", "--data-dir", folder, "--from", "mysql://x"}, "", 1, []string{"--from: ", "postgres://"}},
		{[]string{"import", "coreroller", "--data-dir", folder, "--from", from, "--since", "soon"}, "", 1, []string{`--since: "soon"`}},
		{[]string{"import", "coreroller", "--data-dir", folder, "--from", from, "--dry-run"}, "", 0, []string{"Plan: from ", "machines                24", "24         0", "conflict"}},
		{[]string{"import", "coreroller", "--data-dir", folder, "--from", from}, "no\n", 1, []string{"nothing was imported"}},
		{[]string{"import", "coreroller", "--data-dir", folder, "--from", from}, "yes\n", 0, []string{"Imported: from ", "took "}},
		// The imported names cannot sign in, so a new database gets its first user, too.
		{[]string{"user", "list", "--data-dir", folder}, "", 0, []string{"admin", "owner"}},
		{[]string{"backup", "--data-dir", folder, "--to", backup}, "", 0, []string{"backed up ", "all rows compared", ", 0 counters differ"}},
		{[]string{"backup", "--data-dir", folder, "--to", backup}, "", 1, []string{"exists already"}},
		{[]string{"restore", "--database-url", pg, "--from", backup}, "", 0, []string{"restored ", ", 0 counters differ"}},
		{[]string{"restore", "--database-url", pg, "--from", backup}, "", 1, []string{"already contains data", "nothing was changed"}},
		{[]string{"move", "--from", pg, "--to", "sqlite://" + other}, "", 0, []string{"moved ", ", 0 counters differ"}},
		{[]string{"move", "--from", pg, "--to", "elsewhere"}, "", 1, []string{"--to must begin with sqlite://"}},
		{[]string{"audit", "verify", "--data-dir", other}, "", 0, []string{"chain whole"}},
		{[]string{"import", "coreroller", "--data-dir", other, "--from", from, "--dry-run"}, "", 0, []string{"machines                 0         0        24"}},
	} {
		out, errs, code := execute(t, step.input, nil, step.args...)
		for _, want := range step.want {
			if code != step.code || !strings.Contains(out+errs, want) {
				t.Errorf("%v: code %d, want %d and %q in\n%s%s", step.args, code, step.code, want, out, errs)
			}
		}
	}
	if info, err := os.Stat(backup); err != nil || !store.Private(info) {
		t.Errorf("other users can read the backup: %v %v", info.Mode(), err)
	}
}

// A server that runs with the embedded database would not notice what is written.
func TestUsedDatabasesAreRefused(t *testing.T) {
	folder := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{URL: filepath.Join(folder, databaseFile)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Beat(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"import", "nebraska", "--data-dir", folder, "--from", "postgres://localhost/none"},
		{"move", "--from", "sqlite://" + folder, "--to", "sqlite://" + t.TempDir()},
		{"restore", "--data-dir", folder, "--from", "none"},
	} {
		if out, errs, code := execute(t, "", nil, args...); code != 1 || !strings.Contains(errs, "a server uses this database: stop it") {
			t.Errorf("%v: code %d, %s%s", args, code, out, errs)
		}
	}
}
