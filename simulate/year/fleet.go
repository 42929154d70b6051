package year

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/simulate"
)

// group is one of the four groups.
type group struct {
	name     string
	channel  string
	part     float64 // of the fleet
	behavior simulate.Behavior
	policy   func(y *year, machines int) rollout.Policy

	id       uuid.UUID
	machines int  // at the beginning
	inFlight int  // when it was seen last
	halted   int  // day on which people saw that it was halted; 0: it is not
	paused   int  // day on which it is resumed; 0: it is not paused
	touched  bool // a person interfered with the present rollout
}

const (
	beta    = "beta"
	stable  = "stable"
	product = "io.example.year"
)

func appID() uuid.UUID { return uuid.MustParse("dec0de00-0000-8000-8000-0000000000aa") }

// groups are the groups of the fleet: canaries get a release first. One group updates at
// night only, one is frozen over the holidays, and one waits for approvals.
func groups() []*group {
	return []*group{
		{name: "canary", channel: beta, part: .05, policy: func(y *year, n int) rollout.Policy { return y.pacing(n, 1) }},
		{name: "night", channel: stable, part: .4, policy: func(y *year, n int) rollout.Policy {
			p := y.pacing(n, .1)
			p.Timezone = "Europe/Berlin"
			p.Windows = []calendar.Window{{Days: everyDay(), Start: 18 * 60, End: 24 * 60}, {Days: everyDay(), Start: 0, End: 8 * 60}}
			return withWaves(p, false)
		}},
		{name: "frozen", channel: stable, part: .35, policy: func(y *year, n int) rollout.Policy {
			p := y.pacing(n, .1)
			p.Timezone = "America/New_York"
			p.Freezes = []calendar.Freeze{{From: start().Add(340 * day), Until: start().Add(350 * day), Reason: "holidays"}}
			return withWaves(p, false)
		}},
		{name: "approved", channel: stable, part: .2, policy: func(y *year, n int) rollout.Policy { return withWaves(y.pacing(n, .2), true) }},
	}
}

func everyDay() []time.Weekday {
	return []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
}

// pacing lets a share of the machines update at once.
func (y *year) pacing(machines int, share float64) rollout.Policy {
	p := policy.Default()
	n := max(2, int(share*float64(machines)))
	p.SafeMode = false
	p.MaxConcurrentUpdates, p.MaxUpdatesPerPeriod, p.PeriodInterval = n, n, time.Hour
	p.UpdateTimeout, p.PollInterval, p.HaltMinAttempts = 3*time.Hour, y.options.Interval, 10
	return p
}

func withWaves(p rollout.Policy, approval bool) rollout.Policy {
	p.Waves = []rollout.Wave{
		{Share: .05, Soak: 6 * time.Hour, MinFinished: 3, MinSuccessShare: .7},
		{Share: .3, Soak: 6 * time.Hour, MinSuccessShare: .7, Approval: approval},
		{Share: 1},
	}
	return p
}

// build creates the application, its groups and the machines.
func (y *year) build() error {
	f, name := y.server.fleet, product
	if _, err := f.CreateApplication(y.ctx, fleet.CreateApplication{ID: appID(), Name: "Year", ProductID: &name}); err != nil {
		return err
	}
	first, err := y.publish(good)
	if err != nil {
		return err
	}
	y.channels, y.targets = map[string]uuid.UUID{}, map[string]*release{beta: first, stable: first}
	for _, name := range []string{beta, stable} {
		c, err := f.CreateChannel(y.ctx, fleet.CreateChannel{ApplicationID: appID(), Name: name, PackageID: &first.id})
		if err != nil {
			return err
		}
		y.channels[name] = c.ID
	}
	for _, g := range groups() {
		y.groups = append(y.groups, g)
		g.machines = int(g.part * float64(y.options.Machines))
		p, channel := g.policy(y, g.machines), y.channels[g.channel]
		row, err := f.CreateGroup(y.ctx, fleet.CreateGroup{ApplicationID: appID(), Name: g.name, ChannelID: &channel, Policy: &p})
		if err != nil {
			return fmt.Errorf("group %s: %w", g.name, err)
		}
		g.id = row.ID
		g.behavior = simulate.DefaultBehavior()
		g.behavior.Interval, g.behavior.Bad = y.options.Interval, map[string]float64{}
		if err := y.join(g, g.machines, 0); err != nil {
			return err
		}
	}
	return nil
}

// publish creates the package of the next release.
func (y *year) publish(k kind) (*release, error) {
	r := &release{number: len(y.releases) + 1, version: fmt.Sprintf("%d.0.0", len(y.releases)+1), kind: k}
	sum := sha256.Sum256([]byte(r.version))
	row, err := y.server.fleet.CreatePackage(y.ctx, fleet.CreatePackage{
		ApplicationID: appID(), Type: catalog.PackageFlatcar, Version: r.version, URL: "https://updates.example.net/" + r.version + "/",
		Filename: "update.gz", Size: 1 << 20, SHA256: hex.EncodeToString(sum[:]),
	})
	if err != nil {
		return nil, fmt.Errorf("package %s: %w", r.version, err)
	}
	r.id = row.ID
	const share = .7
	for _, g := range y.groups {
		if k == broken || k == regress && g.channel == stable {
			g.behavior.Bad[r.version] = share
		}
	}
	y.releases = append(y.releases, r)
	return r, nil
}

// join adds machines on one of the latest good releases.
func (y *year) join(g *group, n int, now time.Duration) error {
	if n == 0 {
		return nil
	}
	version := y.releases[0].version
	for _, r := range slices.Backward(y.releases) {
		if r.kind == good && y.random.IntN(3) == 0 {
			version = r.version
			break
		}
	}
	y.batches++
	f := simulate.Fleet{App: product, Track: g.name, Board: "amd64-usr", Alias: g.name, Kind: simulate.KindDaemon, Machines: n,
		Versions: version, Seed: y.options.Seed<<20 + y.batches, Behavior: g.behavior}
	machines, err := f.NewMachines()
	if err != nil {
		return err
	}
	y.steps.Add(now, machines...)
	for _, m := range machines {
		y.members = append(y.members, &member{Machine: m, group: g, since: now})
	}
	return nil
}
