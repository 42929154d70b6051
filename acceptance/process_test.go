package acceptance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleetlock"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// processVariable contains a database URL. If it is set, the test binary runs as a
// server process on that database.
const processVariable = "COREROLLER_ACCEPTANCE_DATABASE"

// clockVariable contains the time of such a process, which stands still.
const clockVariable = "COREROLLER_ACCEPTANCE_CLOCK"

// serveProcess runs a server process. It prints its URL and serves until its
// standard input is closed, also by the end of the test.
func serveProcess(url string) int {
	if err := runProcess(context.Background(), url); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func runProcess(ctx context.Context, url string) error {
	at, err := time.Parse(time.RFC3339, os.Getenv(clockVariable))
	if err != nil {
		return err
	}
	now := func() time.Time { return at }
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	st, err := store.Open(ctx, store.Options{URL: url, Log: log})
	if err != nil {
		return err
	}
	svc, err := fleet.New(ctx, fleet.Options{Store: st, Now: now, Log: log})
	if err != nil {
		return errors.Join(err, st.Close())
	}
	if err := svc.Upkeep.Beat(ctx); err != nil { // before the first request, as a real server
		return errors.Join(err, st.Close())
	}
	mux := http.NewServeMux()
	omaha.NewHandler(svc.Machines, omaha.Options{Now: now, Log: log}).Mount(mux)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, st.Close())
	}
	locks := fleetlock.NewHandler(svc.Reboots, fleetlock.Options{Address: omaha.Proxies(nil).ClientAddress, Log: log})
	web := &http.Server{Handler: locks.Route(mux), ReadHeaderTimeout: time.Minute}
	background, stop := context.WithCancel(ctx)
	finished := make(chan error, 2)
	go func() { finished <- web.Serve(listener) }()
	go func() { svc.Run(background); finished <- nil }() // includes the background work of a real server
	fmt.Println("http://" + listener.Addr().String())
	_, err = io.Copy(io.Discard, os.Stdin)
	err = errors.Join(err, web.Shutdown(ctx))
	stop()
	for range 2 {
		if e := <-finished; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}
	svc.Close()
	return errors.Join(err, st.Close())
}

// process starts a server process at a time and returns its URL. kill ends it at once.
func process(t *testing.T, url string, at time.Time) (address string, kill func()) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program)
	c.Env = append(os.Environ(), processVariable+"="+url, clockVariable+"="+at.Format(time.RFC3339))
	c.Stderr = os.Stderr
	input, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	t.Cleanup(func() {
		_ = input.Close() // stops the process
		if err := c.Wait(); err != nil && !killed {
			t.Errorf("server process: %v", err)
		}
	})
	address, err = bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the server process did not print its URL: %v", err)
	}
	return strings.TrimSpace(address), func() { killed = c.Process.Kill() == nil }
}

// P1 and P12 with 4 real processes on one PostgreSQL, 200 connections and 20
// groups with random policies. Each group gets exactly as many offers as its policy
// allows, because more machines than that check in.
func TestP1_CapsHoldAcrossProcesses(t *testing.T) {
	const (
		processes   = 4
		connections = 200
		policies    = 20
		machines    = 40 // of each group
	)
	s := start(t, storetest.Postgres(t))
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	caps := make([]int, policies)
	groups := make([]uuid.UUID, policies)
	for i := range policies {
		p := casePolicy()
		p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 1+r.IntN(30), 1+r.IntN(30)
		p.PeriodInterval = time.Duration(1+r.IntN(600)) * time.Second
		p.SafeMode = r.IntN(5) == 0
		if caps[i] = min(p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates); p.SafeMode {
			caps[i] = 1
		}
		groups[i] = s.newGroup(fmt.Sprint("P", i), fmt.Sprint("p", i), p)
	}
	addresses := make([]string, processes)
	for i := range addresses {
		addresses[i], _ = process(t, s.url, begin)
	}

	// Every machine sends two checks, to different servers, in random order.
	type asking struct{ group, machine, server int }
	var all []asking
	for g := range policies {
		for m := range machines {
			first := r.IntN(processes)
			all = append(all, asking{g, m, first}, asking{g, m, (first + 1) % processes})
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}}
	t.Cleanup(client.CloseIdleConnections)
	offers := make([]bool, len(all))
	atOnce(connections, func(i int) {
		for k := i; k < len(all); k += connections {
			q := s.checking(fmt.Sprintf("g%dm%d", all[k].group, all[k].machine), "1.0.0")
			q.track = fmt.Sprint("p", all[k].group)
			a, err := overWire(t.Context(), client, addresses[all[k].server], document(q))
			if err != nil || len(a.Apps) != 1 || a.Apps[0].Status != "ok" {
				t.Errorf("answered %+v, %v", a, err)
				continue
			}
			offers[k] = a.Apps[0].offered() == "2.0.0"
		}
	})
	offered := make([]map[int]bool, policies)
	for k, yes := range offers {
		if offered[all[k].group] == nil {
			offered[all[k].group] = map[int]bool{}
		}
		if yes {
			offered[all[k].group][all[k].machine] = true
		}
	}
	for i, id := range groups {
		if len(offered[i]) != caps[i] {
			t.Errorf("group %d offered an update to %d machines, its cap is %d", i, len(offered[i]), caps[i])
		}
		started, err := s.store.Reader().Activity.Query().Where(activity.GroupID(id), activity.KindEQ(rollout.ActivityRolloutStarted)).Count(s.ctx)
		s.ok(err)
		if started != 1 {
			t.Errorf("group %d: %d activities for the start of its rollout, want 1", i, started)
		}
	}
	total, err := s.store.Reader().Group.Query().Where(group.IDIn(groups...)).QueryInstances().Count(s.ctx)
	s.ok(err)
	if total != policies*machines {
		t.Errorf("%d machines, want %d", total, policies*machines)
	}
}

func overWire(ctx context.Context, client *http.Client, address, body string) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/v1/update/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	w, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer w.Body.Close()
	raw, err := io.ReadAll(w.Body)
	if err != nil {
		return nil, err
	}
	return parse(w.StatusCode, w.Header, raw)
}
