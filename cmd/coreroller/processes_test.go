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
	"github.com/coreroller/coreroller/load"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// Several real processes on one PostgreSQL.

// join starts one more process on a database.
func join(t *testing.T, binary, databaseURL string) *child {
	t.Helper()
	return startChild(t, binary, []string{"serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--database-url", databaseURL})
}

// ask sends a query or mutation of the first user and fails the test on errors.
func (c *child) ask(t *testing.T, document string, variables, data any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("admin", "admin")
	w, err := http.DefaultClient.Do(r)
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

// checkBy lets a machine ask one process.
func (k *track) checkBy(ctx context.Context, client *omahaClient, machine, version string) (answer, error) {
	body := load.NewFleet("io.example.os", trackName).Append(nil, machine, version, load.Check)
	r := client.send(ctx, body)
	if !r.okay() {
		return answer{}, fmt.Errorf("%s is answered %d %s", machine, r.Status, r.Body)
	}
	a, code := readAnswer(r.Body, true)
	if code != 0 {
		return answer{}, fmt.Errorf("%s cannot use (%d) %s", machine, code, r.Body)
	}
	return a, nil
}

// testTwoProcesses: a pause is made on one process while machines ask the
// other. No check that begins after it was answered is granted, and a dashboard
// on the other process shows it.
func testTwoProcesses(t *testing.T, binary string) {
	databaseURL := storetest.Postgres(t)
	k := prepareWith(t, databaseURL, quick(1<<20))
	k.promote(t)
	one, other := join(t, binary, databaseURL), join(t, binary, databaseURL)
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
	client := newOmahaClient(other.url+"/v1/update/", checkers)
	defer client.close()
	var number atomic.Int64
	for round := range 3 {
		reason := fmt.Sprint("because ", round)
		var committed, over atomic.Bool // over without committed: the pause failed
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
					a, err := k.checkBy(t.Context(), client, fmt.Sprint("m", number.Add(1)), "1.0.0")
					switch {
					case err != nil:
						t.Error(err)
						return
					case late && (a.Offered || a.Info != "paused"):
						t.Errorf("a check after the pause is answered %+v", a)
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
			for before.Load() < 20 && !t.Failed() { // machines are being granted
				if _, err := k.checkBy(t.Context(), client, fmt.Sprint("m", number.Add(1)), "1.0.0"); err != nil {
					t.Error(err)
				}
			}
			one.ask(t, `mutation($in: PauseUpdatesInput!) { pauseUpdates(input: $in) { userErrors { message } } }`,
				map[string]any{"in": map[string]any{"groupId": k.group, "reason": reason}}, nil)
			committed.Store(true)
		}()
		answered := time.Now()
		g.Wait()
		select {
		case at := <-shown[reason]:
			t.Logf("a dashboard on the other process shows the pause %s after it was answered, under load", at.Sub(answered).Round(time.Millisecond))
		case <-time.After(time.Minute):
			t.Fatal("a dashboard on the other process never shows the pause")
		}
		one.ask(t, `mutation($in: ResumeUpdatesInput!) { resumeUpdates(input: $in) { userErrors { message } } }`,
			map[string]any{"in": map[string]any{"groupId": k.group}}, nil)
	}
	one.stop(t)
	other.stop(t)
	recount(t, k.store)
}

// testSurvivor: of two processes the one that does the background work is
// killed in the middle of a rollout. Nothing it told a machine is lost; its
// machines are served by the other, which ends leases, finds silent machines
// and keeps statistics from then on.
func testSurvivor(t *testing.T, binary string) {
	const machines = 200
	databaseURL := storetest.Postgres(t)
	k := prepare(t, databaseURL)
	k.promote(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	killed := join(t, binary, databaseURL)
	first := newOmahaClient(killed.url+"/v1/update/", 4)
	defer first.close()
	for machine, version := range map[string]string{"leased": "1.0.0", "silent": "2.0.0"} {
		a, err := k.checkBy(ctx, first, machine, version)
		if err != nil || a.Offered != (version == "1.0.0") {
			t.Fatalf("%s is answered %+v %v", machine, a, err)
		}
	}
	k.eventually(ctx, t, "the first process does the background work", func() bool {
		var health struct {
			ServerHealth struct {
				Jobs []struct{ LastRunAt *time.Time }
			}
		}
		killed.ask(t, "{ serverHealth { jobs { lastRunAt } } }", nil, &health)
		n := 0
		for _, job := range health.ServerHealth.Jobs {
			if job.LastRunAt != nil {
				n++
			}
		}
		return n >= 3
	})

	survivor := join(t, binary, databaseURL)
	second := newOmahaClient(survivor.url+"/v1/update/", 4)
	defer second.close()
	// As a balancer does: the first as long as it answers, then the other.
	var dead atomic.Bool
	send := func(ctx context.Context, body []byte) reply {
		if !dead.Load() {
			return first.send(ctx, body)
		}
		return second.send(ctx, body)
	}
	o := quickFleet(machines)
	o.Speed = 3000
	o.Habits.Failure, o.Habits.Deferral, o.Habits.Interruption = 0.05, 0.02, 0.02
	told := newLog()
	s := startSending(t, send, o, told.hear)
	told.wait(t, "the rollout is under way", func() bool { return told.total >= machines })
	killed.kill(t)
	dead.Store(true)
	k.compare(t, told.copy())
	recount(t, k.store)
	when := time.Now()

	// What only happens with time happened long ago.
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
	k.eventually(ctx, t, "the lease of the dead process's machine ends", func() bool {
		m, err := k.store.Reader().Instance.Get(ctx, store.InstanceID(k.app, "leased"))
		return err == nil && m.State == rollout.StateError && m.LeaseUntil == nil
	})
	k.eventually(ctx, t, "the silent machine is found", func() bool {
		n, err := k.store.Reader().Instance.Query().Where(instance.MachineID("silent"), instance.StandingEQ(rollout.StandingSilent)).Count(ctx)
		return err == nil && n == 1
	})
	told.wait(t, "everybody runs 2.0.0", func() bool { return told.updated == machines })
	k.eventually(ctx, t, "statistics go on", func() bool {
		n, err := k.store.Reader().StatPoint.Query().Where(statpoint.GroupID(k.group), statpoint.AtGT(when)).Count(ctx)
		return err == nil && n > 0
	})
	s.stop()
	survivor.stop(t)
	k.compare(t, told.copy())
	recount(t, k.store)
}

// eventually looks again and again: what it waits for is told to nobody.
func (k *track) eventually(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited too long until %s", what)
		case <-again.C:
		}
	}
}
