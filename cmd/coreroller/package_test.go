package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// releaseServer serves files with the content "hello\n" at the paths.
func releaseServer(t *testing.T, paths ...string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(paths, r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("hello\n"))
	}))
	t.Cleanup(s.Close)
	return s
}

const (
	helloSHA1   = "9XLTlvrpIGYocU+yzgD3LpTyJY8="
	helloSHA256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
)

func TestPackageAddDryRunPrintsTheInput(t *testing.T) {
	release := releaseServer(t, "/arm64-usr/4152.2.0/update.gz", "/arm64-usr/4152.2.0/oem-ami.gz")
	out, errs, code := execute(t, "", nil, "package", "add", "--dry-run", "--file", "oem-ami.gz", "--description", "first",
		release.URL+"/arm64-usr/4152.2.0/update.gz")
	var got packageInput
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s%s", code, err, out, errs)
	}
	if got.Type != "OPERATING_SYSTEM" || got.Arch != "arm64" || got.Version != "4152.2.0" || got.URL != release.URL+"/arm64-usr/4152.2.0/" ||
		got.Filename != "update.gz" || got.Size != 6 || got.SHA1 != helloSHA1 || got.SHA256 != helloSHA256 || got.Description != "first" ||
		!slices.Equal(got.Files, []fileFact{{"oem-ami.gz", 6, helloSHA1, helloSHA256}}) {
		t.Errorf("%+v", got)
	}
	// The progress has one line for each file, because standard error is no terminal.
	if errs != "update.gz: 6 of 6 bytes (100 %)\noem-ami.gz: 6 of 6 bytes (100 %)\n" {
		t.Errorf("progress %q", errs)
	}
}

func TestPackageAddCreatesAndPromotes(t *testing.T) {
	p := startProgram(t, "")
	dir := t.TempDir()
	file := filepath.Join(dir, "agent.tar")
	if err := os.WriteFile(file, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.tar")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	token, _, code := execute(t, "", nil, "user", "token", "admin", "--data-dir", p.config.DataDir)
	if code != 0 {
		t.Fatal("no token")
	}
	add := func(environ []string, args ...string) (string, int) {
		t.Helper()
		args = append([]string{"package", "add", "--url", p.URL(), "--app", k.app.String()}, args...)
		out, errs, code := execute(t, "", environ, args...)
		return out + errs, code
	}
	const folder = "--folder=https://example.com/agent/"
	right := []string{"COREROLLER_PASSWORD=admin"}
	for _, c := range []struct {
		name    string
		environ []string
		args    []string
		want    string
		code    int
	}{
		{"by password", right, []string{file, folder, "--version", "9.0.0"}, "package 9.0.0 (amd64) was added", 0},
		{"by token, promoted", []string{"COREROLLER_TOKEN=" + strings.TrimSpace(token)}, []string{file, folder, "--version", "9.1.0", "--channel", "stable"}, "channel stable offers it", 0},
		{"again", right, []string{file, folder, "--version", "9.0.0"}, "has package 9.0.0 (amd64) already", 1},
		{"wrong password", []string{"COREROLLER_PASSWORD=wrong"}, []string{file, folder, "--version", "9.2.0"}, "wrong name or password", 1},
		{"no password", nil, []string{file, folder, "--version", "9.2.0"}, "set COREROLLER_PASSWORD", 1},
		{"unknown application", right, []string{"--app", "none", file, folder, "--version", "9.2.0"}, "--app none", 1},
		{"unknown channel", right, []string{file, folder, "--version", "9.2.0", "--channel", "none"}, "--channel none", 1},
		{"channel of another architecture", right, []string{file, folder, "--version", "9.2.0", "--channel", "stable", "--arch", "arm64"}, "for arm64", 1},
		{"invalid version", right, []string{file, folder, "--version", "x"}, "version: ", 1},
		{"no file", right, []string{filepath.Join(dir, "none"), folder, "--version", "9.2.0"}, "no such file", 1},
		{"empty file", right, []string{empty, folder, "--version", "9.2.0"}, "is empty", 1},
		{"no folder", right, []string{file, "--version", "9.2.0"}, "--folder is missing", 1},
		{"no version", right, []string{file, folder}, "--version is missing", 1},
		{"wrong type", right, []string{file, folder, "--version", "9.2.0", "--type", "rpm"}, "--type", 1},
		{"folder instead of a file", right, []string{"https://example.com/1.0.0/"}, "is not the URL of a file", 1},
		{"query", right, []string{"https://example.com/1.0.0/a?b"}, "without a query", 1},
		{"nothing", right, nil, "expected one argument", 1},
	} {
		if got, code := add(c.environ, c.args...); code != c.code || !strings.Contains(got, c.want) {
			t.Errorf("%s: exit code %d, %s; want %d and %q", c.name, code, got, c.code, c.want)
		}
	}
	channel, err := p.store.Reader().Channel.Get(t.Context(), k.channel)
	if err != nil {
		t.Fatal(err)
	}
	row, err := p.store.Reader().Release.Get(t.Context(), *channel.PackageID)
	if err != nil {
		t.Fatal(err)
	}
	if row.Version != "9.1.0" || row.Size != 6 || row.Sha1 != helloSHA1 || row.Sha256 != helloSHA256 || row.URL != "https://example.com/agent/" || row.Filename != "agent.tar" {
		t.Errorf("%+v", row)
	}
}

func TestPackageAddExplainsFailedFetches(t *testing.T) {
	release := releaseServer(t)
	moved := httptest.NewServer(http.RedirectHandler("https://example.com/", http.StatusMovedPermanently))
	defer moved.Close()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--dry-run", release.URL + "/1.0.0/a.gz"}, release.URL + "/1.0.0/a.gz: the server of the file answered 404"},
		{[]string{"--url", release.URL, release.URL + "/1.0.0/a.gz"}, "is no CoreRoller server: it answered 404"},
		{[]string{"--url", moved.URL, release.URL + "/1.0.0/a.gz"}, "redirects to https://example.com/"},
		{[]string{"--url", "http://" + freeAddress(t), release.URL + "/1.0.0/a.gz"}, "refused"},
	} {
		if out, errs, code := execute(t, "", []string{"COREROLLER_PASSWORD=admin"}, append([]string{"package", "add"}, c.args...)...); code != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit code %d, %s%s", c.args, code, out, errs)
		}
	}
}
