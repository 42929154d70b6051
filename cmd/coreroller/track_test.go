package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// track is a group under test: an application at 1.0.0 whose channel is moved
// to 2.0.0 by promote.
type track struct {
	service             *fleet.Service
	store               *store.Store
	ctx                 context.Context
	app, channel, group uuid.UUID
	next                uuid.UUID
}

const trackName = "production"

func newTrack(t *testing.T, service *fleet.Service, s *store.Store, policy rollout.Policy) *track {
	t.Helper()
	k := &track{service: service, store: s, ctx: auth.With(t.Context(), commandPrincipal("test"))}
	product := "io.example.os"
	app, err := service.CreateApplication(k.ctx, fleet.CreateApplication{Name: "OS", ProductID: &product})
	if err != nil {
		t.Fatal(err)
	}
	k.app = app.ID
	packages := map[string]uuid.UUID{}
	for _, version := range []string{"1.0.0", "2.0.0"} {
		p, err := service.CreatePackage(k.ctx, demoPackage(app.ID, demoApp{name: "OS", product: product}, version))
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

func (k *track) promote(t *testing.T) {
	t.Helper()
	if _, err := k.service.PromotePackage(k.ctx, fleet.PromotePackage{ChannelID: k.channel, PackageID: &k.next}); err != nil {
		t.Fatal(err)
	}
}

// quick is a policy for time that runs some ten thousand times as fast.
func quick(n int) rollout.Policy {
	p := demoPolicy(n, 50*time.Millisecond)
	p.HaltFailureShare = 0
	return p
}

// until waits for a condition that is looked at whenever something changed.
func (k *track) until(ctx context.Context, what string, holds func() (bool, error)) error {
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

// state is that of the group's rollout to 2.0.0.
func (k *track) state() (rollout.RolloutState, error) {
	rows, err := k.store.Reader().GroupRollout.Query().All(context.Background())
	for _, r := range rows {
		if r.GroupID == k.group && r.Version == "2.0.0" {
			return r.State, err
		}
	}
	return -1, errors.Join(err, errors.New("there is no rollout to 2.0.0"))
}

// progress is the sum over the waves of the rollout to 2.0.0.
func (k *track) progress(t *testing.T) (sum rollout.Counts) {
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

// versions counts the group's machines by what they run.
func (k *track) versions(t *testing.T) map[string]int {
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

// recount fails the test for every counter that is not what it counts.
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

// simulated is a fleet that lives until stop.
type simulated struct {
	simulation
	cancel context.CancelFunc
	done   chan tally
}

func startSimulated(t *testing.T, address string, o simulateOptions, observe func(exchange)) *simulated {
	t.Helper()
	client := newOmahaClient(address, o.Senders)
	t.Cleanup(client.close)
	return startSending(t, client.send, o, observe)
}

func startSending(t *testing.T, send func(context.Context, []byte) reply, o simulateOptions, observe func(exchange)) *simulated {
	t.Helper()
	machines, err := o.fleet()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &simulated{cancel: cancel, done: make(chan tally, 1)}
	s.simulation = simulation{Machines: machines, Speed: o.Speed, Senders: o.Senders, Send: send, Observe: observe, Now: time.Now}
	go func() { s.done <- s.Run(ctx) }()
	return s
}

func (s *simulated) stop() tally {
	s.cancel()
	return <-s.done
}

func quickFleet(n int) simulateOptions {
	h := defaultHabits()
	h.Failure, h.Rollback, h.Silence, h.Deferral, h.Interruption = 0, 0, 0, 0, 0
	return simulateOptions{App: "io.example.os", Track: trackName, Board: "amd64-usr", Kind: "daemon", Machines: n,
		Versions: "1.0.0", Seed: 1, Speed: 10000, Senders: 8, Habits: h}
}
