package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/rollout"
)

// The demo's world is made by the verbs of the fleet and every one of its
// machines finds its group in it; the canaries then update before our eyes.
func TestTheDemoIsAliveAtOnce(t *testing.T) {
	p := startProgram(t, "")
	d := &demo{fleet: p.fleet, store: p.store, say: func(string) {}}
	ctx, cancel := context.WithTimeout(auth.With(t.Context(), commandPrincipal("demo")), 2*time.Minute)
	defer cancel()
	if err := d.build(ctx); err != nil {
		t.Fatal(err)
	}
	machines, err := demoMachines()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.promote(ctx, demoOS, "beta", "1.1.0"); err != nil {
		t.Fatal(err)
	}
	living, stop := context.WithCancel(ctx)
	client := newOmahaClient(p.OmahaURL(), 8)
	defer client.close()
	s := simulation{Machines: machines, Speed: 20 * demoSpeed, Senders: 8, Send: client.send, Now: time.Now}
	seen := make(chan tally, 1)
	go func() { seen <- s.Run(living) }()
	k := &track{store: p.store}
	err = k.until(ctx, "everybody has checked in", func() (bool, error) {
		n, err := p.store.Reader().Instance.Query().Count(ctx)
		return n == len(machines), err
	})
	if err != nil {
		t.Fatal(err)
	}
	end, err := d.await(ctx, canary, "1.1.0", time.Minute)
	stop()
	total := <-seen
	if err != nil || end.state != rollout.RolloutCompleted {
		t.Errorf("the canaries end in state %d, %v", end.state, err)
	}
	if total.Refused+total.Unacked+total.Downgrades+total.Unanswered > 0 {
		t.Errorf("machines complain: %s", total.summary())
	}
	for _, reason := range []string{"unknown_group", "unknown_application"} {
		if total.Held[reason] > 0 {
			t.Errorf("machines are told %s", reason)
		}
	}
	if total.Held["outside_window"] == 0 && time.Now().UTC().Weekday() != time.Sunday {
		t.Errorf("the branches do not wait for their window: %v", total.Held)
	}
}

func TestTheDemoSaysWhenItsPlaceIsTaken(t *testing.T) {
	dir := t.TempDir()
	p := NewProgram(Config{Listen: "127.0.0.1:0", DataDir: dir}, discard(), time.Now)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx := auth.With(t.Context(), commandPrincipal("test"))
	if _, err := p.fleet.CreateApplication(ctx, fleet.CreateApplication{Name: "ours"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	_, errs, code := execute(t, "", nil, "demo", "--listen=127.0.0.1:0", "--data-dir="+dir)
	if code != 1 || !strings.Contains(errs, "something else in this data directory") {
		t.Errorf("code %d, %s", code, errs)
	}
}

// The story counts machines in words.
func TestTheStoryCountsTheMachinesRight(t *testing.T) {
	n := 0
	for _, app := range demoWorld() {
		for _, g := range app.groups {
			n += g.machines
			if !slices.ContainsFunc(app.channels, func(c demoChannel) bool { return c.name == g.channel }) {
				t.Errorf("group %s has no channel %s", g.name, g.channel)
			}
			if _, problems := rollout.Compile(g.policy); len(problems) > 0 {
				t.Errorf("policy of %s: %v", g.name, problems)
			}
		}
	}
	if n != 372 {
		t.Errorf("there are %d machines", n)
	}
}
