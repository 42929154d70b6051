package main

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/coreroller/coreroller/store/storetest"
)

// killer kills a server at a step of one of its transactions with machines.
type killer struct {
	group []byte // its id, which such a transaction sends

	mu    sync.Mutex
	steps map[net.Conn]int  // of the open transaction of a connection, 0 is BEGIN
	busy  map[net.Conn]bool // connections that had transactions with machines
	ended net.Conn          // whose answer is awaited

	armed bool
	step  int    // a COMMIT has commitStep
	after string // "sent": the step is passed on; "answered": also its answer arrives; "": neither
	kill  func()
}

// commitStep is the last step of a transaction.
const commitStep = 1000

// newKiller returns a killer and the database URL through its link.
func newKiller(t *testing.T, k *testGroup) (*killer, string) {
	l, through := newLink(t, k.databaseURL)
	out := &killer{group: []byte(k.group.String()), steps: map[net.Conn]int{}, busy: map[net.Conn]bool{}}
	l.change(func(l *link) { l.sent, l.got = out.sent, out.answered })
	return out, through
}

// arm kills at the next such step.
func (k *killer) arm(step int, after string, kill func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.step, k.after, k.ended, k.kill, k.armed = step, after, nil, kill, true
}

// sent follows the transactions of a connection, and kills before a step.
func (k *killer) sent(c net.Conn, part []byte) (pass bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case bytes.Contains(part, []byte("BEGIN")):
		k.steps[c] = 0
	case bytes.Contains(part, []byte("COMMIT")):
		k.steps[c] = commitStep
	default:
		k.steps[c]++
	}
	k.busy[c] = k.busy[c] || bytes.Contains(part, k.group)
	if !k.armed || !k.busy[c] || k.steps[c] != k.step {
		return true
	}
	if k.after != "" {
		k.ended = c
	}
	if k.after == "answered" {
		return true
	}
	k.armed = false
	k.kill()
	return k.after == "sent"
}

// answered kills when the answer to a COMMIT arrives, before it passes.
func (k *killer) answered(c net.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.armed && k.ended == c {
		k.armed = false
		k.kill()
	}
}

// The server is killed at each step of a transaction with machines: nothing acknowledged is
// lost, nothing is counted twice, and the next process goes on.
func TestServerIsKilledAtEachStep(t *testing.T) {
	chaos(t)
	binary := buildProgram(t)
	databaseURL := storetest.Postgres(t)
	k := prepareTrial(t, databaseURL)
	killer, through := newKiller(t, k)
	args := []string{"serve", "--listen", freeAddress(t), "--log-level", "warn", "--database-url", through, "--data-dir", t.TempDir()}
	server := startChild(t, binary, args)
	x := startTrial(t, k, server.url+"/v1/update/")
	var took []string
	for _, at := range []struct {
		name  string
		step  int
		after string
	}{
		{"BEGIN", 0, ""},
		{"statement 1", 1, ""},
		{"statement 2", 2, ""},
		{"statement 3", 3, ""},
		{"statement 4", 4, ""},
		{"COMMIT", commitStep, ""},
		{"COMMIT, sent", commitStep, "sent"},
		{"COMMIT, answered", commitStep, "answered"},
	} {
		killer.arm(at.step, at.after, func() { _ = server.cmd.Process.Kill() })
		_ = server.cmd.Wait() // the error is the signal
		if server.cmd.ProcessState.Exited() {
			t.Fatalf("%s: the server ended by itself: %s", at.name, server.log)
		}
		server = startChild(t, binary, args)
		took = append(took, fmt.Sprint(at.name, " ", x.well(0)))
	}
	x.end("kill -9 at each of 8 steps of a transaction", 0)
	t.Log(took)
	server.stop(t)
}

// One of two servers is frozen in a transaction that locks the group: the other one goes on
// when the transaction has ended, and the first one too when it runs again.
func TestServerIsFrozenInATransaction(t *testing.T) {
	chaos(t)
	binary := buildProgram(t)
	databaseURL := storetest.Postgres(t)
	k := prepareTrial(t, databaseURL)
	killer, through := newKiller(t, k)
	args := []string{"serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--database-timeout", "2s", "--database-url"}
	frozen := startChild(t, binary, append(args, through, "--data-dir", t.TempDir()))
	other := startChild(t, binary, append(args, databaseURL, "--data-dir", t.TempDir()))
	x := startTrial(t, k, frozen.url+"/v1/update/", other.url+"/v1/update/")
	stopped := make(chan struct{})
	killer.arm(3, "sent", func() {
		_ = frozen.cmd.Process.Signal(syscall.SIGSTOP)
		close(stopped)
	})
	<-stopped
	took := x.well(1)
	for range 2 { // the first answer can be from before
		took += x.well(1)
	}
	if err := frozen.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	x.well(0, 1)
	x.end("one of two servers is frozen (SIGSTOP) in a transaction that locks the group", took)
	frozen.stop(t)
	other.stop(t)
}
