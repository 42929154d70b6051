package main

import (
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/store/storetest"
)

// execute runs a command line and returns its output and exit code.
func execute(t *testing.T, input string, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in"), []byte(input), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(name string) *os.File {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	p := process{Environ: environ, Stdin: open("in"), Stdout: open("out"), Stderr: open("err")}
	code = run(t.Context(), p, args)
	read := func(f *os.File) string {
		_, _ = f.Seek(0, io.SeekStart)
		text, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return read(p.Stdout), read(p.Stderr), code
}

func TestUserCommands(t *testing.T) {
	dir := "--data-dir=" + t.TempDir()
	steps := []struct {
		input string
		args  []string
		want  string
		code  int
	}{
		{"a good password\n", []string{"user", "add", "ann"}, "user ann was added", 0},
		{"another password", []string{"user", "password", "ann"}, "the password of ann was changed", 0},
		{"", []string{"user", "list"}, "ann ", 0},
		{"", []string{"user", "token", "ann", "--for", "24h"}, "valid until", 0},
		{"", []string{"user", "token", "bob"}, "no such user", 1},
		{"", []string{"user", "token", "ann", "--for", "1s"}, "at least a minute", 1},
		{"", []string{"user", "token"}, "expected one argument", 1},
		{"a good password\n", []string{"user", "add", "ann"}, "already taken", 1},
		{"a good password\n", []string{"user", "password", "bob"}, "no such user", 1},
		{"short\n", []string{"user", "add", "bob"}, "at least 8 characters", 1},
		{"", []string{"user", "add", "bob"}, "contains no password", 1},
		{"", []string{"user", "add", "bob", "a good password"}, "read from the terminal or from standard input", 1},
	}
	for _, s := range steps {
		out, errs, code := execute(t, s.input, nil, append(s.args, dir)...)
		if code != s.code || !strings.Contains(out+errs, s.want) {
			t.Errorf("%v: exit code %d, %s%s; want %d and %q", s.args, code, out, errs, s.code, s.want)
		}
		if strings.Contains(out+errs, "a good password") {
			t.Errorf("%v prints a password: %s%s", s.args, out, errs)
		}
	}
	// The new password works, and the documented first user was not created in
	// addition.
	p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: strings.TrimPrefix(dir, "--data-dir=")}, discard(), time.Now)
	defer func() { _ = p.Close() }()
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx := auth.With(t.Context(), commandPrincipal("test"))
	if _, err := p.fleet.Accounts.Authenticate(ctx, "ann", "another password"); err != nil {
		t.Error(err)
	}
	for _, wrong := range [][2]string{{"ann", "a good password"}, {"admin", "admin"}} {
		if _, err := p.fleet.Accounts.Authenticate(ctx, wrong[0], wrong[1]); err == nil {
			t.Errorf("%v can sign in", wrong)
		}
	}
}

func TestMigrateCommands(t *testing.T) {
	dir := "--data-dir=" + t.TempDir()
	for _, s := range []struct{ verb, want string }{{"status", "pending  "}, {"up", "is up to date"}, {"up", "is up to date"}, {"status", "applied  "}} {
		out, errs, code := execute(t, "", nil, "migrate", s.verb, dir)
		if code != 0 || !strings.Contains(out, s.want) {
			t.Errorf("migrate %s: code %d, %s%s", s.verb, code, out, errs)
		}
	}
}

func TestDatabaseOfANewerVersionIsRejected(t *testing.T) {
	dir := t.TempDir()
	if _, errs, code := execute(t, "", nil, "migrate", "up", "--data-dir", dir); code != 0 {
		t.Fatal(errs)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "coreroller.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99990101000000, 1)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"migrate", "up"}, {"migrate", "status"}, {"user", "list"}} {
		_, errs, code := execute(t, "", nil, append(args, "--data-dir", dir)...)
		for _, want := range []string{filepath.Join(dir, "coreroller.db"), "newer version", "update the program"} {
			if code != 1 || !strings.Contains(errs, want) {
				t.Errorf("%v: exit code %d, want %q in: %s", args, code, want, errs)
			}
		}
	}
}

func TestDatabaseErrorsAreExplained(t *testing.T) {
	missing, err := url.Parse(storetest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	missing.Path = "/missing_database"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "coreroller.db"), []byte(strings.Repeat("this is not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flag string
		want []string
	}{
		{"--database-url=postgres://u:hunter2@127.0.0.1:1/n", []string{"could not reach", "database n at 127.0.0.1:1", "is running"}},
		{"--database-url=" + missing.String(), []string{"missing_database", "rejected the connection", "does not exist", "--database-url"}},
		{"--database-url=mysql://u:hunter2@h/n", []string{"not a PostgreSQL URL", "postgres://"}},
		{"--data-dir=" + dir, []string{"could not open", filepath.Join(dir, "coreroller.db"), "not a database"}},
	} {
		_, errs, code := execute(t, "", nil, "serve", "--listen=127.0.0.1:0", c.flag)
		for _, want := range c.want {
			if code != 1 || !strings.Contains(errs, want) {
				t.Errorf("exit code %d, want %q in: %s", code, want, errs)
			}
		}
		if strings.Contains(errs, "hunter2") {
			t.Errorf("the error contains the password: %s", errs)
		}
	}
}

func TestHealthFailsIfTheServerIsUnhealthy(t *testing.T) {
	unhealthy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the database does not respond", http.StatusServiceUnavailable)
	}))
	defer unhealthy.Close()
	if _, errs, code := execute(t, "", nil, "health", "--url", unhealthy.URL); code != 1 || !strings.Contains(errs, "the database does not respond") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if _, errs, code := execute(t, "", nil, "health", "--listen", freeAddress(t)); code != 1 || !strings.Contains(errs, "refused") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	p := startProgram(t, "")
	if out, errs, code := execute(t, "", []string{"COREROLLER_LISTEN=" + strings.TrimPrefix(p.URL(), "http://")}, "health"); code != 0 || out == "" {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
}

func TestUnknownVariablesCauseAWarning(t *testing.T) {
	out, errs, code := execute(t, "", []string{"COREROLLER_LISTN=:1"}, "version")
	if code != 0 || !strings.HasPrefix(out, "coreroller ") || !strings.Contains(errs, "COREROLLER_LISTN") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	if _, errs, code = execute(t, "", []string{"COREROLLER_MACHINES=many"}, "simulate"); code != 1 || !strings.Contains(errs, "COREROLLER_MACHINES") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}
