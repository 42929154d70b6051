package main

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/store/storetest"
)

// buildProgram builds the program as the Makefile does.
func buildProgram(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "coreroller")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // reuses the build cache, also under the race detector
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// child is the program as a separate process.
type child struct {
	cmd *exec.Cmd
	url string
	log *bytes.Buffer // safe to read after the process has ended
}

// startChild returns when the process prints that it is ready.
func startChild(t *testing.T, binary string, args []string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(binary, args...), log: &bytes.Buffer{}}
	c.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	c.cmd.Stderr = c.log
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	found := regexp.MustCompile(`is ready: dashboard (http://\S+)/ `).FindStringSubmatch(line)
	if err != nil || found == nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
		t.Fatalf("the program printed %q (%v)\n%s", line, err, c.log)
	}
	c.url = found[1]
	return c
}

// kill ends the process with SIGKILL.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // the error is the signal
}

// stop sends SIGTERM and fails the test if the process exits with an error.
func (c *child) stop(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the program exited with %v\n%s", err, c.log)
	}
}

// freeAddress returns an unused address.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// TestProcess runs the deployed binary, to test signals and crashes.
func TestProcess(t *testing.T) {
	binary := buildProgram(t)
	t.Run("stops on SIGTERM", func(t *testing.T) { testStop(t, binary) })
	t.Run("is not ready before it stops", func(t *testing.T) { testDrain(t, binary) })
	t.Run("ends at once on the second signal", func(t *testing.T) { testSecondSignal(t, binary) })
	t.Run("answers or rejects every request while it stops", func(t *testing.T) { testStopUnderLoad(t, binary) })
	t.Run("keeps every acknowledged event when it is killed", func(t *testing.T) {
		storetest.Each(t, func(t *testing.T, databaseURL string) { testKill(t, binary, databaseURL) })
	})
	t.Run("applies a pause made on another process", func(t *testing.T) { testTwoProcesses(t, binary) })
	t.Run("is reached through HAProxy", func(t *testing.T) { testHAProxy(t, binary) })
	t.Run("accepts as many connections as its files allow", func(t *testing.T) { testFewFiles(t, binary) })
	t.Run("answers an assistant", func(t *testing.T) { testAssistantProcess(t, binary) })
	t.Run("takes over background work from a killed process", func(t *testing.T) { testSurvivor(t, binary) })
}

func testStop(t *testing.T, binary string) {
	c := startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir()})
	if text, err := askHealth(t.Context(), http.DefaultClient, c.url); err != nil {
		t.Errorf("%s: %v", text, err)
	}
	c.stop(t)
	if !strings.Contains(c.log.String(), "admin") {
		t.Errorf("no warning about the first password: %s", c.log)
	}
}

// testSecondSignal: a request that never ends delays the program after the first
// signal, but not after the second.
func testSecondSignal(t *testing.T, binary string) {
	c := startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir()})
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// The status 100 proves that the handler waits for the body.
	const half = "POST /v1/update/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
	if _, err := conn.Write([]byte(half)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for err == nil { // until it no longer listens
		_, err = askHealth(t.Context(), http.DefaultClient, c.url)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	repeat := time.NewTicker(duplicateSignal / 2)
	defer repeat.Stop()
	for waiting := true; waiting; {
		select {
		case err = <-ended:
			waiting = false
		case <-repeat.C:
			_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails if the process has just ended
		}
	}
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("exited with %v, want the signal", err)
	}
	if took := time.Since(start); took < duplicateSignal || took > defaultStopWithin/2 {
		t.Errorf("stopping took %s", took)
	}
}

// testStopUnderLoad: while the server stops, every request gets 200, 503 or no
// connection, but never an error.
func testStopUnderLoad(t *testing.T, binary string) {
	dir := t.TempDir()
	k := prepare(t, filepath.Join(dir, "coreroller.db"))
	c := startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", dir})
	statuses := map[int]int{}
	seen := newLog()
	s := startSimulation(t, c.url+"/v1/update/", 3000, flawlessFleet(300), func(x simulate.Exchange) {
		statuses[x.Response.Status]++
		seen.add(x)
	})
	seen.wait(t, "300 facts", func() bool { return seen.total >= 300 })
	c.stop(t)
	s.stop()
	delete(statuses, 200)
	delete(statuses, 503)
	delete(statuses, 0)
	if len(statuses) > 0 || strings.Contains(c.log.String(), "level=ERROR") {
		t.Errorf("unexpected statuses %v; log: %s", statuses, c.log)
	}
	k.compare(t, seen.copy())
	recount(t, k.store)
}
