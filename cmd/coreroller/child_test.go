package main

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coreroller/coreroller/store/storetest"
)

// buildProgram builds the real program, as the Makefile does.
func buildProgram(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "coreroller")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // what is compiled already, also under the race detector
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// child is the program as a process of its own.
type child struct {
	cmd *exec.Cmd
	url string
	log *bytes.Buffer // safe to read after the process has ended
}

// startChild returns when the process says that it is ready.
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
		t.Fatalf("the program says %q (%v)\n%s", line, err, c.log)
	}
	c.url = found[1]
	return c
}

// kill ends the process without any warning.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // says that it was killed
}

// stop asks the process to end, and fails the test when it does not end well.
func (c *child) stop(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the program ends with %v\n%s", err, c.log)
	}
}

// freeAddress is an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// TestTheRealProgram runs what is deployed as a process of its own, to be ended
// in ways that a test of parts cannot.
func TestTheRealProgram(t *testing.T) {
	binary := buildProgram(t)
	t.Run("stops when asked", func(t *testing.T) { testStop(t, binary) })
	t.Run("ends at once at the second signal", func(t *testing.T) { testSecondSignal(t, binary) })
	t.Run("breaks nothing when it stops under load", func(t *testing.T) { testStopUnderLoad(t, binary) })
	t.Run("loses nothing acknowledged when it is killed", func(t *testing.T) {
		storetest.Each(t, func(t *testing.T, databaseURL string) { testKill(t, binary, databaseURL) })
	})
	t.Run("obeys what was changed on another process", func(t *testing.T) { testTwoProcesses(t, binary) })
	t.Run("takes over from a process that was killed", func(t *testing.T) { testSurvivor(t, binary) })
}

func testStop(t *testing.T, binary string) {
	c := startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir()})
	if text, err := askHealth(t.Context(), c.url); err != nil {
		t.Errorf("%s: %v", text, err)
	}
	c.stop(t)
	if !strings.Contains(c.log.String(), "admin") {
		t.Errorf("it does not warn of the first password: %s", c.log)
	}
}

// testSecondSignal: a request that never ends keeps the program for a while
// after the first signal, and not after the second.
func testSecondSignal(t *testing.T, binary string) {
	c := startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir()})
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// The 100 shows that the handler waits for the body.
	const half = "POST /v1/update/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
	if _, err := conn.Write([]byte(half)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for err == nil { // until it no longer listens
		_, err = askHealth(t.Context(), c.url)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	impatient := time.NewTicker(sameSignal / 2)
	defer impatient.Stop()
	for waiting := true; waiting; {
		select {
		case err = <-ended:
			waiting = false
		case <-impatient.C:
			_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may just have ended
		}
	}
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ends with %v instead of the signal", err)
	}
	if took := time.Since(began); took < sameSignal || took > stopTimeout/2 {
		t.Errorf("it took %s", took)
	}
}

// testStopUnderLoad: whoever asks while the server stops is served, told to come back, or finds
// nobody; nobody is told that something broke.
func testStopUnderLoad(t *testing.T, binary string) {
	dir := t.TempDir()
	k := prepare(t, filepath.Join(dir, "coreroller.db"))
	c := startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", dir})
	statuses := map[int]int{}
	told := newLog()
	o := quickFleet(300)
	o.Speed = 3000
	s := startSimulated(t, c.url+"/v1/update/", o, func(x exchange) {
		statuses[x.Reply.Status]++
		told.hear(x)
	})
	told.wait(t, "300 facts", func() bool { return told.total >= 300 })
	c.stop(t)
	s.stop()
	delete(statuses, 200)
	delete(statuses, 503)
	delete(statuses, 0)
	if len(statuses) > 0 || strings.Contains(c.log.String(), "level=ERROR") {
		t.Errorf("other answers %v; log: %s", statuses, c.log)
	}
	k.compare(t, told.copy())
	recount(t, k.store)
}
