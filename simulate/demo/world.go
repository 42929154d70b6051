package demo

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
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/simulate"
	"github.com/coreroller/coreroller/store"
)

// The sample data: two applications with packages, channels, groups and
// machines. It is created through the operators' operations of fleet.

// speed turns a check interval of 45 minutes into 22 seconds and a complete
// update into about 15 seconds. The policies are tuned to it.
const speed = 120

type application struct {
	id                         uuid.UUID
	name, product, description string
	program                    bool // updates without a reboot, through the updater library
	versions                   []string
	channels                   []channel
	groups                     []group
}

type channel struct{ name, color, version string }

type group struct {
	name, channel, description string
	machines                   int
	versions                   string // of the machines
	flawless                   bool   // updates fail only to the bad version
	policy                     rollout.Policy
}

// Names that the script uses.
const (
	osApp      = "Harbor OS"
	agentApp   = "Harbor Agent"
	badVersion = "1.2.0" // fails on most machines
	canary     = "canary"
	production = "production"
)

func applications() []application {
	return []application{
		{
			id:   uuid.MustParse("dec0de00-0000-8000-8000-000000000001"),
			name: osApp, product: "io.example.harbor", description: "Operating system of the demo's machines",
			versions: []string{"0.9.0", "1.0.0", "1.1.0", badVersion, "1.2.1", "1.3.0"},
			channels: []channel{{"alpha", "#8b5cf6", "1.0.0"}, {"beta", "#f59e0b", "1.0.0"}, {"stable", "#10b981", "1.0.0"}},
			groups: []group{
				{
					name: canary, channel: "beta", description: "Twelve machines that get every version first",
					machines: 12, versions: "1.0.0", flawless: true,
					policy: pacing(12, 10*time.Second),
				},
				{
					name: production, channel: "stable", description: "Updates in waves with gates",
					machines: 240, versions: "1.0.0",
					policy: withWaves(pacing(30, 10*time.Second)),
				},
				{
					name: "lab", channel: "alpha", description: "One machine first, then half; the rest needs an approval",
					machines: 36, versions: "1.0.0", flawless: true,
					policy: withApproval(pacing(12, 15*time.Second)),
				},
				{
					name: "branches", channel: "stable", description: "Shops that update on Sunday nights only",
					machines: 24, versions: "1.0.0:2,0.9.0:1",
					policy: onSundayNights(pacing(8, time.Minute)),
				},
			},
		},
		{
			id:   uuid.MustParse("dec0de00-0000-8000-8000-000000000002"),
			name: agentApp, product: "io.example.agent", description: "A program that updates itself without a reboot", program: true,
			versions: []string{"2.3.0", "2.4.0", "2.5.0"},
			channels: []channel{{"stable", "#10b981", "2.4.0"}},
			groups: []group{{
				name: "everywhere", channel: "stable", description: "The agent on every machine",
				machines: 60, versions: "2.4.0:5,2.3.0:1", policy: pacing(10, 15*time.Second),
			}},
		},
	}
}

// pacing allows n grants per period, which is short because time is accelerated.
func pacing(n int, period time.Duration) rollout.Policy {
	p := policy.Default()
	p.SafeMode = false
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = n, n, period
	p.UpdateTimeout, p.RebootTimeout, p.PollInterval = time.Minute, 5*time.Minute, 20*time.Second
	return p
}

func withWaves(p rollout.Policy) rollout.Policy {
	const soak = 8 * time.Second
	p.HaltMinAttempts = 20 // one failure in the first wave is not significant
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

// world is the sample data on one server.
type world struct {
	service *fleet.Service
	store   *store.Store
	report  func(text string)
	ids     ids
}

// ids are the ids of what was created: apps by name, all else by
// "application/name".
type ids struct{ apps, packages, channels, groups map[string]uuid.UUID }

func newWorld(s *fleet.Service, st *store.Store, report func(text string)) *world {
	return &world{service: s, store: st, report: report,
		ids: ids{map[string]uuid.UUID{}, map[string]uuid.UUID{}, map[string]uuid.UUID{}, map[string]uuid.UUID{}}}
}

// build creates the sample data in an empty database.
func (w *world) build(ctx context.Context) error {
	for _, app := range applications() {
		if err := w.buildApp(ctx, app); err != nil {
			return fmt.Errorf("create %s: %w", app.name, err)
		}
	}
	return nil
}

func (w *world) buildApp(ctx context.Context, app application) error {
	created, err := w.service.CreateApplication(ctx, fleet.CreateApplication{
		ID: app.id, Name: app.name, ProductID: &app.product, Description: app.description,
	})
	if err != nil {
		return err
	}
	w.ids.apps[app.name] = created.ID
	for _, version := range app.versions {
		p, err := w.service.CreatePackage(ctx, app.newPackage(version))
		if err != nil {
			return fmt.Errorf("package %s: %w", version, err)
		}
		w.ids.packages[app.name+"/"+version] = p.ID
	}
	for _, c := range app.channels {
		target := w.ids.packages[app.name+"/"+c.version]
		ch, err := w.service.CreateChannel(ctx, fleet.CreateChannel{ApplicationID: app.id, Name: c.name, Color: c.color, PackageID: &target})
		if err != nil {
			return fmt.Errorf("channel %s: %w", c.name, err)
		}
		w.ids.channels[app.name+"/"+c.name] = ch.ID
	}
	for _, g := range app.groups {
		channel := w.ids.channels[app.name+"/"+g.channel]
		created, err := w.service.CreateGroup(ctx, fleet.CreateGroup{
			ApplicationID: app.id, Name: g.name, Track: g.name, ChannelID: &channel, Description: g.description, Policy: &g.policy,
		})
		if err != nil {
			return fmt.Errorf("group %s: %w", g.name, err)
		}
		w.ids.groups[app.name+"/"+g.name] = created.ID
	}
	return nil
}

// newPackage is a package that is never downloaded. Size and hash are derived
// from the name, so that they are the same in every demo.
func (a *application) newPackage(version string) fleet.CreatePackage {
	sum := sha256.Sum256([]byte(a.name + " " + version))
	in := fleet.CreatePackage{
		ApplicationID: a.id, Type: catalog.PackageFlatcar, Version: version, URL: "https://updates.example.net/" + a.product + "/" + version + "/",
		Filename: "update.gz", Size: 380<<20 + int64(sum[0])<<18, SHA256: hex.EncodeToString(sum[:]),
	}
	if a.program {
		in.Type, in.Filename, in.Size = catalog.PackageOther, "agent.tar.gz", 18<<20+int64(sum[0])<<10
	}
	return in
}

// newMachines returns the machines of all groups on their first versions.
func newMachines() ([]*simulate.Machine, error) {
	var all []*simulate.Machine
	for _, app := range applications() {
		for _, g := range app.groups {
			f := simulate.Fleet{App: app.product, Track: g.name, Board: "amd64-usr", Alias: g.name, Kind: simulate.KindDaemon,
				Machines: g.machines, Versions: g.versions, Seed: uint64(len(all) + 1), Behavior: simulate.DefaultBehavior()}
			if app.program {
				f.Kind = simulate.KindProgram
			}
			if g.flawless {
				f.Behavior = f.Behavior.Flawless()
			}
			f.Behavior.Bad = map[string]float64{badVersion: 0.7}
			machines, err := f.NewMachines()
			if err != nil {
				return nil, err
			}
			all = append(all, machines...)
		}
	}
	return all, nil
}
