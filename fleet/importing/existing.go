package importing

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	entapp "github.com/coreroller/coreroller/ent/db/application"
	entchannel "github.com/coreroller/coreroller/ent/db/channel"
	entgroup "github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/fleet/catalog"
)

// existing is an application as it is here.
type existing struct {
	app      *application // nil: none
	deleted  bool
	fresh    bool // as a new database has it
	packages map[uuid.UUID]*pkg
	channels map[uuid.UUID]*channel
	groups   map[uuid.UUID]*group

	freshChannels, freshGroups map[uuid.UUID]bool
}

// read reads an application with everything that imports compare.
func read(ctx context.Context, client *db.Client, id uuid.UUID) (*existing, error) {
	e := &existing{packages: map[uuid.UUID]*pkg{}, channels: map[uuid.UUID]*channel{}, groups: map[uuid.UUID]*group{},
		freshChannels: map[uuid.UUID]bool{}, freshGroups: map[uuid.UUID]bool{}}
	row, err := client.Application.Query().Where(entapp.ID(id)).Only(ctx)
	switch {
	case db.IsNotFound(err):
		return e, nil
	case err != nil:
		return nil, fmt.Errorf("read the application: %w", err)
	case row.DeletedAt != nil:
		e.deleted = true
		return e, nil
	}
	e.app = &application{ID: row.ID, Name: row.Name, Description: row.Description, TeamID: row.TeamID, Versioning: row.Versioning}
	if row.ProductID != nil {
		e.app.ProductID = *row.ProductID
	}
	if err := e.readPackages(ctx, client); err != nil {
		return nil, fmt.Errorf("read the packages: %w", err)
	}
	if err := e.readChannels(ctx, client); err != nil {
		return nil, fmt.Errorf("read the channels: %w", err)
	}
	if err := e.readGroups(ctx, client); err != nil {
		return nil, fmt.Errorf("read the groups: %w", err)
	}
	e.fresh = id == catalog.FlatcarID() && len(e.packages) == 0 && all(e.freshChannels) && all(e.freshGroups)
	return e, nil
}

func (e *existing) readPackages(ctx context.Context, client *db.Client) error {
	rows, err := client.Release.Query().Where(release.ApplicationID(e.app.ID)).WithFiles().WithAction().All(ctx)
	for _, row := range rows {
		p := &pkg{ID: row.ID, Type: row.Type, Arch: row.Arch, Version: row.Version, URL: row.URL, Filename: row.Filename,
			Description: row.Description, Size: row.Size, SHA1: row.Sha1, SHA256: row.Sha256}
		for _, f := range row.Edges.Files {
			p.Files = append(p.Files, file{f.Name, f.Size, f.Sha1, f.Sha256})
		}
		p.sort()
		if a := row.Edges.Action; a != nil {
			p.Action = &action{SHA256: a.Sha256, ChromeOSVersion: a.ChromeosVersion, MetadataSignatureRSA: a.MetadataSignatureRsa, MetadataSize: a.MetadataSize,
				Deadline: a.Deadline, NeedsAdmin: a.NeedsAdmin, IsDelta: a.IsDelta, DisablePayloadBackoff: a.DisablePayloadBackoff}
		}
		e.packages[p.ID] = p
	}
	return err
}

func (p *pkg) sort() {
	slices.SortFunc(p.Files, func(a, b file) int { return cmp.Compare(a.Name, b.Name) })
}

func (e *existing) readChannels(ctx context.Context, client *db.Client) error {
	rows, err := client.Channel.Query().Where(entchannel.ApplicationID(e.app.ID)).WithFloors().WithBlacklistings().All(ctx)
	for _, row := range rows {
		c := &channel{ID: row.ID, Name: row.Name, Color: row.Color, Arch: row.Arch}
		if row.PackageID != nil {
			c.PackageID = *row.PackageID
		}
		for _, f := range row.Edges.Floors {
			c.Floors = append(c.Floors, channelFloor{f.PackageID, f.Reason})
		}
		for _, b := range row.Edges.Blacklistings {
			c.Blacklist = append(c.Blacklist, b.PackageID)
		}
		c.sort()
		e.channels[c.ID] = c
		e.freshChannels[c.ID] = e.app.ID == catalog.FlatcarID() && row.Revision == 0 && row.PackageID == nil
	}
	return err
}

func (e *existing) readGroups(ctx context.Context, client *db.Client) error {
	rows, err := client.Group.Query().Where(entgroup.ApplicationID(e.app.ID), entgroup.DeletedAtIsNil()).All(ctx)
	for _, row := range rows {
		g := &group{ID: row.ID, Name: row.Name, Track: row.Track, Arch: row.Arch, Description: row.Description, Policy: row.Policy}
		if row.ChannelID != nil {
			g.ChannelID = *row.ChannelID
		}
		e.groups[g.ID] = g
		e.freshGroups[g.ID] = e.app.ID == catalog.FlatcarID() && row.Revision == 1 && isWellKnown(row.ID)
	}
	return err
}

func all(of map[uuid.UUID]bool) bool {
	for _, is := range of {
		if !is {
			return false
		}
	}
	return true
}

func isWellKnown(id uuid.UUID) bool {
	return slices.ContainsFunc(catalog.WellKnownGroups(), func(k catalog.WellKnown) bool { return k.Group == id.String() })
}

// channelKey differs from the key of a group, because a preinstalled group has the id of
// its channel.
func channelKey(id uuid.UUID) string { return "channel " + id.String() }
