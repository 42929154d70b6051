package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/migrations"
	"github.com/coreroller/coreroller/store/storetest"
)

// Statements that a program from before the migration can trip over.
var contracting = regexp.MustCompile(`(?i)\bDROP (COLUMN|TABLE|CONSTRAINT)\b|\bRENAME\b|\bALTER COLUMN "?\w+"? (SET NOT NULL|TYPE)\b`)

// If this fails, read CONTRIBUTING.md on migrations.
func TestMigrationsAreMarked(t *testing.T) {
	contracts, err := migrations.Contracts(os.DirFS("migrations"))
	check(t, err)
	all, err := fs.Glob(os.DirFS("migrations"), "postgres/*.sql")
	check(t, err)
	known := map[string]bool{}
	for _, file := range all {
		text, err := os.ReadFile(filepath.Join("migrations", file))
		check(t, err)
		number, _, _ := strings.Cut(filepath.Base(file), "_")
		known[number] = true
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		marked := false
		for version := range contracts {
			marked = marked || strings.HasPrefix(number, strconv.FormatInt(version, 10))
		}
		for line := range strings.Lines(up) {
			adds := strings.Contains(line, "ADD COLUMN") && regexp.MustCompile(`ADD COLUMN "\w+" [^,;]*NOT NULL(;|,|$)`).MatchString(line) && !strings.Contains(line, "DEFAULT")
			if (contracting.MatchString(line) || adds) && !marked {
				t.Errorf("%s is not in contracts.txt, but servers of the version before cannot use what it leaves: %.200s", file, line)
			}
		}
	}
	for version := range contracts {
		if !known[strconv.FormatInt(version, 10)] {
			t.Errorf("contracts.txt names %d, which does not exist", version)
		}
	}
}

// newer returns the migrations of a newer program, with one that may be a contract.
func newer(t *testing.T, contract bool) fs.FS {
	t.Helper()
	folder := t.TempDir()
	check(t, os.CopyFS(folder, os.DirFS("migrations")))
	check(t, os.WriteFile(filepath.Join(folder, "postgres", "99990101000000_newer.sql"), []byte("-- +goose Up\nALTER TABLE \"groups\" ADD COLUMN \"newer\" bigint NOT NULL DEFAULT 0;\n"), 0o600))
	if contract {
		f, err := os.OpenFile(filepath.Join(folder, "contracts.txt"), os.O_APPEND|os.O_WRONLY, 0)
		check(t, err)
		_, err = f.WriteString("99990101000000 changes what groups mean\n")
		check(t, errors.Join(err, f.Close()))
	}
	return os.DirFS(folder)
}

func TestServersRunBesideANewerOneThatOnlyAdded(t *testing.T) {
	url := storetest.Postgres(t)
	running := open(t, url)
	check(t, running.Beat(t.Context(), time.Now()))
	check(t, migrations.ApplyFrom(t.Context(), url, newer(t, false)))

	check(t, running.Beat(t.Context(), time.Now()))
	fill(t, running)
	restarted := open(t, url) // a server of the version before starts again
	check(t, restarted.Beat(t.Context(), time.Now()))
	if _, err := migrations.List(t.Context(), url); err != nil {
		t.Errorf("list of migrations: %v", err)
	}
	// It does not lower what the newer one noted.
	check(t, migrations.ApplyFrom(t.Context(), url, newer(t, true)))
	if err := migrations.Apply(t.Context(), url); !errors.Is(err, migrations.ErrNewer) {
		t.Errorf("after a contract a program from before it starts: %v", err)
	}
}

func TestServersStopUsingADatabaseThatIsTooNew(t *testing.T) {
	url := storetest.Postgres(t)
	running := open(t, url)
	check(t, running.Beat(t.Context(), time.Now()))
	check(t, migrations.ApplyFrom(t.Context(), url, newer(t, true)))

	var old *migrations.TooOldError
	if err := running.Beat(t.Context(), time.Now()); !errors.As(err, &old) || old.Needed != 99990101000000 || !store.Unavailable(err) {
		t.Fatalf("beat: %v", err)
	}
	err := running.Write(t.Context(), time.Now(), func(*store.Tx) error { return nil })
	if !errors.As(err, &old) || !strings.Contains(err.Error(), "start the new version") {
		t.Errorf("a transaction began: %v", err)
	}
	if _, _, problem := conditionOf(running); !errors.As(problem, &old) {
		t.Errorf("the probes do not know: %v", problem)
	}
	if _, err := store.Open(context.Background(), store.Options{URL: url}); !errors.Is(err, migrations.ErrNewer) {
		t.Errorf("it starts again: %v", err)
	}
}

func conditionOf(s *store.Store) (committed, failing time.Time, problem error) {
	committed, failing, _, problem = s.Condition()
	return committed, failing, problem
}
