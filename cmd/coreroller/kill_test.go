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
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/store"
)

// testKill kills the program with SIGKILL under load, checks the database and
// starts it again, twice, until the whole fleet is updated. Every grant that a
// machine received and every event that was acknowledged must be in the database,
// and every counter must equal a recount.
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
	seen := newLog()
	s := startSimulation(t, server.url+"/v1/update/", 3000, unreliableFleet(machines), seen.add)
	for _, enough := range []int{machines, 3 * machines} {
		seen.wait(t, fmt.Sprintf("%d facts", enough), func() bool { return seen.total >= enough })
		server.kill(t)
		k.compare(t, seen.copy())
		recount(t, k.store)
		server = startChild(t, binary, args)
	}
	seen.wait(t, "all machines run 2.0.0", func() bool { return seen.updated == machines })
	stats := s.stop()
	server.stop(t)
	k.compare(t, seen.copy())
	recount(t, k.store)
	if stats.Refused+stats.Downgrades+stats.Unacknowledged > 0 || stats.Unanswered == 0 {
		t.Errorf("unexpected statistics: %s", stats.Summary())
	}
	t.Logf("%d facts; %s", seen.total, stats.Summary())
}

// unreliableFleet is n machines some of whose updates fail.
func unreliableFleet(n int) simulate.Fleet {
	f := flawlessFleet(n)
	f.Behavior.Failure, f.Behavior.Deferral, f.Behavior.Interruption = 0.05, 0.02, 0.02
	return f
}

// prepare creates an application and a group before the server starts.
func prepare(t *testing.T, databaseURL string) *testGroup {
	policy := fastPolicy(60)
	policy.MaxAttempts = 100
	return prepareWith(t, databaseURL, policy)
}

func prepareWith(t *testing.T, databaseURL string, policy rollout.Policy) *testGroup {
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
	k := newTestGroup(t, service, s, policy)
	k.databaseURL = databaseURL
	k.promote(t)
	return k
}

// fact is a grant or an acknowledged event that a machine received. The machine's
// history must contain the state that follows from it.
type fact struct {
	machine string
	state   rollout.State
}

// factLog counts the facts of a fleet.
type factLog struct {
	mu      sync.Mutex
	facts   map[fact]int
	offered map[string]bool // machines that sent no event since their offer, or put it off: the next offer is the same grant
	total   int
	updated int
	changed chan struct{}
}

func newLog() *factLog {
	return &factLog{facts: map[fact]int{}, offered: map[string]bool{}, changed: make(chan struct{}, 1)}
}

func (l *factLog) add(x simulate.Exchange) {
	if !x.Response.OK() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if x.Result.Updated {
		l.updated++
		l.count(x, rollout.StateComplete)
	}
	id := x.Machine.Identity.Machine
	if x.Result.Offered && !l.offered[id] {
		l.count(x, rollout.StateGranted)
	}
	l.offered[id] = l.offered[id] || x.Result.Offered
	if e := x.Request.Event; e != nil && !x.Request.Check && x.Result.Answer.Acknowledged > 0 {
		failedCheck := e.Type == 3 && e.Result == 0 && e.Code&^simulate.FlagOtherServer >= simulate.CodeHTTPBase
		l.offered[id] = l.offered[id] && (failedCheck || e.Result == rollout.ResultDeferred)
		switch {
		case e.Type == 13:
			l.count(x, rollout.StateDownloading)
		case e.Type == 14:
			l.count(x, rollout.StateDownloaded)
		case e.Type == 3 && e.Result == 1:
			l.count(x, rollout.StateInstalled)
		case e.Type == 3 && e.Result == 0 && !failedCheck:
			l.count(x, rollout.StateError)
		}
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *factLog) count(x simulate.Exchange, s rollout.State) {
	l.facts[fact{x.Machine.Identity.Machine, s}]++
	l.total++
}

func (l *factLog) copy() map[fact]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.facts)
}

// wait blocks until a condition on the log holds.
func (l *factLog) wait(t *testing.T, what string, holds func() bool) {
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
			t.Fatalf("timed out waiting until %s: %d facts, %d machines updated", what, total, updated)
		case <-l.changed:
		}
	}
}

// compare fails the test for every fact that the database does not contain. The
// database may contain more: commits whose response was lost.
func (k *testGroup) compare(t *testing.T, facts map[fact]int) {
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
	for f, n := range facts {
		if got := stored[key{store.InstanceID(k.app, f.machine), f.state}]; got < n {
			t.Errorf("machine %s: the history has state %d %d times, the machine was answered %d times", f.machine, f.state, got, n)
		}
	}
}
