package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout"
)

func TestWaitExitCodes(t *testing.T) {
	p := startProgram(t, "")
	policy := fastPolicy(5)
	policy.Waves = []rollout.Wave{{Share: 0.5, Approval: true}, {Share: 1}}
	k := newTestGroup(t, p.fleet, p.store, policy)
	r := remoteUser(t, p, "admin")
	r.run(1, []string{"wait", "Stable"}, "has no rollout")
	r.run(4, arguments("wait production --version 2.0.0 --timeout 300ms"), "the rollout of 2.0.0 has not begun; the group is at 1.0.0", "did not get there within 300ms")
	k.promote(t)
	r.run(2, arguments("wait production --until wave:3"), "has 2 waves")
	for _, id := range []string{"m-1", "m-2", "m-3", "m-4", "m-5", "m-6", "m-7", "m-8"} {
		checkIn(t, p, k, id)
	}
	r.run(4, arguments("wait production --until wave:2 --timeout 300ms"), "wave 1 of 2", "0 of 8 machines run 2.0.0")
	r.run(0, arguments("advance production"), "has opened its next wave")
	r.run(0, arguments("wait production --until wave:2 --version 2.0.0"), "Wave 2 is open")
	r.run(0, []string{"halt", "production", "--reason", "kernel panics"})
	r.run(1, arguments("wait production"), "is halted", "kernel panics", "coreroller rollback", p.URL()+"/apps/")
	r.run(0, arguments("resume production"))
}

func TestWaitSeesTheEndOfARollout(t *testing.T) {
	p := startProgram(t, "")
	newTestGroup(t, p.fleet, p.store, fastPolicy(20))
	r := remoteUser(t, p, "admin")
	s := startSimulation(t, p.OmahaURL(), 10000, flawlessFleet(20), nil)
	defer s.stop()
	go func() {
		time.Sleep(200 * time.Millisecond)
		r.run(0, arguments("package promote 2.0.0 --app OS --channel stable"))
	}()
	r.run(0, arguments("wait production --until completed --version 2.0.0 --timeout 1m"), "Completed in", "of 20 machines run 2.0.0 or higher, 0 failed")
}

// An interrupted wait must not look like a completed rollout.
func TestInterruptedWaitFails(t *testing.T) {
	p := startProgram(t, "")
	newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(300*time.Millisecond, cancel).Stop()
	if code := run(ctx, process{Environ: r.environ, Stdin: file, Stdout: file, Stderr: file}, arguments("wait production --version 2.0.0")); code != 1 {
		t.Errorf("exit code %d", code)
	}
}

// following runs a command line that does not end, until the end of the test, and returns
// its output line by line.
func (r *remote) following(args ...string) *bufio.Reader {
	r.t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		r.t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(r.t.TempDir(), "err"))
	if err != nil {
		r.t.Fatal(err)
	}
	done := make(chan int, 1)
	go func() {
		done <- run(r.t.Context(), process{Environ: r.environ, Stdin: file, Stdout: in, Stderr: file}, args)
	}()
	r.t.Cleanup(func() {
		go func() { _, _ = io.Copy(io.Discard, out) }()
		if code := <-done; code != 0 {
			text, _ := os.ReadFile(file.Name())
			r.t.Errorf("%q: exit code %d: %s", args, code, text)
		}
		_, _, _ = in.Close(), out.Close(), file.Close()
	})
	return bufio.NewReader(out)
}

// until reads lines until one has the text.
func until(t *testing.T, lines *bufio.Reader, text string) string {
	t.Helper()
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("no line has %q: %v", text, err)
		}
		if strings.Contains(line, text) {
			return line
		}
	}
}

func TestWatchAndActivityFollowChanges(t *testing.T) {
	p := startProgram(t, "")
	k := newTestGroup(t, p.fleet, p.store, fastPolicy(1))
	r := remoteUser(t, p, "admin")
	watch, asJSON := r.following("watch", "production"), r.following("watch", "production", "-o", "json")
	activity := r.following("activity", "--group", "production", "--follow")
	until(t, watch, "0 of 0")
	checkIn(t, p, k, "web-1")
	until(t, watch, "100.0 %  1 of 1")
	r.run(0, []string{"pause", "production", "--reason", "migration until 6"})
	until(t, watch, "paused")
	until(t, activity, "migration until 6")
	var state struct {
		Name  string
		Pause struct{ Reason string }
	}
	if err := json.Unmarshal([]byte(until(t, asJSON, "migration until 6")), &state); err != nil || state.Name != trackName || state.Pause.Reason != "migration until 6" {
		t.Errorf("%v: %+v", err, state)
	}
}
