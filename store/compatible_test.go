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
var contracting = regexp.MustCompile(`(?i)\bDROP (COLUMN|TABLE|CONSTRAINT|DEFAULT)\b|\bRENAME\b|\bALTER COLUMN "?\w+"? (SET NOT NULL|TYPE)\b|\bADD (CONSTRAINT|CHECK)\b|\bCREATE UNIQUE INDEX "\w+" ON "(\w+)"`)

// trips reports whether a line of a migration changes what the version before can use.
// Tables that the migration creates are not used yet.
func trips(line string, created map[string]bool) bool {
	if m := contracting.FindStringSubmatch(line); m != nil && (m[4] == "" || !created[m[4]]) {
		return true
	}
	for _, clause := range strings.Split(line, "ADD COLUMN ")[1:] {
		if strings.Contains(clause, "NOT NULL") && !strings.Contains(clause, "DEFAULT") && !strings.Contains(clause, "GENERATED") {
			return true
		}
	}
	return false
}

func TestContractsAreRecognized(t *testing.T) {
	created := map[string]bool{"new": true}
	for line, want := range map[string]bool{
		`ALTER TABLE "a" ADD COLUMN "b" bigint NOT NULL DEFAULT 0, ADD COLUMN "c" jsonb NULL;`:      false,
		`ALTER TABLE "a" ADD COLUMN "b" bigint NOT NULL, ADD COLUMN "c" bigint NOT NULL DEFAULT 0;`: true,
		`ALTER TABLE "a" ADD COLUMN "b" numeric(5,2) NOT NULL;`:                                     true,
		`ALTER TABLE "a" ALTER COLUMN "b" DROP DEFAULT;`:                                            true,
		`ALTER TABLE "a" ADD CONSTRAINT "c" CHECK (b > 0);`:                                         true,
		`ALTER TABLE "a" RENAME COLUMN "b" TO "c";`:                                                 true,
		`CREATE UNIQUE INDEX "i" ON "a" ("b");`:                                                     true,
		`CREATE UNIQUE INDEX "i" ON "new" ("b");`:                                                   false,
		`CREATE INDEX "i" ON "a" ("b");`:                                                            false,
		`DROP INDEX "i";`:                                                                           false,
	} {
		if got := trips(line, created); got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
	}
}

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
		created := map[string]bool{}
		for _, m := range regexp.MustCompile(`CREATE TABLE "(\w+)"`).FindAllStringSubmatch(up, -1) {
			created[m[1]] = true
		}
		for line := range strings.Lines(up) {
			if trips(line, created) && !marked {
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
	return newerWith(t, contract, `ALTER TABLE "groups" ADD COLUMN "newer" bigint NOT NULL DEFAULT 0;`)
}

func newerWith(t *testing.T, contract bool, text string) fs.FS {
	t.Helper()
	folder := t.TempDir()
	check(t, os.CopyFS(folder, os.DirFS("migrations")))
	check(t, os.WriteFile(filepath.Join(folder, "postgres", "99990101000000_newer.sql"), []byte("-- +goose Up\n"+text+"\n"), 0o600))
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
	if err := migrations.ApplyFrom(t.Context(), url, newerWith(t, true, "ALTER TABLE missing ADD COLUMN a bigint;")); err == nil {
		t.Fatal("a wrong migration was applied")
	}
	check(t, running.Beat(t.Context(), time.Now())) // a contract that failed changes nothing
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

// A contract that was applied keeps older servers out although a later migration failed.
func TestFailedMigrationKeepsTheNoteOfAppliedContracts(t *testing.T) {
	url := storetest.Postgres(t)
	running := open(t, url)
	files := t.TempDir()
	check(t, os.CopyFS(files, newer(t, true)))
	check(t, os.WriteFile(filepath.Join(files, "postgres", "99990102000000_wrong.sql"), []byte("-- +goose Up\nALTER TABLE missing ADD COLUMN a bigint;\n"), 0o600))
	if err := migrations.ApplyFrom(t.Context(), url, os.DirFS(files)); err == nil {
		t.Fatal("a wrong migration was applied")
	}
	var old *migrations.TooOldError
	if err := running.Beat(t.Context(), time.Now()); !errors.As(err, &old) {
		t.Errorf("the older server goes on: %v", err)
	}
	// The one that noted it is started again.
	if err := migrations.ApplyFrom(t.Context(), url, newer(t, true)); err != nil {
		t.Errorf("without the wrong migration: %v", err)
	}
}
