package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
)

// toolServer is a server with a group of a program, and the server of its files.
type toolServer struct {
	*testGroup
	p     *Program
	files *httptest.Server
	mu    sync.Mutex
	data  map[string][]byte // by path
	cut   map[string]bool   // paths whose next transfer is cut
}

func newToolServer(t *testing.T) *toolServer {
	t.Helper()
	p := startProgram(t, "")
	s := &toolServer{p: p, data: map[string][]byte{}, cut: map[string]bool{}, testGroup: &testGroup{service: p.fleet, store: p.store, ctx: auth.With(t.Context(), commandPrincipal("test"))}}
	s.files = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.files.Close)
	app, err := p.fleet.CreateApplication(s.ctx, fleet.CreateApplication{Name: "Tool", ProductID: new("io.example.tool")})
	if err != nil {
		t.Fatal(err)
	}
	s.app = app.ID
	channel, err := p.fleet.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: s.app, Name: "stable"})
	if err != nil {
		t.Fatal(err)
	}
	policy := fastPolicy(10)
	policy.SafeMode = true // the first machine goes first, and its failure halts the rollout
	group, err := p.fleet.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "Stable", Track: "stable", ChannelID: &channel.ID, Policy: &policy})
	if err != nil {
		t.Fatal(err)
	}
	s.channel, s.group = channel.ID, group.ID
	return s
}

func (s *toolServer) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	data, cut := s.data[r.URL.Path], s.cut[r.URL.Path]
	s.cut[r.URL.Path] = false
	s.mu.Unlock()
	if cut {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data[:len(data)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// release promotes a version whose first transfer is cut. digest is that of announced.
func (s *toolServer) release(t *testing.T, version string, data, announced []byte) {
	t.Helper()
	path := "/" + version + "/tool"
	s.mu.Lock()
	s.data[path], s.cut[path] = data, true
	s.mu.Unlock()
	sum := sha256.Sum256(announced)
	row, err := s.service.CreatePackage(s.ctx, fleet.CreatePackage{ApplicationID: s.app, Type: catalog.PackageOther, Version: version,
		URL: s.files.URL + "/" + version + "/", Filename: "tool", Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel, PackageID: &row.ID}); err != nil {
		t.Fatal(err)
	}
}

// result returns the state and the counters of the rollout to a version.
func (s *toolServer) result(version string) (state rollout.RolloutState, sum rollout.Counts, err error) {
	rows, err := s.store.Reader().GroupRollout.Query().WithWaves().All(context.Background())
	for _, r := range rows {
		if r.GroupID != s.group || r.Version != version {
			continue
		}
		state = r.State
		for _, w := range r.Edges.Waves {
			sum.Succeeded += w.Succeeded
			sum.Failed += w.Failed
			sum.RolledBack += w.RolledBack
		}
	}
	return state, sum, err
}

// expect compares the rollout to a version, the version that the machine reports, and
// the content of its file.
func (s *toolServer) expect(t *testing.T, version string, state rollout.RolloutState, want rollout.Counts, runs, file string, content []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err := s.until(ctx, "the rollout to "+version+" has its result", func() (bool, error) {
		got, sum, err := s.result(version)
		return got == state && sum == want && s.versions(t)[runs] == 1, err
	})
	if err != nil {
		got, sum, _ := s.result(version)
		t.Fatalf("%v: state %d, %+v, %v", err, got, sum, s.versions(t))
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, content) {
		t.Errorf("after the rollout to %s the file has other content (%d bytes, %v)", version, len(got), err)
	}
	recount(t, s.store)
}

// buildTool builds one version of a folder of updater.
func buildTool(t *testing.T, folder, version string) []byte {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "tool")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w -X main.version="+version, "-o", binary, "../../updater/"+folder)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A program replaces itself through a rollout, although the download is cut. A version
// that crashes at once is put back, and the rollout is halted.
func TestProgramUpdatesItselfThroughARollout(t *testing.T) {
	s := newToolServer(t)
	first, good, bad := buildTool(t, "example", "1.0.0"), buildTool(t, "example", "2.0.0"), buildTool(t, "testdata/crash", "3.0.0")
	dir := t.TempDir()
	file := filepath.Join(dir, "tool")
	if err := os.WriteFile(file, first, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var supervisor sync.WaitGroup
	defer supervisor.Wait()
	defer cancel()
	supervisor.Go(func() { // as systemd with Restart=always
		for ctx.Err() == nil {
			cmd := exec.CommandContext(ctx, file, "-url", s.p.OmahaURL(), "-dir", filepath.Join(dir, "state"), "-interval", "100ms", "-confirm-after", "100ms")
			_ = cmd.Run()
		}
	})
	s.release(t, "2.0.0", good, good)
	s.expect(t, "2.0.0", rollout.RolloutCompleted, rollout.Counts{Succeeded: 1}, "2.0.0", file, good)
	s.release(t, "3.0.0", bad, bad)
	s.expect(t, "3.0.0", rollout.RolloutHalted, rollout.Counts{Failed: 1, RolledBack: 1}, "2.0.0", file, good)
}

func TestAgentUpdatesAFileThroughARollout(t *testing.T) {
	s := newToolServer(t)
	dir := t.TempDir()
	file, log := filepath.Join(dir, "tool"), filepath.Join(dir, "log")
	script := func(version string) []byte {
		return []byte("#!/bin/sh\necho " + version + "\n#" + strings.Repeat("x", 9000) + "\n")
	}
	if err := os.WriteFile(file, script("1.0.0"), 0o700); err != nil {
		t.Fatal(err)
	}
	id := uuid.NewString()
	agent := func(want string, code int, more ...string) {
		t.Helper()
		args := []string{"agent", "--once", "--server", s.p.OmahaURL(), "--app", "io.example.tool", "--group", "stable", "--file", file, "--version", "1.0.0",
			"--state-dir", filepath.Join(dir, "state"), "--machine-id", id, "--confirm-after", "0s", "--probe", "--version",
			"--command", "echo $COREROLLER_VERSION >>" + log, "--check", `test "$($COREROLLER_FILE)" != 3.0.0`}
		out, errs, got := execute(t, "", nil, append(args, more...)...)
		if got != code || !strings.Contains(out+errs, want) {
			t.Fatalf("exit code %d, want %d and %q: %s%s", got, code, want, out, errs)
		}
	}
	agent("no update", 0)
	s.release(t, "2.0.0", script("2.0.0"), script("2.0.0"))
	agent("confirmed 2.0.0", 0)
	s.expect(t, "2.0.0", rollout.RolloutCompleted, rollout.Counts{Succeeded: 1}, "2.0.0", file, script("2.0.0"))

	s.release(t, "3.0.0", script("3.0.0"), script("3.0.0"))
	agent("version 3.0.0 does not work, the old one was put back", 1)
	s.expect(t, "3.0.0", rollout.RolloutHalted, rollout.Counts{Failed: 1, RolledBack: 1}, "2.0.0", file, script("2.0.0"))

	s.release(t, "4.0.0", script("4.0.0"), script("other"))
	agent("the file has the digest", 1)
	s.expect(t, "4.0.0", rollout.RolloutHalted, rollout.Counts{Failed: 1}, "2.0.0", file, script("2.0.0"))

	restarts, err := os.ReadFile(log)
	if err != nil || string(restarts) != "2.0.0\n3.0.0\n2.0.0\n" {
		t.Errorf("the command ran with %q (%v)", restarts, err)
	}
	for _, c := range []struct{ flag, want string }{{"--server=", "--server is missing"}, {"--file=", "--file is missing"}, {"--secret-file=/none", "--secret-file: "}, {"--server=x", "URL"}} {
		agent(c.want, 1, c.flag)
	}
}
