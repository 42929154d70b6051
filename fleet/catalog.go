package fleet

import (
	"maps"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Catalog is the configuration of all applications at one moment. It is
// immutable: a change makes a new one. It finds a group without SQL; whoever
// decides under a ledger lock compares Revision with the ledger's and reloads
// when the ledger is newer.
type Catalog struct {
	apps     map[uuid.UUID]*App
	products map[string]*App // by lower-case product id
}

// App is one application with everything a check-in needs.
type App struct {
	ID        uuid.UUID
	TeamID    uuid.UUID
	Name      string
	ProductID string // "" = none
	Revision  int64
	Groups    []*Group // by id
	Channels  []*Channel

	groups map[uuid.UUID]*Group
	tracks map[trackArch]*Group
}

type trackArch struct{ track, arch string }

// Channel is a named pointer to one package.
type Channel struct {
	ID   uuid.UUID
	Name string
	Arch string

	target      *rollout.Package
	floors      []*rollout.Package // all, by version
	offers      map[rollout.ID]*Offer
	blacklisted map[uuid.UUID]string // reason by package id
	reboots     bool
}

// Group is one group with its policy compiled and its offers rendered.
type Group struct {
	ID       uuid.UUID
	Name     string
	Track    string
	Arch     string
	Revision int64
	App      *App
	Channel  *Channel // nil: none
	Schedule *rollout.Schedule
	Target   *rollout.Package   // nil: no channel, or a channel without package
	Floors   []*rollout.Package // by version, none above the target
	Reboots  bool               // the target is an operating system
	Pause    rollout.Pause
	Offers   map[rollout.ID]*Offer // the target and every floor

	policy rollout.Policy
}

// App is an application by its id, nil when there is none.
func (c *Catalog) App(id uuid.UUID) *App { return c.apps[id] }

// Group is a group by its id, nil when there is none.
func (c *Catalog) Group(id uuid.UUID) *Group {
	for _, a := range c.apps {
		if g := a.groups[id]; g != nil {
			return g
		}
	}
	return nil
}

func (c *Catalog) channel(id uuid.UUID) *Channel {
	for _, a := range c.apps {
		if ch := a.Channel(id); ch != nil {
			return ch
		}
	}
	return nil
}

// Find resolves what a machine names: the application by its id (any case,
// with or without braces) or product id, the group by its track or id. arch is
// in the form of Arch. A machine that names the group of another architecture
// gets the group of the same track for its own, because images for arm64 were
// built with the ids of amd64.
func (c *Catalog) Find(appID, track, arch string) (*Group, Verdict) {
	app := c.findApp(appID)
	if app == nil {
		return nil, VerdictUnknownApplication
	}
	if g := app.tracks[trackArch{track, arch}]; g != nil {
		return g, VerdictOK
	}
	id, err := uuid.Parse(track)
	if err != nil {
		return nil, VerdictUnknownGroup
	}
	g := app.groups[id]
	if g != nil && g.Arch == arch {
		return g, VerdictOK
	}
	name := wellKnownTrack(id)
	if g != nil {
		name = g.Track
	}
	if g = app.tracks[trackArch{name, arch}]; g != nil {
		return g, VerdictOK
	}
	return nil, VerdictUnknownGroup
}

func (c *Catalog) findApp(text string) *App {
	if id, err := uuid.Parse(text); err == nil {
		return c.apps[id]
	}
	return c.products[strings.ToLower(text)]
}

// Arch is the architecture of a machine as groups name it; the board wins. An
// unknown one is returned as it is, and finds no group.
func Arch(board, arch string) string {
	text := board
	if text == "" {
		text = arch
	}
	switch strings.ToLower(text) {
	case "", "amd64", "amd64-usr", "x64", "x86_64":
		return "amd64"
	case "arm64", "arm64-usr", "aarch64":
		return "arm64"
	}
	return text
}

// with is the catalog with one application put in the place of its older self.
func (c *Catalog) with(a *App) *Catalog {
	n := c.without(a.ID)
	n.put(a)
	return n
}

// without is the catalog without one application.
func (c *Catalog) without(id uuid.UUID) *Catalog {
	n := &Catalog{apps: maps.Clone(c.apps), products: maps.Clone(c.products)}
	if old := c.apps[id]; old != nil {
		delete(n.apps, id)
		delete(n.products, strings.ToLower(old.ProductID))
	}
	return n
}

func (c *Catalog) put(a *App) {
	if c.apps == nil {
		c.apps, c.products = map[uuid.UUID]*App{}, map[string]*App{}
	}
	c.apps[a.ID] = a
	if a.ProductID != "" {
		c.products[strings.ToLower(a.ProductID)] = a
	}
}

// Group is a group of the application, nil when there is none.
func (a *App) Group(id uuid.UUID) *Group {
	if a == nil {
		return nil
	}
	return a.groups[id]
}

// Channel is a channel of the application, nil when there is none.
func (a *App) Channel(id uuid.UUID) *Channel {
	for _, c := range a.Channels {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// World is the group as the engine sees it under its ledger lock.
func (g *Group) World(st *store.GroupState) rollout.World {
	return rollout.World{
		Group:   rollout.ID(g.ID),
		Policy:  g.Schedule,
		Target:  g.Target,
		Floors:  g.Floors,
		Reboots: g.Reboots,
		Pause:   g.Pause,
		Ledger:  st.Ledger,
		Rollout: st.Rollout,
		Census:  st.Census,

		PackageMissingNoted: st.PackageMissingNoted,
	}
}

// Keep takes back what the engine changed.
func (g *Group) Keep(w *rollout.World, st *store.GroupState) {
	st.Ledger, st.Rollout, st.Census = w.Ledger, w.Rollout, w.Census
	st.PackageMissingNoted = w.PackageMissingNoted
	st.PackageMissingNoted = w.PackageMissingNoted
}
