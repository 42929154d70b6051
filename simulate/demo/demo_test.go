package demo

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ fleet.DemoFleet = (*Fleet)(nil)

// site is a server with a demo that is not built yet.
type site struct {
	demo    *Fleet
	service *fleet.Service
	store   *store.Store
	ctx     context.Context
	url     string
}

func newSite(t *testing.T) *site {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s := &site{ctx: auth.With(t.Context(), principal())}
	var err error
	if s.store, err = store.Open(s.ctx, store.Options{URL: filepath.Join(t.TempDir(), "demo.db"), Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	s.demo = New(func() string { return s.url })
	if s.service, err = fleet.New(s.ctx, fleet.Options{Store: s.store, Now: time.Now, Log: log, Demo: s.demo}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.service.Close)
	s.demo.Attach(s.service, s.store, func(string) {})
	if err := s.service.Preinstall(s.ctx); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	omaha.NewHandler(s.service.Machines, omaha.Options{Log: log, Now: time.Now}).Mount(mux)
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	s.url = web.URL + "/v1/update/"
	return s
}

func TestEveryMachineFindsItsGroupAndTheCanariesUpdate(t *testing.T) {
	s := newSite(t)
	w := newWorld(s.service, s.store, func(string) {})
	ctx, cancel := context.WithTimeout(s.ctx, 2*time.Minute)
	defer cancel()
	if err := w.build(ctx); err != nil {
		t.Fatal(err)
	}
	machines, err := newMachines()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.promote(ctx, osApp, "beta", "1.1.0"); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	client := simulate.NewClient(s.url, 8)
	defer client.Close()
	simulation := simulate.Simulation{Machines: machines, Speed: 20 * speed, Connections: 8, Send: client.Send, Now: time.Now}
	done := make(chan simulate.Stats, 1)
	go func() { done <- simulation.Run(running) }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n := 0; n < len(machines) && ctx.Err() == nil; <-tick.C {
		if n, err = s.store.Reader().Instance.Query().Count(ctx); err != nil {
			t.Error(err)
			break
		}
	}
	result, err := w.await(ctx, canary, "1.1.0", time.Minute)
	stop()
	stats := <-done
	if err != nil || result.state != rollout.RolloutCompleted {
		t.Errorf("the canaries' rollout ended in state %d, %v", result.state, err)
	}
	if stats.Refused+stats.Unacknowledged+stats.Downgrades+stats.Unanswered > 0 {
		t.Errorf("machines report errors: %s", stats.Summary())
	}
	for _, reason := range []string{"unknown_group", "unknown_application"} {
		if n := stats.Held[reason]; n > 0 {
			t.Errorf("%d machines got the reason %s", n, reason)
		}
	}
	if stats.Held["outside_window"] == 0 && time.Now().UTC().Weekday() != time.Sunday {
		t.Errorf("no machine waits for the window of branches: %v", stats.Held)
	}
}

// The script mentions the number of machines.
func TestSampleDataIsConsistent(t *testing.T) {
	n := 0
	for _, app := range applications() {
		for _, g := range app.groups {
			n += g.machines
			if !slices.ContainsFunc(app.channels, func(c channel) bool { return c.name == g.channel }) {
				t.Errorf("group %s: unknown channel %s", g.name, g.channel)
			}
			if _, problems := policy.Compile(g.policy); len(problems) > 0 {
				t.Errorf("policy of %s: %v", g.name, problems)
			}
		}
	}
	if n != 372 {
		t.Errorf("%d machines, the script says 372", n)
	}
}

// After a restart machines run the version that the server saw last.
func TestMachinesContinueAfterARestart(t *testing.T) {
	s := newSite(t)
	if _, err := s.demo.Build(s.ctx, s.service); err != nil {
		t.Fatal(err)
	}
	first, err := newMachines()
	if err != nil {
		t.Fatal(err)
	}
	id := first[0].Identity
	if _, err := s.service.Machines.CheckIn(s.ctx, checkin.CheckIn{AppID: id.App, Track: id.Track, Machine: id.Machine, Version: "1.2.1", Ping: true}); err != nil {
		t.Fatal(err)
	}
	again, err := s.demo.machines(s.ctx, false)
	if err != nil || len(again) != len(first) {
		t.Fatalf("%d machines, %v", len(again), err)
	}
	if again[0].Version != "1.2.1" || again[1].Version != first[1].Version {
		t.Errorf("they run %s and %s", again[0].Version, again[1].Version)
	}
	// Machines of a deleted application do not continue.
	agent := s.demo.Applications()[1]
	if err := s.service.DeleteApplication(s.ctx, fleet.DeleteApplication{ID: agent, Force: true}); err != nil {
		t.Fatal(err)
	}
	if rest, err := s.demo.machines(s.ctx, false); err != nil || len(rest) != len(first)-60 {
		t.Errorf("%d machines, %v", len(rest), err)
	}
}

func TestFailedStartDeletesTheSampleData(t *testing.T) {
	s := newSite(t)
	s.demo.Close()
	if _, err := s.service.StartDemo(s.ctx); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("StartDemo while the server stops: %v", err)
	}
	for _, id := range s.demo.Applications() {
		if s.service.Catalog().App(id) != nil {
			t.Errorf("application %s was not deleted", id)
		}
	}
}
