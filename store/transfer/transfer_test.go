package transfer_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/importing"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/foreign"
	"github.com/coreroller/coreroller/store/foreign/foreigntest"
	"github.com/coreroller/coreroller/store/storetest"
	"github.com/coreroller/coreroller/store/transfer"
)

// fill puts machines with history, rollouts, users and audit into a database. The
// returned function closes it.
func fill(t *testing.T, url string, machines int) (use *fleet.Service, ctx context.Context, done func()) {
	t.Helper()
	from := storetest.EmptyPostgres(t)
	foreigntest.Fill(t, from, foreigntest.Nebraska, machines)
	ctx = auth.With(t.Context(), auth.Principal{Name: "olga", Role: auth.Owner, Credential: auth.CredentialCommand})
	s, err := store.Open(ctx, store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	service, err := fleet.New(ctx, fleet.Options{Store: s, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := service.Preinstall(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Beat(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	source, err := foreign.Open(ctx, from)
	if err != nil {
		t.Fatal(err)
	}
	importer, _, err := service.PlanImport(ctx, source, importing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := importer.Run(ctx, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	return service, ctx, func() {
		service.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func rowsOf(r *transfer.Result) map[string]int64 {
	n := map[string]int64{}
	for _, table := range r.Tables {
		n[table.Name] = table.Rows
	}
	return n
}

func TestMoveThereAndBack(t *testing.T) {
	machines := storetest.Size(200, 100_000)
	storetest.EachEmpty(t, func(t *testing.T, first string) {
		_, _, done := fill(t, first, machines)
		done()
		second, third := storetest.EmptyPostgres(t), storetest.EmptyPostgres(t)
		if store.IsPostgres(first) {
			second = filepath.Join(t.TempDir(), "second.db")
		} else {
			third = filepath.Join(t.TempDir(), "third.db")
		}
		begin := time.Now()
		there, err := transfer.Move(t.Context(), first, second)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("moved %d machines in %s", there.Machines, time.Since(begin).Round(time.Millisecond))
		if there.Machines != int64(machines) || there.Audits == 0 || there.Differ != 0 {
			t.Errorf("moved %+v", there)
		}
		back, err := transfer.Move(t.Context(), second, third)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(there.Tables, back.Tables) {
			t.Errorf("rows and digests there: %v, and back: %v", there.Tables, back.Tables)
		}
		if _, err := transfer.Move(t.Context(), first, third); !errors.Is(err, transfer.ErrNotEmpty) {
			t.Errorf("into a database with data: %v", err)
		}
		checkUsable(t, third)
	})
}

// checkUsable writes to a copy, so that its sequences and triggers are used.
func checkUsable(t *testing.T, url string) {
	t.Helper()
	ctx := auth.With(t.Context(), auth.Principal{Name: "olga", Role: auth.Owner, Credential: auth.CredentialCommand})
	s, err := store.Open(ctx, store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	service, err := fleet.New(ctx, fleet.Options{Store: s, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	app, err := service.CreateApplication(ctx, fleet.CreateApplication{Name: "after the move"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.CreateGroup(ctx, fleet.CreateGroup{ApplicationID: app.ID, Name: "group"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.VerifyAudits(ctx, ""); err != nil {
		t.Errorf("the audit after the move and a change: %v", err)
	}
	driver := "sqlite"
	if store.IsPostgres(url) {
		driver = "postgres"
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `INSERT INTO audits (id, at, team_id, actor, credential, verb, object, object_id)
		SELECT '00000000-0000-7000-8000-000000000001', at, team_id, actor, credential, verb, object, object_id FROM audits LIMIT 1`)
	if err == nil {
		t.Error("the copy accepts an audit entry outside the chain")
	}
}

func TestBackupAndRestore(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		service, ctx, done := fill(t, url, storetest.Size(100, 100_000))
		defer done()
		path := filepath.Join(t.TempDir(), "backup")
		made, err := transfer.Backup(t.Context(), url, path) // the database is open
		if err != nil {
			t.Fatal(err)
		}
		if _, err := transfer.Backup(t.Context(), url, path); err == nil || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("a backup over another file: %v", err)
		}
		if _, err := service.CreateApplication(ctx, fleet.CreateApplication{Name: "after the backup"}); err != nil {
			t.Fatal(err)
		}
		for _, to := range []string{filepath.Join(t.TempDir(), "restored.db"), storetest.EmptyPostgres(t)} {
			restored, err := transfer.Restore(t.Context(), path, to)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(rowsOf(made), rowsOf(restored)) || !reflect.DeepEqual(made.Tables, restored.Tables) {
				t.Errorf("backed up %v, restored %v", made.Tables, restored.Tables)
			}
			checkUsable(t, to)
		}
		if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
			t.Errorf("next to the backup: %v, %v", files, err)
		}
	})
}

func TestDamagedBackupsAreRefused(t *testing.T) {
	url := storetest.SQLite(t)
	_, _, done := fill(t, url, 100)
	done()
	path := filepath.Join(t.TempDir(), "backup")
	if _, err := transfer.Backup(t.Context(), url, path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.ReplaceAll(whole, []byte("migrates the disk"), []byte("migrates the dusk")) // all, because free pages can have copies
	if bytes.Equal(changed, whole) {
		t.Fatal("the backup does not contain the text that this test changes")
	}
	for name, content := range map[string][]byte{
		"empty": {}, "cut": whole[:len(whole)/2], "cut by a page": whole[:len(whole)-4096], "another text": changed, "no database": []byte("hello"),
	} {
		t.Run(name, func(t *testing.T) {
			damaged := filepath.Join(t.TempDir(), "damaged")
			if err := os.WriteFile(damaged, content, 0o600); err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(t.TempDir(), "to.db")
			_, err := transfer.Restore(t.Context(), damaged, to)
			if err == nil || !strings.Contains(err.Error(), "is damaged, or none") {
				t.Errorf("restored with %v", err)
			}
			if _, err := os.Stat(to); err == nil {
				t.Error("the target was created")
			}
		})
	}
}
