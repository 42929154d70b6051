package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/store"
)

// testGroup is a group with an application whose channel is on 1.0.0.
// promote moves it to 2.0.0.
type testGroup struct {
	service             *fleet.Service
	store               *store.Store
	databaseURL         string // of prepare
	ctx                 context.Context
	app, channel, group uuid.UUID
	next                uuid.UUID
}

const trackName = "production"

func newTestGroup(t *testing.T, service *fleet.Service, s *store.Store, policy rollout.Policy) *testGroup {
	t.Helper()
	k := &testGroup{service: service, store: s, ctx: auth.With(t.Context(), commandPrincipal("test"))}
	product := "io.example.os"
	app, err := service.CreateApplication(k.ctx, fleet.CreateApplication{Name: "OS", ProductID: &product})
	if err != nil {
		t.Fatal(err)
	}
	k.app = app.ID
	packages := map[string]uuid.UUID{}
	for _, version := range []string{"1.0.0", "2.0.0"} {
		p, err := service.CreatePackage(k.ctx, fleet.CreatePackage{
			ApplicationID: app.ID, Type: catalog.PackageFlatcar, Version: version, URL: "https://updates.example.net/" + version + "/",
			Filename: "update.gz", Size: 1 << 20, SHA256: strings.Repeat("ab", 32),
		})
		if err != nil {
			t.Fatal(err)
		}
		packages[version] = p.ID
	}
	old := packages["1.0.0"]
	k.next = packages["2.0.0"]
	channel, err := service.CreateChannel(k.ctx, fleet.CreateChannel{ApplicationID: app.ID, Name: "stable", PackageID: &old})
	if err != nil {
		t.Fatal(err)
	}
	k.channel = channel.ID
	group, err := service.CreateGroup(k.ctx, fleet.CreateGroup{
		ApplicationID: app.ID, Name: trackName, Track: trackName, ChannelID: &k.channel, Policy: &policy,
	})
	if err != nil {
		t.Fatal(err)
	}
	k.group = group.ID
	return k
}

func (k *testGroup) promote(t *testing.T) {
	t.Helper()
	if _, err := k.service.PromotePackage(k.ctx, fleet.PromotePackage{ChannelID: k.channel, PackageID: &k.next}); err != nil {
		t.Fatal(err)
	}
}

// fastPolicy allows n grants every 50 ms, for machines at 10,000 times real time.
func fastPolicy(n int) rollout.Policy {
	p := policy.Default()
	p.SafeMode, p.HaltFailureShare = false, 0
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = n, n, 50*time.Millisecond
	p.UpdateTimeout, p.RebootTimeout = time.Minute, 5*time.Minute
	return p
}

// until waits for a condition, which it checks after every event.
func (k *testGroup) until(ctx context.Context, what string, holds func() (bool, error)) error {
	subscription := k.store.Bus().Subscribe(func(event.Event) bool { return true })
	defer subscription.Close()
	for {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, context.Cause(ctx))
		case <-subscription.Ready():
			subscription.Take()
		}
	}
}

// state returns the state of the group's rollout to 2.0.0.
func (k *testGroup) state() (rollout.RolloutState, error) {
	rows, err := k.store.Reader().GroupRollout.Query().All(context.Background())
	for _, r := range rows {
		if r.GroupID == k.group && r.Version == "2.0.0" {
			return r.State, err
		}
	}
	return -1, errors.Join(err, errors.New("there is no rollout to 2.0.0"))
}

// progress returns the sum of the counters of all waves of the rollout to 2.0.0.
func (k *testGroup) progress(t *testing.T) (sum rollout.Counts) {
	t.Helper()
	rows, err := k.store.Reader().GroupRollout.Query().WithWaves().All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.GroupID != k.group || r.Version != "2.0.0" {
			continue
		}
		for _, w := range r.Edges.Waves {
			sum.Granted += w.Granted
			sum.Succeeded += w.Succeeded
			sum.Failed += w.Failed
			sum.RolledBack += w.RolledBack
			sum.Released += w.Released
		}
	}
	return sum
}

// versions returns the number of machines by running version.
func (k *testGroup) versions(t *testing.T) map[string]int {
	t.Helper()
	rows, err := k.store.Reader().Instance.Query().All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, r := range rows {
		if r.ApplicationID == k.app {
			counts[r.Version]++
		}
	}
	return counts
}

// recount fails the test for every counter that differs from a recount.
func recount(t *testing.T, s *store.Store) {
	t.Helper()
	differences, err := s.Recount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		t.Errorf("counter differs: %+v", d)
	}
}

// simulation is a running fleet.
type simulation struct {
	cancel context.CancelFunc
	done   chan simulate.Stats
}

func startSimulation(t *testing.T, url string, speed float64, f simulate.Fleet, onExchange func(simulate.Exchange)) *simulation {
	t.Helper()
	client := simulate.NewClient(url, connections)
	t.Cleanup(client.Close)
	return startSending(t, client.Send, speed, f, onExchange)
}

// connections is the number of concurrent requests of a simulation.
const connections = 8

func startSending(t *testing.T, send func(context.Context, []byte) simulate.Response, speed float64, f simulate.Fleet, onExchange func(simulate.Exchange)) *simulation {
	t.Helper()
	machines, err := f.NewMachines()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := simulate.Simulation{Machines: machines, Speed: speed, Connections: connections, Send: send, OnExchange: onExchange, Now: time.Now}
	running := &simulation{cancel: cancel, done: make(chan simulate.Stats, 1)}
	go func() { running.done <- s.Run(ctx) }()
	return running
}

func (s *simulation) stop() simulate.Stats {
	s.cancel()
	return <-s.done
}

// flawlessFleet is n machines on 1.0.0 whose updates never fail.
func flawlessFleet(n int) simulate.Fleet {
	return simulate.Fleet{App: "io.example.os", Track: trackName, Board: "amd64-usr", Kind: simulate.KindDaemon, Machines: n,
		Versions: "1.0.0", Seed: 1, Behavior: simulate.DefaultBehavior().Flawless()}
}
