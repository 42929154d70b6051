package main

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/client"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// local runs doctor local, and returns its findings by check.
func local(t *testing.T, code int, args ...string) map[string][]client.Finding {
	t.Helper()
	out, errs, got := execute(t, "", nil, append([]string{"doctor", "local", "-o", "json"}, args...)...)
	var all []client.Finding
	if err := json.Unmarshal([]byte(out), &all); err != nil || got != code {
		t.Fatalf("exit code %d, want %d: %v\n%s%s", got, code, err, out, errs)
	}
	found := map[string][]client.Finding{}
	for _, f := range all {
		if f.Text == "" || f.Fix == "" && (f.Level == client.Warning || f.Level == client.Failed) {
			t.Errorf("%+v", f)
		}
		found[f.Check] = append(found[f.Check], f)
	}
	return found
}

// has fails unless a check has a finding of a level with a text, and a fix with another.
func has(t *testing.T, found map[string][]client.Finding, check string, level client.Level, text, fix string) {
	t.Helper()
	for _, f := range found[check] {
		if f.Level == level && strings.Contains(f.Text, text) && strings.Contains(f.Fix, fix) {
			return
		}
	}
	t.Errorf("%s: no finding %q %s, fix %q, among %+v", check, level, text, fix, found[check])
}

// The checks find faults that are made one after the other in the database of a running
// server, and leave it as it is.
func TestLocalDoctorFindsWhatIsWrong(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, databaseURL string) {
		postgres := store.IsPostgres(databaseURL)
		c := Config{Listen: "127.0.0.1:0", DataDir: t.TempDir()}
		args, driver, source := []string{"--data-dir", c.DataDir}, "sqlite", filepath.Join(c.DataDir, databaseFile)
		if postgres {
			c.DatabaseURL = databaseURL
			args, driver, source = append(args, "--database-url", databaseURL), "postgres", databaseURL
		}
		p := NewProgram(c, discard(), time.Now)
		if err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.Close() }()
		policy := fastPolicy(1)
		policy.PeriodInterval = 365 * 24 * time.Hour // one of the two machines must wait for a year
		k := newTestGroup(t, p.fleet, p.store, policy)
		checkIn(t, p, k, "web-1")
		checkIn(t, p, k, "web-2")

		found := local(t, 0, args...)
		for check, text := range map[string]string{
			"Folders": "others cannot read", "Disk": "free of", "Database": "answers", "Schema": "migrations are applied", "Clock": "a server uses the database now",
			"Counters": "all equal a recount of 2 machines", "Unknown machines": "no request", "Policies": "reaches all machines", "Mirrors": "none fails",
		} {
			has(t, found, check, client.Fine, text, "")
		}
		if postgres {
			has(t, found, "Clock", client.Fine, "agrees with that of PostgreSQL", "")
		}
		has(t, found, "Password", client.Warning, "password admin", "coreroller user password admin")

		k.promote(t)
		d, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		change := func(text string) {
			t.Helper()
			if r, err := d.ExecContext(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", text, err)
			} else if n, _ := r.RowsAffected(); n == 0 {
				t.Fatalf("%s changed nothing", text)
			}
		}
		if out, errs, code := execute(t, "", nil, append([]string{"doctor", "local"}, args...)...); code != 0 || !strings.Contains(out, "▲  Policies") || !strings.Contains(out, "0 failed.") {
			t.Errorf("exit code %d\n%s%s", code, out, errs)
		}
		has(t, local(t, 0, args...), "Policies", client.Warning, "OS/production: even if no update fails, 1 machines do not get the target", "change the policy")

		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		change("UPDATE ledgers SET in_flight = in_flight + 1 WHERE group_id = '" + k.group.String() + "'")
		has(t, local(t, 1, args...), "Counters", client.Failed, "in flight "+k.group.String()+" is 1, counted 0", "coreroller backup")
		change("UPDATE ledgers SET in_flight = in_flight - 1 WHERE group_id = '" + k.group.String() + "'")

		future := "NOW() + INTERVAL '1 hour'"
		if !postgres {
			future = "(unixepoch() + 3600) * 1000000"
		}
		change("UPDATE uptimes SET ended_at = " + future)
		has(t, local(t, 1, args...), "Clock", client.Failed, "in the future", "time server")

		change("UPDATE goose_db_version SET version_id = 20990101000000 WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)")
		if postgres { // one that only added would be used
			if _, err := d.ExecContext(t.Context(), "COMMENT ON TABLE goose_db_version IS 'oldest program: 20990101000000'"); err != nil {
				t.Fatal(err)
			}
		}
		has(t, local(t, 1, args...), "Schema", client.Failed, "written by a newer version", "use the program of the server's version")
		change("DELETE FROM goose_db_version WHERE version_id = 20990101000000")
		found = local(t, 0, args...)
		has(t, found, "Schema", client.Warning, "migrations are pending", "make a backup")
		if len(found["Counters"]) > 0 {
			t.Error("the contents of an earlier schema were checked")
		}
	})
}

// What keeps a server from starting has a finding, too.
func TestLocalDoctorWithoutADatabase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	found := local(t, 1, "--data-dir", dir)
	has(t, found, "Folders", client.Note, "the first start creates it", "")
	has(t, found, "Database", client.Failed, "there is no database file", "--data-dir")
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the check created the data directory: %v", err)
	}
	found = local(t, 1, "--data-dir", dir, "--database-url", "postgres://u:s3cret@127.0.0.1:1/x")
	has(t, found, "Database", client.Failed, "could not reach the PostgreSQL database x at 127.0.0.1:1", "")

	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // also with another umask
		t.Fatal(err)
	}
	found = local(t, 1, "--data-dir", dir)
	has(t, found, "Folders", client.Warning, "other users can read "+dir, "chmod go= "+dir)
	path := filepath.Join(dir, databaseFile)
	if err := os.WriteFile(path, []byte("this is no database, but a text of some length"), 0o600); err != nil {
		t.Fatal(err)
	}
	found = local(t, 1, "--data-dir", dir)
	has(t, found, "Database", client.Failed, "could not open the database file "+path, "coreroller restore")
	if out, errs, code := execute(t, "", nil, "doctor", "local", "-o", "xml"); code != 2 || !strings.Contains(errs, "use table, json or yaml") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}
