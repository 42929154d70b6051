package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/blacklisting"
	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/floor"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/machinesecret"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/fleet/selector"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
)

// loadApps reads the configuration of the named applications, or of all when
// none is named, with a fixed number of statements. Applications are read first:
// a snapshot torn by a concurrent commit then carries the older revision, so the
// reload that this commit triggers replaces it.
func loadApps(ctx context.Context, client *db.Client, ids ...uuid.UUID) ([]*App, error) {
	rows, err := readConfiguration(ctx, client, ids)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return rows.build(), nil
}

// LoadApp reads the configuration of one application; nil when it does not exist.
func LoadApp(ctx context.Context, client *db.Client, id uuid.UUID) (*App, error) {
	apps, err := loadApps(ctx, client, id)
	if err != nil || len(apps) == 0 {
		return nil, err
	}
	return apps[0], nil
}

// configuration holds the rows that a catalog is built from.
type configuration struct {
	apps     []*db.Application
	channels []*db.Channel
	groups   []*db.Group
	packages []*db.Release // only targets and floors of channels
	floors   []*db.Floor
	blacks   []*db.Blacklisting // with the versions of their packages
	secrets  []*db.MachineSecret
}

func readConfiguration(ctx context.Context, client *db.Client, ids []uuid.UUID) (c configuration, err error) {
	apps, groups, channels := client.Application.Query().Where(application.DeletedAtIsNil()), client.Group.Query().Where(group.DeletedAtIsNil()), client.Channel.Query()
	packages := client.Release.Query().Where(release.Or(release.HasChannels(), release.HasFloors()))
	floors, blacks, secrets := client.Floor.Query(), client.Blacklisting.Query(), client.MachineSecret.Query()
	if len(ids) > 0 {
		apps.Where(application.IDIn(ids...))
		channels.Where(channel.ApplicationIDIn(ids...))
		groups.Where(group.ApplicationIDIn(ids...))
		packages.Where(release.ApplicationIDIn(ids...))
		floors.Where(floor.HasChannelWith(channel.ApplicationIDIn(ids...)))
		blacks.Where(blacklisting.HasChannelWith(channel.ApplicationIDIn(ids...)))
		secrets.Where(machinesecret.ApplicationIDIn(ids...))
	}
	if c.apps, err = apps.All(ctx); err != nil {
		return c, err
	}
	if c.groups, err = groups.Order(group.ByID()).All(ctx); err != nil {
		return c, err
	}
	if c.channels, err = channels.Order(channel.ByID()).All(ctx); err != nil {
		return c, err
	}
	if c.packages, err = packages.WithFiles().WithAction().All(ctx); err != nil {
		return c, err
	}
	if c.floors, err = floors.All(ctx); err != nil {
		return c, err
	}
	if c.secrets, err = secrets.All(ctx); err != nil {
		return c, err
	}
	c.blacks, err = blacks.WithPackage(func(q *db.ReleaseQuery) { q.Select(release.FieldVersion) }).All(ctx)
	return c, err
}

func (c *configuration) build() []*App {
	apps := make(map[uuid.UUID]*App, len(c.apps))
	list := make([]*App, 0, len(c.apps))
	for _, row := range c.apps {
		a := &App{
			ID: row.ID, TeamID: row.TeamID, Name: row.Name, Revision: row.Revision, Versioning: row.Versioning,
			RequireSecret: row.RequireSecret, RequireCertificate: row.RequireCertificate, byID: map[uuid.UUID]*Group{},
			RequestAttributes: row.RequestAttributes, RequestAttributesRevision: strconv.FormatInt(row.RequestAttributesRevision, 10),
		}
		if row.ProductID != nil {
			a.ProductID = *row.ProductID
		}
		apps[a.ID] = a
		list = append(list, a)
	}
	channels := c.buildChannels()
	for _, row := range c.channels {
		if a := apps[row.ApplicationID]; a != nil {
			channels[row.ID].Versioning = a.Versioning
			a.Channels = append(a.Channels, channels[row.ID])
		}
	}
	for _, row := range c.groups {
		if a := apps[row.ApplicationID]; a != nil {
			g := newGroup(row, channels)
			g.RequireSecret = row.RequireSecret || a.RequireSecret
			g.RequireCertificate = row.RequireCertificate || a.RequireCertificate
			a.add(g)
		}
	}
	for _, row := range c.secrets {
		if a := apps[row.ApplicationID]; a != nil {
			a.addSecret(newSecret(row))
		}
	}
	for _, a := range list {
		a.index()
		a.indexSelectors()
	}
	return list
}

func (c *configuration) buildChannels() map[uuid.UUID]*Channel {
	packages := make(map[uuid.UUID]*db.Release, len(c.packages))
	rendered := make(map[uuid.UUID]*Package, len(c.packages))
	for _, row := range c.packages {
		packages[row.ID], rendered[row.ID] = row, RenderPackage(row)
	}
	channels := make(map[uuid.UUID]*Channel, len(c.channels))
	for _, row := range c.channels {
		channels[row.ID] = &Channel{
			ID: row.ID, Name: row.Name, Arch: row.Arch, RequireApproval: row.RequireApproval,
			Offers: map[rollout.ID]*Offer{}, Blacklisted: map[uuid.UUID]*Blacklisted{},
		}
	}
	for _, row := range c.blacks {
		ch := channels[row.ChannelID]
		if ch == nil {
			continue
		}
		version, _ := rollout.ParseVersion(row.Edges.Package.Version) // checked before it was stored
		ch.Blacklisted[row.PackageID] = &Blacklisted{Version: version, Reason: row.Reason, Recalled: row.Recalled}
		if row.Recalled {
			ch.Recalled = append(ch.Recalled, version)
		}
	}
	for _, row := range c.floors {
		ch, p := channels[row.ChannelID], packages[row.PackageID]
		if ch == nil || p == nil {
			continue
		}
		o := ch.offer(rendered[p.ID])
		o.Floor, o.FloorReason = true, row.Reason
		ch.floors = append(ch.floors, ch.value(p))
	}
	for _, row := range c.channels {
		ch := channels[row.ID]
		slices.SortFunc(ch.Recalled, rollout.Version.Compare)
		slices.SortFunc(ch.floors, func(a, b *rollout.Package) int {
			return cmp.Or(a.Version.Compare(b.Version), slices.Compare(a.ID[:], b.ID[:]))
		})
		if row.PackageID == nil || packages[*row.PackageID] == nil {
			continue
		}
		p := packages[*row.PackageID]
		ch.Target, ch.reboots = ch.value(p), p.Type == PackageFlatcar
		ch.offer(rendered[p.ID]).Target = true
	}
	return channels
}

// offer returns the manifest of a package on this channel and makes it on first
// use: the target can also be a floor.
func (c *Channel) offer(p *Package) *Offer {
	o := c.Offers[p.ID]
	if o == nil {
		o = &Offer{Package: p}
		c.Offers[p.ID] = o
	}
	return o
}

// value returns a package as the engine sees it on this channel.
func (c *Channel) value(row *db.Release) *rollout.Package {
	version, _ := rollout.ParseVersion(row.Version) // checked before it was stored
	_, black := c.Blacklisted[row.ID]
	return &rollout.Package{ID: rollout.ID(row.ID), Version: version, Blacklisted: black}
}

// AimAt returns the aim of the channel's groups if it points to a package; nil for none.
// It has no floors above the package.
func (c *Channel) AimAt(target *rollout.Package) rollout.Aim {
	if target == nil {
		return rollout.Aim{}
	}
	n := 0
	for n < len(c.floors) && !target.Version.Less(c.floors[n].Version) {
		n++
	}
	return rollout.Aim{Target: target, Floors: c.floors[:n:n], Recalled: c.Recalled}
}

func (a *App) add(g *Group) {
	g.App = a
	a.Groups = append(a.Groups, g)
	a.byID[g.ID] = g
}

func newGroup(row *db.Group, channels map[uuid.UUID]*Channel) *Group {
	g := &Group{
		ID: row.ID, Name: row.Name, Track: row.Track, Aliases: row.Aliases, Arch: row.Arch, Revision: row.Revision,
		Pause:  rollout.Pause{By: row.PausedBy, Reason: row.PauseReason},
		Policy: row.Policy, RequireApproval: row.RequireApproval, Priority: row.Priority,
	}
	if row.Expression != "" {
		g.Expression, _ = selector.Compile(row.Expression) // it was valid when stored
	}
	if row.PausedAt != nil {
		g.Pause.At = *row.PausedAt
	}
	g.Schedule, _ = policy.Compile(row.Policy)
	if g.Schedule == nil { // it was valid when stored, but a system update can remove time zones
		stopped := policy.Default()
		stopped.UpdatesEnabled = false
		g.Schedule, _ = policy.Compile(stopped)
		g.Pause.Reason = "the stored policy is no longer valid; save it again"
	}
	g.waves = compileWaves(g.Schedule.Policy())
	if row.ChannelID == nil || channels[*row.ChannelID] == nil {
		return g
	}
	g.Channel = channels[*row.ChannelID]
	g.Aim = g.Channel.AimAt(g.Channel.Target)
	g.Reboots, g.Offers = g.Channel.reboots, g.Channel.Offers
	return g
}
