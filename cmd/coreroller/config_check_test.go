package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// config check names each problem by its flag, and exits with 1 for errors only.
func TestConfigCheckNamesEveryProblem(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	_, otherKey := writeCertificate(t, other, 2)
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	fine := []string{"--data-dir", data, "--tls-cert", cert, "--tls-key", key}
	for _, c := range []struct {
		name, environ, text string
		args                []string
		code                int
	}{
		{"fine", "", "the configuration has no errors", fine, 0},
		{"key of another certificate", "", "error: --tls-cert", []string{"--tls-cert", cert, "--tls-key", otherKey}, 1},
		{"no key", "", "error: --tls-cert is set without --tls-key", []string{"--tls-cert", cert}, 1},
		{"unreadable file", "", "error: --tls-key: open", []string{"--tls-cert", cert, "--tls-key", filepath.Join(dir, "none")}, 1},
		{"certificates of machines without TLS", "", "error: --machine-client-ca is set without --tls-cert", []string{"--machine-client-ca", cert}, 1},
		{"no authority", "", "error: --machine-client-ca: " + empty + " contains no certificate", append(fine, "--machine-client-ca", empty), 1},
		{"every proxy", "", "error: --trusted-proxies has 0.0.0.0/0", []string{"--trusted-proxies", "0.0.0.0/0"}, 1},
		{"proxy on this machine", "", "warning: --listen is an address of this machine", []string{"--listen", "127.0.0.1:8000", "--data-dir", data}, 0},
		{"no TLS", "", "warning: passwords travel in the clear", []string{"--listen", ":8000", "--data-dir", data}, 0},
		{"same address", "", "error: --listen and --listen-metrics are both :8000", append(fine, "--listen-metrics", ":8000"), 1},
		{"bad address", "", `error: --listen-machines is "x"`, append(fine, "--listen-machines", "x"), 1},
		{"profiles", "", "warning: --admin-listen :6060", append(fine, "--admin-listen", ":6060"), 0},
		{"database", "", "error: could not reach the PostgreSQL database x at 127.0.0.1:1", append(fine, "--database-url", "postgres://u:s3cret@127.0.0.1:1/x"), 1},
		{"no database URL", "", "error: --database-url is not a PostgreSQL URL", append(fine, "--database-url", "mysql://u:s3cret@h/x"), 1},
		{"introspection", "", `error: --introspection is "x"`, append(fine, "--introspection", "x"), 1},
		{"negative", "", "error: --api-seconds must not be negative", append(fine, "--api-seconds", "-1"), 1},
		{"log", "", `error: --log-level is "x"`, append(fine, "--log-level", "x"), 1},
		{"short password", "COREROLLER_ADMIN_PASSWORD=short", "error: COREROLLER_ADMIN_PASSWORD: password: at least 8 characters", fine, 1},
		{"empty password file", "COREROLLER_ADMIN_PASSWORD_FILE=" + empty, "error: COREROLLER_ADMIN_PASSWORD_FILE", fine, 1},
		{"missing password file", "COREROLLER_ADMIN_PASSWORD_FILE=/none", "error: COREROLLER_ADMIN_PASSWORD_FILE", fine, 1},
	} {
		out, err, code := execute(t, "", []string{c.environ}, append([]string{"config", "check"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.text) || strings.Contains(out+err, "s3cret") {
			t.Errorf("%s: exit code %d\n%s%s", c.name, code, out, err)
		}
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("the check created the data directory: %v", err)
	}
}

// The documented password and files that others can read are found in a database that
// exists, and stay as they are.
func TestConfigCheckLooksIntoTheDatabase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	start := func(password string) {
		t.Helper()
		p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: dir, FirstPassword: password}, discard(), time.Now)
		if err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	start("")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	check := func(listen string, code int, texts ...string) {
		t.Helper()
		out, err, got := execute(t, "", nil, "config", "check", "--data-dir", dir, "--trusted-proxies", "10.0.0.1", "--listen", listen)
		if got != code {
			t.Errorf("exit code %d\n%s%s", got, out, err)
		}
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("no %q in\n%s", text, out)
			}
		}
	}
	check(":8000", 1, "error: the user admin still has the password admin", "warning: other users can read "+dir+" (mode 755)")
	check("127.0.0.1:8000", 0, "warning: the user admin still has the password admin")
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the check changed the mode: %v %v", info.Mode(), err)
	}

	// A password from the environment needs no change.
	dir = filepath.Join(t.TempDir(), "data")
	start("correct horse")
	check(":8000", 0, "the configuration has no errors")
	if out, _, _ := execute(t, "", nil, "user", "list", "--data-dir", dir); !strings.Contains(out, "admin") || strings.Contains(out, "must change") {
		t.Errorf("the first user: %s", out)
	}
}
