// Package catalog is the configuration in memory: applications, channels, groups
// and rendered packages as immutable snapshots, and the cache that replaces them
// when a change is committed in this process or announced by another one. A
// check-in finds its group here without SQL.
package catalog

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/selector"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/version"
)

// Catalog is the configuration of all applications at one point in time. It is
// immutable. Code that decides under a ledger lock compares App.Revision with the
// ledger's and reloads the application when the ledger is newer.
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

	Versioning version.Versioning

	RequireSecret      bool // of all its groups
	RequireCertificate bool // of all its groups

	selectors selectors

	RequestAttributes         []string // names of attributes of <app> that are kept, sorted
	RequestAttributesRevision string   // number that every change of the names increments

	byID    map[uuid.UUID]*Group
	secrets map[secretKey]*Secret // also revoked and expired ones
	tracks  map[trackArch]*Group  // by track and alias
	folded  map[trackArch]*Group  // the same without case and quotes
}

type trackArch struct{ track, arch string }

// Channel is a named pointer to one package.
type Channel struct {
	ID          uuid.UUID
	Name        string
	Arch        string
	Target      *rollout.Package           // nil: no package
	Offers      map[rollout.ID]*Offer      // manifests of the target and every floor
	Blacklisted map[uuid.UUID]*Blacklisted // by package id
	Recalled    []rollout.Version          // of Blacklisted, in their order

	Versioning version.Versioning // of the application

	RequireApproval bool // promotions need another person's approval

	floors  []*rollout.Package // all, by version
	reboots bool
}

// Downgrade says which machines go to a channel's package although it is lower than
// what they run.
type Downgrade string

// The ordered downgrades.
const (
	DowngradeNever       Downgrade = "NEVER"
	DowngradeBlacklisted Downgrade = "MACHINES_ON_BLACKLISTED" // of the package that is blacklisted
)

// Recalls reports whether machines on a blacklisted package are downgraded.
func (d Downgrade) Recalls() bool { return d == DowngradeBlacklisted }

// Blacklisted is a package that is blacklisted for a channel.
type Blacklisted struct {
	Version  rollout.Version
	Reason   string
	Recalled bool // its machines go to the channel's package even if that is lower
}

// Group is one group with its policy compiled and its offers rendered.
type Group struct {
	ID       uuid.UUID
	Name     string
	Track    string
	Aliases  []string // further tracks
	Arch     string
	Revision int64
	App      *App
	Channel  *Channel // nil: none
	Policy   rollout.Policy
	Schedule *rollout.Schedule // Policy compiled; never nil
	rollout.Aim
	Reboots bool // the target is an operating system
	Pause   rollout.Pause

	Expression *selector.Expression // machines for which it is true are in the group; nil: those of its tracks
	Priority   int                  // of Expression: the lowest is tried first
	waves      []waveSelector       // of waves with an expression

	Offers map[rollout.ID]*Offer // manifests of the target and every floor

	RequireSecret      bool // the group or its application refuses requests without a right secret
	RequireCertificate bool // the group or its application refuses requests without a certificate of their machine
	RequireApproval    bool // what reaches more of its machines needs another person's approval
}

// App returns an application by its id, nil when there is none.
func (c *Catalog) App(id uuid.UUID) *App { return c.apps[id] }

// Apps returns the ids of all applications, in order.
func (c *Catalog) Apps() []uuid.UUID { return sorted(maps.Keys(c.apps)) }

// Group returns a group by its id, nil when there is none.
func (c *Catalog) Group(id uuid.UUID) *Group {
	for _, a := range c.apps {
		if g := a.byID[id]; g != nil {
			return g
		}
	}
	return nil
}

// Groups returns the groups for which f is true, by id.
func (c *Catalog) Groups(f func(*Group) bool) []*Group {
	var all []*Group
	for _, a := range c.apps {
		for _, g := range a.Groups {
			if f(g) {
				all = append(all, g)
			}
		}
	}
	slices.SortFunc(all, func(a, b *Group) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return all
}

// PromotionNeedsApproval reports whether what the machines of a channel get needs an
// approval: the channel or a group that follows it requires one.
func (a *App) PromotionNeedsApproval(ch *Channel) bool {
	return ch.RequireApproval || slices.ContainsFunc(a.Groups, func(g *Group) bool {
		return g.RequireApproval && g.Channel != nil && g.Channel.ID == ch.ID
	})
}

// LeavingNeedsApproval reports whether machines leave the group only with an approval.
func (g *Group) LeavingNeedsApproval() bool {
	return g.RequireApproval || g.Channel != nil && g.Channel.RequireApproval
}

// Followers returns the groups of a channel, by id.
func (c *Catalog) Followers(channel uuid.UUID) []*Group {
	return c.Groups(func(g *Group) bool { return g.Channel != nil && g.Channel.ID == channel })
}

// Channel returns a channel by its id, nil when there is none.
func (c *Catalog) Channel(id uuid.UUID) *Channel {
	for _, a := range c.apps {
		if ch := a.Channel(id); ch != nil {
			return ch
		}
	}
	return nil
}

// Named returns the application that a machine names by its id (any case, with or
// without braces) or product id, nil when there is none.
func (c *Catalog) Named(appID string) *App {
	id, err := uuid.Parse(appID)
	if err != nil {
		return c.products[strings.ToLower(appID)]
	}
	return c.apps[id]
}

// RequestAttributes returns the names of the attributes of <app> that the application
// keeps which a machine names, see Named.
func (c *Catalog) RequestAttributes(appID string) []string {
	if a := c.Named(appID); a != nil {
		return a.RequestAttributes
	}
	return nil
}

// Find resolves what a machine names: the application as Named does, the group by its
// track or alias (any case) or id. arch is in the form of Arch. A machine that names a
// group of another architecture gets the group of the same track for its own
// architecture, because images for arm64 were built with the ids of amd64.
func (c *Catalog) Find(appID, track, arch string) (*Group, Verdict) {
	app := c.Named(appID)
	if app == nil {
		return nil, VerdictUnknownApplication
	}
	if g := app.named(track, arch); g != nil {
		return g, VerdictOK
	}
	id, err := uuid.Parse(track)
	if err != nil {
		return nil, VerdictUnknownGroup
	}
	g := app.byID[id]
	if g != nil && g.Arch == arch {
		return g, VerdictOK
	}
	name := wellKnownTrack(id)
	if g != nil {
		name = g.Track
	}
	if g = app.named(name, arch); g != nil {
		return g, VerdictOK
	}
	return nil, VerdictUnknownGroup
}

// Arch returns a machine's architecture as groups name it; the board wins over
// arch. An unknown one is returned unchanged and finds no group.
func Arch(board, arch string) string {
	text := board
	if text == "" {
		text = arch
	}
	switch strings.ToLower(text) {
	case "", "amd64", "amd64-usr", "x64", "x86_64":
		return "amd64"
	case "arm64", "arm64-usr", "aarch64", "arm": // Nebraska's syncer sends "arm"
		return "arm64"
	}
	return text
}

// with returns the catalog with one application added or replaced.
func (c *Catalog) with(a *App) *Catalog {
	n := c.without(a.ID)
	n.put(a)
	return n
}

// without returns the catalog without one application.
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

// Group returns a group of the application, nil when there is none. a may be nil.
func (a *App) Group(id uuid.UUID) *Group {
	if a == nil {
		return nil
	}
	return a.byID[id]
}

// GroupIDs returns the ids of the application's groups, in order.
func (a *App) GroupIDs() []uuid.UUID { return sorted(maps.Keys(a.byID)) }

// Channel returns a channel of the application, nil when there is none.
func (a *App) Channel(id uuid.UUID) *Channel {
	for _, c := range a.Channels {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// IsFloor reports whether a package is a floor of the channel.
func (c *Channel) IsFloor(id uuid.UUID) bool {
	o := c.Offers[rollout.ID(id)]
	return o != nil && o.Floor
}

// IsTarget reports whether the channel points to a package.
func (c *Channel) IsTarget(id uuid.UUID) bool {
	return c.Target != nil && c.Target.ID == rollout.ID(id)
}

func sorted(ids iter.Seq[uuid.UUID]) []uuid.UUID {
	return slices.SortedFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}
