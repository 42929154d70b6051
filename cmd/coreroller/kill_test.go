package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// testKill puts load on the real program, kills it with SIGKILL in the middle,
// looks at what is on disk and starts it again, twice, and lets the fleet come
// to its end. Whatever a machine was told (a grant) or had acknowledged (an
// event) has to be there, and every counter has to be what it counts.
func testKill(t *testing.T, binary, databaseURL string) {
	const machines = 200
	k := prepare(t, databaseURL)
	args := []string{"serve", "--listen", freeAddress(t), "--log-level", "warn"}
	if store.IsPostgres(databaseURL) {
		args = append(args, "--database-url", databaseURL)
	} else {
		args = append(args, "--data-dir", filepath.Dir(databaseURL))
	}
	server := startChild(t, binary, args)
	o := quickFleet(machines)
	o.Speed = 3000
	o.Habits.Failure, o.Habits.Deferral, o.Habits.Interruption = 0.05, 0.02, 0.02
	told := newLog()
	s := startSimulated(t, server.url+"/v1/update/", o, told.hear)
	for _, enough := range []int{machines, 3 * machines} {
		told.wait(t, fmt.Sprintf("%d facts", enough), func() bool { return told.total >= enough })
		server.kill(t)
		k.compare(t, told.copy())
		recount(t, k.store)
		server = startChild(t, binary, args)
	}
	told.wait(t, "everybody runs 2.0.0", func() bool { return told.updated == machines })
	seen := s.stop()
	server.stop(t)
	k.compare(t, told.copy())
	recount(t, k.store)
	if seen.Refused+seen.Downgrades+seen.Unacked > 0 || seen.Unanswered == 0 {
		t.Errorf("machines saw %s", seen.summary())
	}
	t.Logf("%d facts; %s", told.total, seen.summary())
}

// prepare makes application and group before the server starts.
func prepare(t *testing.T, databaseURL string) *track {
	policy := quick(60)
	policy.MaxAttempts = 100
	return prepareWith(t, databaseURL, policy)
}

func prepareWith(t *testing.T, databaseURL string, policy rollout.Policy) *track {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: databaseURL, Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	service, err := newService(auth.With(t.Context(), commandPrincipal("test")), s)
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	k := newTrack(t, service, s, policy)
	k.promote(t)
	return k
}

// fact is something a machine was told by the server, named by the state that
// the machine's history has to show for it.
type fact struct {
	machine string
	state   rollout.State
}

// log counts the facts of a fleet.
type log struct {
	mu      sync.Mutex
	facts   map[fact]int
	offered map[string]bool // machines whose offer no report has followed: the next is the same grant
	total   int
	updated int
	changed chan struct{}
}

func newLog() *log {
	return &log{facts: map[fact]int{}, offered: map[string]bool{}, changed: make(chan struct{}, 1)}
}

func (l *log) hear(x exchange) {
	if !x.Reply.okay() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if x.Turn.Updated {
		l.updated++
		l.add(x, rollout.StateComplete)
	}
	id := x.Machine.id.Machine
	if x.Turn.Offered && !l.offered[id] {
		l.add(x, rollout.StateGranted)
	}
	l.offered[id] = l.offered[id] || x.Turn.Offered
	if r := x.Sent.Report; r != nil && !x.Sent.Check && x.Turn.Answer.Acknowledged > 0 {
		l.offered[id] = false
		switch {
		case r.Type == 13:
			l.add(x, rollout.StateDownloading)
		case r.Type == 14:
			l.add(x, rollout.StateDownloaded)
		case r.Type == 3 && r.Result == 1:
			l.add(x, rollout.StateInstalled)
		case r.Type == 3 && r.Result == 0 && r.Code&^foreignServer < codeHTTPBase: // not that a check failed
			l.add(x, rollout.StateError)
		}
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *log) add(x exchange, s rollout.State) {
	l.facts[fact{x.Machine.id.Machine, s}]++
	l.total++
}

func (l *log) copy() map[fact]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.facts)
}

// wait returns when a condition on the log holds.
func (l *log) wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.NewTimer(2 * time.Minute)
	defer timeout.Stop()
	for {
		l.mu.Lock()
		ok, total, updated := holds(), l.total, l.updated
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-timeout.C:
			t.Fatalf("waited too long until %s: %d facts, %d machines updated", what, total, updated)
		case <-l.changed:
		}
	}
}

// compare fails the test for every fact that the database does not know. It may
// know more: what was committed and not heard any more.
func (k *track) compare(t *testing.T, facts map[fact]int) {
	t.Helper()
	entries, err := k.store.Reader().HistoryEntry.Query().All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		instance uuid.UUID
		state    rollout.State
	}
	stored := map[key]int{}
	for _, e := range entries {
		stored[key{e.InstanceID, e.State}]++
	}
	for f, heard := range facts {
		if n := stored[key{store.InstanceID(k.app, f.machine), f.state}]; n < heard {
			t.Errorf("machine %s was told %d times what leads to state %d, and the database knows it %d times", f.machine, heard, f.state, n)
		}
	}
}
