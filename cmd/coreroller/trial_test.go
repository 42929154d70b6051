package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db/attempt"
	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/simulate/load"
)

const (
	// trialMachines is the size of the fleet that is updated during a trial.
	trialMachines = 200
	// trialCap is how many of them may be updated at once.
	trialCap = 20
)

// chaos skips a test that takes long, unless COREROLLER_TEST_CHAOS is set; see make chaos.
func chaos(t *testing.T) {
	t.Helper()
	if os.Getenv("COREROLLER_TEST_CHAOS") == "" {
		t.Skip("disturbs servers for a long time: run it with make chaos")
	}
}

// trial is a fleet that is updated, and machines that register, while a test disturbs the
// servers or their database. Each request of the fleet goes to the next server.
type trial struct {
	t    *testing.T
	k    *testGroup
	seen *factLog
	sim  *simulation
	// database is PostgreSQL, not through what the test disturbs; nil for SQLite.
	database *sql.DB

	clients    []*simulate.Client
	next       atomic.Int64
	stop       chan struct{}
	registers  sync.WaitGroup
	mu         sync.Mutex
	registered []string // machines whose registration was answered 200
	statuses   map[int]int
	wellAt     []time.Time // of each server's last 200
}

// prepareTrial makes the group of a trial before the servers start. The database must be
// reached without what the test disturbs.
func prepareTrial(t *testing.T, databaseURL string) *testGroup {
	t.Helper()
	policy := fastPolicy(trialCap)
	policy.MaxAttempts = 100
	return prepareWith(t, databaseURL, policy)
}

// startTrial returns when updates are in progress. The urls are those of the servers' Omaha
// endpoints.
func startTrial(t *testing.T, k *testGroup, urls ...string) *trial {
	t.Helper()
	x := &trial{t: t, k: k, seen: newLog(), stop: make(chan struct{}), statuses: map[int]int{}, wellAt: make([]time.Time, len(urls))}
	if k.store.Postgres() {
		var err error
		if x.database, err = sql.Open("postgres", k.databaseURL); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = x.database.Close() })
		if _, err := x.database.ExecContext(k.ctx, countAtCommit); err != nil {
			t.Fatal(err)
		}
	}
	for _, url := range urls {
		x.clients = append(x.clients, simulate.NewClient(url, connections))
	}
	x.sim = startSending(t, x.sendNext, 3000, unreliableFleet(trialMachines), x.seen.add)
	for i := range urls {
		x.registers.Go(func() { x.register(i) })
	}
	x.seen.wait(t, "the rollout is in progress", func() bool { return x.seen.total >= trialMachines/4 })
	return x
}

// sendNext gives a request to the next server.
func (x *trial) sendNext(ctx context.Context, body []byte) simulate.Response {
	return x.send(ctx, int(x.next.Add(1))%len(x.clients), body)
}

func (x *trial) send(ctx context.Context, i int, body []byte) simulate.Response {
	r := x.clients[i].Send(ctx, body)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.statuses[r.Status]++
	if r.OK() {
		x.wellAt[i] = time.Now()
	}
	return r
}

// register lets up-to-date machines register at one server, until the end of the trial; not
// too many, because servers accept 1,000 unknown machines of an address an hour.
func (x *trial) register(server int) {
	f := load.NewFleet("io.example.os", trackName)
	for n := 0; ; n++ {
		select {
		case <-x.stop:
			return
		case <-time.After(60 * time.Millisecond):
		}
		id := fmt.Sprintf("new-%d-%06d", server, n)
		if r := x.send(x.k.ctx, server, f.Append(nil, id, "9.0.0", load.Check)); r.OK() {
			x.mu.Lock()
			x.registered = append(x.registered, id)
			x.mu.Unlock()
		}
	}
}

// well waits until each of some servers answers 200 again, and returns how long it took.
func (x *trial) well(servers ...int) time.Duration {
	x.t.Helper()
	since := time.Now()
	return await(x.t, "machines are answered", func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		return !slices.ContainsFunc(servers, func(i int) bool { return x.wellAt[i].Before(since) })
	})
}

// end waits until the whole fleet is updated. Then it checks that each answer was 200, 503
// or none, that nothing acknowledged was lost, that the cap was never exceeded and that all
// counters equal a recount. A row for docs/reliability.md goes to the log.
func (x *trial) end(fault string, took time.Duration) {
	t := x.t
	t.Helper()
	x.seen.wait(t, "all machines are updated", func() bool { return x.seen.updated == trialMachines })
	stats := x.sim.stop()
	close(x.stop)
	x.registers.Wait()
	for _, c := range x.clients {
		c.Close()
	}
	saw := []string{}
	for _, status := range slices.Sorted(maps.Keys(x.statuses)) {
		name := fmt.Sprint(status)
		switch status {
		case 0:
			name = "no answer"
		case http.StatusOK, http.StatusServiceUnavailable:
		default:
			t.Errorf("%d answers with status %d", x.statuses[status], status)
		}
		saw = append(saw, fmt.Sprintf("%s: %d", name, x.statuses[status]))
	}
	if stats.Refused+stats.Downgrades+stats.Unacknowledged > 0 {
		t.Errorf("unexpected statistics: %s", stats.Summary())
	}
	x.k.compare(t, x.seen.copy())
	known, err := x.k.store.Reader().Instance.Query().Where(instance.MachineIDIn(x.registered[max(0, len(x.registered)-20_000):]...)).Count(x.k.ctx)
	if err != nil || known != len(x.registered) {
		t.Errorf("%d registrations were acknowledged, %d are in the database: %v", len(x.registered), known, err)
	}
	if most := x.mostAtOnce(); most > trialCap || most == 0 {
		t.Errorf("%d machines were updated at once, %d are allowed", most, trialCap)
	}
	recount(t, x.k.store)
	name, _, _ := strings.Cut(t.Name(), "/")
	t.Logf("| %s | %s | %v | `%s` |", fault, strings.Join(saw, ", "), took.Round(10*time.Millisecond), name)
}

// countAtCommit lets PostgreSQL count the updates in flight at each commit that changes a
// group's counters. Times do not show the most of two servers: their clocks differ by a few
// milliseconds.
const countAtCommit = `CREATE TABLE trial_counts (in_flight bigint);
CREATE FUNCTION trial_count() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO trial_counts SELECT count(*) FROM instances WHERE group_id = NEW.group_id AND lease_until IS NOT NULL;
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER trial_count AFTER UPDATE ON ledgers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trial_count()`

// mostAtOnce returns the most updates of the group that were in flight at one time.
func (x *trial) mostAtOnce() (most int) {
	t, k := x.t, x.k
	t.Helper()
	if k.store.Postgres() {
		if err := x.database.QueryRowContext(k.ctx, "SELECT coalesce(max(in_flight), 0) FROM trial_counts").Scan(&most); err != nil {
			t.Fatal(err)
		}
		return most
	}
	type change struct {
		at time.Time
		by int
	}
	var changes []change
	ended, err := k.store.Reader().Attempt.Query().Where(attempt.HasInstanceWith(instance.GroupID(k.group))).All(k.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range ended {
		changes = append(changes, change{a.GrantedAt, 1}, change{a.EndedAt, -1})
	}
	open, err := k.store.Reader().Instance.Query().Where(instance.GroupID(k.group), instance.LeaseUntilNotNil()).All(k.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range open {
		changes = append(changes, change{*m.GrantedAt, 1})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), a.by-b.by) })
	now := 0
	for _, c := range changes {
		now += c.by
		most = max(most, now)
	}
	return most
}
