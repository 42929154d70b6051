package main

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/fleet/quota"
)

// parse parses a command line with the flags of serve.
func parse(t *testing.T, environ []string, args ...string) (Config, error) {
	t.Helper()
	var c Config
	cmd := command("serve", "", "", func(cmd *cobra.Command) error { return readEnvironment(cmd, environ) })
	c.serverFlags(cmd.Flags())
	c.databaseFlags(cmd.Flags())
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.Execute()
	return c, err
}

func TestFlagsOverrideVariablesAndVariablesOverrideDefaults(t *testing.T) {
	for _, c := range []struct {
		name    string
		environ []string
		args    []string
		want    string
	}{
		{"default", nil, nil, ":8000"},
		{"environment", []string{"COREROLLER_LISTEN=:1"}, nil, ":1"},
		{"flag", nil, []string{"--listen", ":2"}, ":2"},
		{"both", []string{"COREROLLER_LISTEN=:1"}, []string{"--listen", ":2"}, ":2"},
		{"flag that repeats the default", []string{"COREROLLER_LISTEN=:1"}, []string{"--listen", ":8000"}, ":8000"},
		{"empty variable", []string{"COREROLLER_LISTEN="}, nil, ":8000"},
		{"variables without our prefix", []string{"LISTEN=:1", "XCOREROLLER_LISTEN=:1"}, nil, ":8000"},
	} {
		got, err := parse(t, c.environ, c.args...)
		if err != nil || got.Listen != c.want {
			t.Errorf("%s: --listen is %q, want %q (%v)", c.name, got.Listen, c.want, err)
		}
	}
}

func TestEveryFlagHasAnEnvironmentVariable(t *testing.T) {
	got, err := parse(t, []string{
		"COREROLLER_DATA_DIR=/d", "COREROLLER_DATABASE_URL=postgres://h/n", "COREROLLER_LOG_LEVEL=debug", "COREROLLER_LOG_FORMAT=json",
		"COREROLLER_OMAHA_SECRET=s=1", "COREROLLER_TRUSTED_PROXIES=10.1.2.3/8, ::1", "COREROLLER_MIRRORS={a}, {b}",
		"COREROLLER_VALUES_PER_GROUP=5", "COREROLLER_NEW_MACHINES_PER_GROUP=0", "COREROLLER_INSPECT_FROM= public, 10.1.2.3/8",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.DataDir != "/d" || got.DatabaseURL != "postgres://h/n" || got.LogLevel != "debug" || got.LogFormat != "json" ||
		got.OmahaSecret != "s=1" || (*prefixes)(&got.TrustedProxies).String() != "10.0.0.0/8,::1/128" ||
		(*mirrorsFlag)(&got.Quotas.Mirrors).String() != "{a},{b}" || (*sourcesFlag)(&got.Inspect).String() != "public,10.0.0.0/8" || got.Quotas.ValuesPerGroup != 5 || got.Quotas.NewMachinesPerGroup != 0 || got.Quotas.HistoryPerMachine != quota.Defaults().HistoryPerMachine {
		t.Errorf("configuration %+v", got)
	}
}

func TestPeriodsAreFlags(t *testing.T) {
	got, err := parse(t, []string{"COREROLLER_KEEP_ACTIVITIES=30d", "COREROLLER_KEEP_PROPOSALS=9d"}, "--keep-proposals", "48h", "--keep-sessions=0")
	if err != nil || got.Keep.Of("activities") != 30*24*time.Hour || got.Keep.Of("proposals") != 48*time.Hour || got.Keep.Of("attempts") != 90*24*time.Hour {
		t.Errorf("periods %v, error %v", got.Keep, err)
	}
	for _, args := range [][]string{{"--keep-activities", "6d"}, {"--keep-history", "4000d"}, {"--keep-tokens", "-1h"}, {"--keep-statistics-5m", "a week"}} {
		if _, err := parse(t, nil, args...); err == nil || !strings.Contains(err.Error(), args[0]) || !strings.Contains(err.Error(), "use a ") {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestInspectFrom(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"public", "public"}, {"none", "none"}, {"::1", "::1/128"}, {"everything", ""}, {",", ""}, {"public,none", ""}, {"10.0.0.0/99", ""},
	} {
		got, err := parse(t, nil, "--inspect-from", c.text)
		if (err == nil) != (c.want != "") || err == nil && (*sourcesFlag)(&got.Inspect).String() != c.want {
			t.Errorf("%q: %+v %v, want %q", c.text, got.Inspect, err, c.want)
		}
	}
	if got, err := parse(t, nil); err != nil || !got.Inspect.Public || got.Inspect.Networks != nil {
		t.Errorf("default: %+v %v", got.Inspect, err)
	}
}

func TestErrorsNameTheInvalidVariable(t *testing.T) {
	_, err := parse(t, []string{"COREROLLER_TRUSTED_PROXIES=anyone"})
	if err == nil || !strings.Contains(err.Error(), "COREROLLER_TRUSTED_PROXIES") || !strings.Contains(err.Error(), `"anyone"`) {
		t.Errorf("error %v", err)
	}
}

func TestUnknownVariablesAreFound(t *testing.T) {
	environ := []string{
		"COREROLLER_LISTEN=:1", "COREROLLER_MACHINES=4", // of simulate
		"COREROLLER_LISTN=:1", "COREROLLER_DB_URL=x", "PATH=/bin",
		"COREROLLER_SERVICE_HOST=10.0.0.1", "COREROLLER_SERVICE_PORT_HTTP=80", "COREROLLER_PORT=tcp://10.0.0.1:80",
		"COREROLLER_PORT_80_TCP=tcp://10.0.0.1:80", "COREROLLER_TEST_POSTGRES=postgres://x",
	}
	got := unknownVariables(rootCommand(process{}), environ)
	if !slices.Equal(got, []string{"COREROLLER_DB_URL", "COREROLLER_LISTN"}) {
		t.Errorf("unknown variables %q", got)
	}
}

func TestInvalidDatabaseURLsAreRejected(t *testing.T) {
	for _, text := range []string{"mysql://root:hunter2@h/n", "host=h password=hunter2", "postgres://u:hunter2@h:p%/n", "postgres://u:hun/ter2@h/n"} {
		_, err := (&Config{DatabaseURL: text}).database()
		if err == nil || !strings.Contains(err.Error(), "--database-url") || !strings.Contains(err.Error(), "postgres://user:password@host") {
			t.Errorf("%s: error %v", text, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ter2")) {
			t.Errorf("the error contains the password: %v", err)
		}
	}
}

func TestDataDirectoryIsCreatedOrTheErrorExplained(t *testing.T) {
	dir := t.TempDir()
	path, err := (&Config{DataDir: filepath.Join(dir, "a", "b")}).database()
	if err != nil || path != filepath.Join(dir, "a", "b", "coreroller.db") {
		t.Fatalf("%s, %v", path, err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "a", "b")); len(left) != 0 {
		t.Errorf("the write check left %v behind", left)
	}
	// A file instead of the directory, because root may write to every directory.
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = (&Config{DataDir: filepath.Join(file, "data")}).database()
	for _, want := range []string{file, "not writable", "--data-dir", "COREROLLER_DATA_DIR"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error does not contain %q: %v", want, err)
		}
	}
}

func TestListenErrorsAreExplained(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, c := range []struct {
		listen string
		want   []string
	}{
		{taken.Addr().String(), []string{"port " + port + " is in use", "--listen", "COREROLLER_LISTEN"}},
		{"8000", []string{`--listen is "8000"`, "host:port"}},
		{"127.0.0.1:99999", []string{"--listen 127.0.0.1:99999", "invalid port"}},
	} {
		p := NewProgram(Config{Listen: c.listen, DataDir: t.TempDir()}, discard(), time.Now)
		err := p.Run(t.Context())
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error does not contain %q: %v", c.listen, want, err)
			}
		}
	}
}

func TestLocalURL(t *testing.T) {
	for listen, want := range map[string]string{
		":8000": "http://localhost:8000", "[::]:1": "http://localhost:1", "0.0.0.0:80": "http://localhost:80",
		"127.0.0.1:8000": "http://127.0.0.1:8000", "[::1]:8000": "http://[::1]:8000", "example.test:80": "http://example.test:80",
	} {
		if got := localURL(listen); got != want {
			t.Errorf("localURL(%q) = %s, want %s", listen, got, want)
		}
	}
}

func TestInvalidLogFlagsAreRejected(t *testing.T) {
	for _, c := range []struct {
		level, format string
		good          bool
	}{{"info", "text", true}, {"debug", "json", true}, {"loud", "text", false}, {"info", "xml", false}} {
		_, err := (&Config{LogLevel: c.level, LogFormat: c.format}).logger(os.Stderr)
		if (err == nil) != c.good {
			t.Errorf("%s %s: %v", c.level, c.format, err)
		}
	}
}
