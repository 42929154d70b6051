package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
)

// The world of the demo: two applications with their packages, channels and
// groups, and the machines in them. Everything is made through the verbs of
// the fleet, as an operator would.

// demoSpeed makes a poll of 45 minutes one of 22 seconds and a whole update
// some 15 seconds. The policies below are tuned to it.
const demoSpeed = 120

type demoApp struct {
	id                   string
	name, product, about string
	program              bool // no reboot, speaks as the updater library
	versions             []string
	channels             []demoChannel
	groups               []demoGroup
}

type demoChannel struct{ name, color, version string }

type demoGroup struct {
	name, channel, about string
	machines             int
	versions             string // what they run
	sound                bool   // updates fail only when the version is bad
	policy               rollout.Policy
}

// Names the show refers to.
const (
	demoOS     = "Harbor OS"
	demoAgent  = "Harbor Agent"
	demoBad    = "1.2.0" // fails on most machines
	canary     = "canary"
	production = "production"
)

func demoWorld() []demoApp {
	return []demoApp{
		{
			id: "dec0de00-0000-8000-8000-000000000001", name: demoOS, product: "io.example.harbor", about: "The operating system of the demo's machines.",
			versions: []string{"0.9.0", "1.0.0", "1.1.0", demoBad, "1.2.1", "1.3.0"},
			channels: []demoChannel{{"alpha", "#8b5cf6", "1.0.0"}, {"beta", "#f59e0b", "1.0.0"}, {"stable", "#10b981", "1.0.0"}},
			groups: []demoGroup{
				{
					name: canary, channel: "beta", about: "Twelve machines that get everything first.",
					machines: 12, versions: "1.0.0", sound: true,
					policy: demoPolicy(12, 10*time.Second),
				},
				{
					name: production, channel: "stable", about: "What earns the money: in waves, with gates.",
					machines: 240, versions: "1.0.0",
					policy: inWaves(demoPolicy(30, 10*time.Second)),
				},
				{
					name: "lab", channel: "alpha", about: "One machine first, then half; a person opens the rest.",
					machines: 36, versions: "1.0.0", sound: true,
					policy: withApproval(demoPolicy(12, 15*time.Second)),
				},
				{
					name: "branches", channel: "stable", about: "Shops: on Sunday nights only.",
					machines: 24, versions: "1.0.0:2,0.9.0:1",
					policy: onSundayNights(demoPolicy(8, time.Minute)),
				},
			},
		},
		{
			id: "dec0de00-0000-8000-8000-000000000002", name: demoAgent, product: "io.example.agent", about: "A program that updates itself without a reboot.", program: true,
			versions: []string{"2.3.0", "2.4.0", "2.5.0"},
			channels: []demoChannel{{"stable", "#10b981", "2.4.0"}},
			groups: []demoGroup{{
				name: "everywhere", channel: "stable", about: "The agent on every machine.",
				machines: 60, versions: "2.4.0:5,2.3.0:1", policy: demoPolicy(10, 15*time.Second),
			}},
		},
	}
}

// demoPolicy is for compressed time: n grants in a short period.
func demoPolicy(n int, period time.Duration) rollout.Policy {
	p := rollout.DefaultPolicy()
	p.SafeMode = false
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = n, n, period
	p.UpdateTimeout, p.RebootTimeout = time.Minute, 5*time.Minute
	return p
}

func inWaves(p rollout.Policy) rollout.Policy {
	const soak = 8 * time.Second
	p.HaltMinAttempts = 20 // a single unlucky machine of the first wave is no evidence
	p.Waves = []rollout.Wave{
		{Share: 0.05, Soak: soak, MinFinished: 5, MinSuccessShare: 0.75},
		{Share: 0.25, Soak: soak, MinFinished: 20, MinSuccessShare: 0.85},
		{Share: 0.6, Soak: soak, MinSuccessShare: 0.85},
		{Share: 1},
	}
	return p
}

func withApproval(p rollout.Policy) rollout.Policy {
	p.SafeMode = true
	p.Waves = []rollout.Wave{{Share: 0.5, Approval: true}, {Share: 1}}
	return p
}

func onSundayNights(p rollout.Policy) rollout.Policy {
	p.Timezone = "Europe/Berlin"
	p.Windows = []calendar.Window{{Days: []time.Weekday{time.Sunday}, Start: 2 * 60, End: 5 * 60}}
	return p
}

// demoIDs are what the show has to name afterwards, by "application/name".
type demoIDs struct{ apps, packages, channels, groups map[string]uuid.UUID }

// build makes the world on an empty database.
func (d *demo) build(ctx context.Context) error {
	d.ids = demoIDs{map[string]uuid.UUID{}, map[string]uuid.UUID{}, map[string]uuid.UUID{}, map[string]uuid.UUID{}}
	for _, app := range demoWorld() {
		if err := d.buildApp(ctx, app); err != nil {
			return fmt.Errorf("make %s: %w", app.name, err)
		}
	}
	return nil
}

func (d *demo) buildApp(ctx context.Context, app demoApp) error {
	made, err := d.fleet.CreateApplication(ctx, fleet.CreateApplication{
		ID: uuid.MustParse(app.id), Name: app.name, ProductID: &app.product, Description: app.about,
	})
	if err != nil {
		return err
	}
	d.ids.apps[app.name] = made.ID
	for _, version := range app.versions {
		p, err := d.fleet.CreatePackage(ctx, demoPackage(made.ID, app, version))
		if err != nil {
			return fmt.Errorf("package %s: %w", version, err)
		}
		d.ids.packages[app.name+"/"+version] = p.ID
	}
	for _, c := range app.channels {
		target := d.ids.packages[app.name+"/"+c.version]
		ch, err := d.fleet.CreateChannel(ctx, fleet.CreateChannel{ApplicationID: made.ID, Name: c.name, Color: c.color, PackageID: &target})
		if err != nil {
			return fmt.Errorf("channel %s: %w", c.name, err)
		}
		d.ids.channels[app.name+"/"+c.name] = ch.ID
	}
	for _, g := range app.groups {
		channel := d.ids.channels[app.name+"/"+g.channel]
		group, err := d.fleet.CreateGroup(ctx, fleet.CreateGroup{
			ApplicationID: made.ID, Name: g.name, Track: g.name, ChannelID: &channel, Description: g.about, Policy: &g.policy,
		})
		if err != nil {
			return fmt.Errorf("group %s: %w", g.name, err)
		}
		d.ids.groups[app.name+"/"+g.name] = group.ID
	}
	return nil
}

// demoPackage is a package of which nothing is ever downloaded; the numbers
// are made from its name, so that they stay the same.
func demoPackage(app uuid.UUID, a demoApp, version string) fleet.CreatePackage {
	sum := sha256.Sum256([]byte(a.name + " " + version))
	in := fleet.CreatePackage{
		ApplicationID: app, Type: catalog.PackageFlatcar, Version: version, URL: "https://updates.example.net/" + a.product + "/" + version + "/",
		Filename: "update.gz", Size: 380<<20 + int64(sum[0])<<18, SHA256: hex.EncodeToString(sum[:]),
	}
	if a.program {
		in.Type, in.Filename, in.Size = catalog.PackageOther, "agent.tar.gz", 18<<20+int64(sum[0])<<10
	}
	return in
}

// demoMachines are those of all groups, in one simulation, as they were first
// seen.
func demoMachines() ([]*machine, error) {
	sound := defaultHabits()
	sound.Failure, sound.Rollback, sound.Silence, sound.Deferral, sound.Interruption = 0, 0, 0, 0, 0
	usual := defaultHabits()
	sound.Bad = map[string]float64{demoBad: 0.7}
	usual.Bad = sound.Bad
	var all []*machine
	for _, app := range demoWorld() {
		for _, g := range app.groups {
			o := simulateOptions{App: app.product, Track: g.name, Board: "amd64-usr", Alias: g.name, Kind: "daemon",
				Machines: g.machines, Versions: g.versions, Seed: uint64(len(all) + 1), Habits: usual}
			if app.program {
				o.Kind = "program"
			}
			machines, err := o.fleet()
			if err != nil {
				return nil, err
			}
			for _, m := range machines {
				m.habits = &usual
				if g.sound {
					m.habits = &sound
				}
			}
			all = append(all, machines...)
		}
	}
	return all, nil
}
