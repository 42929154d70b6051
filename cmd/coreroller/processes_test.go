package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreroller/coreroller/ent/db/instance"
	"github.com/coreroller/coreroller/ent/db/statpoint"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/simulate/load"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// Several processes on one PostgreSQL database.

// startReplica starts another process on a database.
func startReplica(t *testing.T, binary, databaseURL string) *child {
	t.Helper()
	return startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--database-url", databaseURL})
}

// graphql sends a document as the first user and fails the test on errors.
func (c *child) graphql(t *testing.T, document string, variables, data any) {
	t.Helper()
	graphql(t, c.url, document, variables, data)
}

func graphql(t *testing.T, url, document string, variables, data any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("admin", "admin")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // leaves no goroutine
	w, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	answer := struct {
		Data   any
		Errors []struct{ Message string }
	}{Data: data}
	if err := json.NewDecoder(w.Body).Decode(&answer); err != nil || len(answer.Errors) > 0 {
		t.Fatalf("%s: %v %v", document, answer.Errors, err)
	}
}

// check sends a check of one machine through a client.
func (k *testGroup) check(ctx context.Context, client *simulate.Client, machine, version string) (simulate.Answer, error) {
	body := load.NewFleet("io.example.os", trackName).Append(nil, machine, version, load.Check)
	r := client.Send(ctx, body)
	a, code := simulate.ReadAnswer(r.Body, true)
	if !r.OK() || code != 0 {
		return a, fmt.Errorf("%s got status %d, code %d: %s", machine, r.Status, code, r.Body)
	}
	return a, nil
}

// testTwoProcesses pauses a group on one process while machines check on the other.
// No check that starts after the pause was answered is granted, and a dashboard on
// the other process shows the pause.
func testTwoProcesses(t *testing.T, binary string) {
	databaseURL := storetest.Postgres(t)
	k := prepareWith(t, databaseURL, fastPolicy(1<<20))
	k.promote(t)
	one, other := startReplica(t, binary, databaseURL), startReplica(t, binary, databaseURL)
	watching, err := load.Open(t.Context(), other.url, "admin", "admin")
	if err != nil {
		t.Fatal(err)
	}
	defer watching.Close()
	if err := watching.Subscribe("1", "subscription($id: ID!) { groupChanged(groupId: $id) { group { pause { reason } } } }", map[string]any{"id": k.group}); err != nil {
		t.Fatal(err)
	}
	shown := map[string]chan time.Time{"": make(chan time.Time, 1)}
	for i := range 3 {
		shown[fmt.Sprint("because ", i)] = make(chan time.Time, 1)
	}
	go func() {
		for {
			message, err := watching.Next()
			if err != nil {
				return
			}
			for reason, at := range shown {
				if reason != "" && bytes.Contains(message, []byte(reason)) {
					select {
					case at <- time.Now():
					default:
					}
				}
			}
		}
	}()

	const checkers, each = 8, 4
	client := simulate.NewClient(other.url+"/v1/update/", checkers)
	defer client.Close()
	var number atomic.Int64
	for round := range 3 {
		reason := fmt.Sprint("because ", round)
		var committed, over atomic.Bool // over but not committed: the pause failed
		var before atomic.Int64
		var g sync.WaitGroup
		for range checkers {
			g.Go(func() {
				for after := 0; after < each; {
					ended := over.Load()
					late := committed.Load()
					if ended && !late {
						return
					}
					a, err := k.check(t.Context(), client, fmt.Sprint("m", number.Add(1)), "1.0.0")
					switch {
					case err != nil:
						t.Error(err)
						return
					case late && (a.Offered || a.Info != "paused"):
						t.Errorf("a check after the pause got %+v", a)
						return
					case late:
						after++
					case a.Offered:
						before.Add(1)
					}
				}
			})
		}
		func() {
			defer over.Store(true)
			for before.Load() < 20 && !t.Failed() { // until machines get grants
				if _, err := k.check(t.Context(), client, fmt.Sprint("m", number.Add(1)), "1.0.0"); err != nil {
					t.Error(err)
				}
			}
			one.graphql(t, `mutation($in: PauseUpdatesInput!) { pauseUpdates(input: $in) { userErrors { message } } }`,
				map[string]any{"in": map[string]any{"groupId": k.group, "reason": reason}}, nil)
			committed.Store(true)
		}()
		answered := time.Now()
		g.Wait()
		select {
		case at := <-shown[reason]:
			t.Logf("under load a dashboard on the other process shows the pause after %s", at.Sub(answered).Round(time.Millisecond))
		case <-time.After(time.Minute):
			t.Fatal("a dashboard on the other process does not show the pause")
		}
		one.graphql(t, `mutation($in: ResumeUpdatesInput!) { resumeUpdates(input: $in) { userErrors { message } } }`,
			map[string]any{"in": map[string]any{"groupId": k.group}}, nil)
	}
	one.stop(t)
	other.stop(t)
	recount(t, k.store)
}

// testSurvivor kills the process that does the background work during a rollout.
// No answer that it sent is lost. The other process serves its machines, and from
// then on ends leases, marks silent machines and records statistics.
func testSurvivor(t *testing.T, binary string) {
	const machines = 200
	databaseURL := storetest.Postgres(t)
	k := prepare(t, databaseURL)
	k.promote(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	killed := startReplica(t, binary, databaseURL)
	first := simulate.NewClient(killed.url+"/v1/update/", 4)
	defer first.Close()
	for machine, version := range map[string]string{"leased": "1.0.0", "silent": "2.0.0"} {
		a, err := k.check(ctx, first, machine, version)
		if err != nil || a.Offered != (version == "1.0.0") {
			t.Fatalf("%s got %+v %v", machine, a, err)
		}
	}
	k.eventually(ctx, t, "the first process does the background work", func() bool {
		var health struct {
			ServerHealth struct {
				Jobs []struct{ LastRunAt *time.Time }
			}
		}
		killed.graphql(t, "{ serverHealth { jobs { lastRunAt } } }", nil, &health)
		n := 0
		for _, job := range health.ServerHealth.Jobs {
			if job.LastRunAt != nil {
				n++
			}
		}
		return n >= 3
	})

	survivor := startReplica(t, binary, databaseURL)
	second := simulate.NewClient(survivor.url+"/v1/update/", 4)
	defer second.Close()
	// Like a load balancer: the first process while it runs, then the other.
	var dead atomic.Bool
	send := func(ctx context.Context, body []byte) simulate.Response {
		if !dead.Load() {
			return first.Send(ctx, body)
		}
		return second.Send(ctx, body)
	}
	seen := newLog()
	s := startSending(t, send, 3000, unreliableFleet(machines), seen.add)
	seen.wait(t, "the rollout is in progress", func() bool { return seen.total >= machines })
	killed.kill(t)
	dead.Store(true)
	k.compare(t, seen.copy())
	recount(t, k.store)
	killedAt := time.Now()

	// Move times into the past instead of waiting.
	d, err := sql.Open("postgres", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	for _, text := range []string{
		"UPDATE instances SET lease_until = now() - interval '1 minute' WHERE machine_id = 'leased'",
		"UPDATE ledgers SET next_lease_at = now() - interval '1 minute'",
		"UPDATE instances SET last_seen_at = now() - interval '25 hours' WHERE machine_id = 'silent'",
	} {
		if _, err := d.ExecContext(ctx, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	k.eventually(ctx, t, "the lease of the killed process's machine ends", func() bool {
		m, err := k.store.Reader().Instance.Get(ctx, store.InstanceID(k.app, "leased"))
		return err == nil && m.State == rollout.StateError && m.LeaseUntil == nil
	})
	k.eventually(ctx, t, "the silent machine is marked", func() bool {
		n, err := k.store.Reader().Instance.Query().Where(instance.MachineID("silent"), instance.StandingEQ(rollout.StandingSilent)).Count(ctx)
		return err == nil && n == 1
	})
	seen.wait(t, "all machines run 2.0.0", func() bool { return seen.updated == machines })
	k.eventually(ctx, t, "statistics are recorded", func() bool {
		n, err := k.store.Reader().StatPoint.Query().Where(statpoint.GroupID(k.group), statpoint.AtGT(killedAt)).Count(ctx)
		return err == nil && n > 0
	})
	s.stop()
	survivor.stop(t)
	k.compare(t, seen.copy())
	recount(t, k.store)
}

// eventually polls a condition for which there is no event.
func (k *testGroup) eventually(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("timed out waiting until %s", what)
		case <-tick.C:
		}
	}
}
