package importing

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	entapp "github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/fleet/catalog"
)

// todo is what an import does with one application.
type todo struct {
	app  *application
	here *existing
	fate fate
	skip bool

	packages map[uuid.UUID]fate
	channels map[uuid.UUID]fate
	groups   map[uuid.UUID]fate
}

// planApp compares an application there with that here. It changes names there that are
// taken here. It notes conflicts in r.
func planApp(ctx context.Context, client *db.Client, app *application, last map[string]string, force bool, r *Report) (*todo, error) {
	here, err := read(ctx, client, app.ID)
	if err != nil {
		return nil, err
	}
	t := &todo{app: app, here: here, packages: map[uuid.UUID]fate{}, channels: map[uuid.UUID]fate{}, groups: map[uuid.UUID]fate{}}
	if here.deleted {
		t.skip = true
		r.drop(KindApplications, app.ID.String(), app.Name, "it was deleted here and its rows are still being deleted: try again later")
		return t, nil
	}
	if err := freeAppNames(ctx, client, app, r); err != nil {
		return nil, err
	}
	t.keepApart(r)
	printOf := func(exists bool, object any) string {
		if !exists {
			return ""
		}
		return print(object)
	}
	t.fate = decide(print(app), printOf(here.app != nil, here.app), last[app.ID.String()], here.fresh, force)
	note(r, KindApplications, app.ID, app.Name, t.fate)
	if t.fate == fateDeleted {
		t.skip = true
		return t, nil
	}
	for _, p := range app.packages {
		p.sort()
		was, ok := here.packages[p.ID]
		t.packages[p.ID] = decide(print(p), printOf(ok, was), last[p.ID.String()], false, force)
		note(r, KindPackages, p.ID, p.Version, t.packages[p.ID])
	}
	for _, c := range app.channels {
		t.withoutDeleted(c, r)
		c.sort()
		was, ok := here.channels[c.ID]
		t.channels[c.ID] = decide(print(c), printOf(ok, was), last[channelKey(c.ID)], here.freshChannels[c.ID], force)
		note(r, KindChannels, c.ID, c.Name, t.channels[c.ID])
	}
	for _, g := range app.groups {
		if t.channels[g.ChannelID] == fateDeleted {
			g.ChannelID = uuid.Nil
		}
		was, ok := here.groups[g.ID]
		t.groups[g.ID] = decide(print(g), printOf(ok, was), last[g.ID.String()], here.freshGroups[g.ID], force)
		note(r, KindGroups, g.ID, g.Name, t.groups[g.ID])
	}
	return t, nil
}

// withoutDeleted removes what a channel refers to and a person deleted here.
func (t *todo) withoutDeleted(c *channel, r *Report) {
	if t.packages[c.PackageID] == fateDeleted {
		c.PackageID = uuid.Nil
		r.note(KindChannels, c.ID.String(), c.Name, "points to no package here, because its package was deleted here")
	}
	c.Floors = slices.DeleteFunc(c.Floors, func(f channelFloor) bool { return t.packages[f.PackageID] == fateDeleted })
	c.Blacklist = slices.DeleteFunc(c.Blacklist, func(id uuid.UUID) bool { return t.packages[id] == fateDeleted })
}

func note(r *Report, kind string, id uuid.UUID, name string, f fate) {
	r.count(kind).add(f)
	switch f {
	case fateConflict:
		r.note(kind, id.String(), name, "conflict: it was changed there and here, and stays as it is here; --force overwrites it")
	case fateDeleted:
		r.note(kind, id.String(), name, "conflict: it was deleted here, and is not created again; --force creates it")
	}
}

// freeAppNames changes the name of an application that another one has here, and drops
// a product id.
func freeAppNames(ctx context.Context, client *db.Client, app *application, r *Report) error {
	others, err := client.Application.Query().Where(entapp.IDNEQ(app.ID), entapp.DeletedAtIsNil()).Select(entapp.FieldName, entapp.FieldTeamID, entapp.FieldProductID).All(ctx)
	if err != nil {
		return fmt.Errorf("read the applications: %w", err)
	}
	for _, o := range others {
		if o.Name == app.Name && o.TeamID == app.TeamID {
			app.Name += " (imported)"
			r.note(KindApplications, app.ID.String(), app.Name, "is called so here, because another application has its name")
		}
		if o.ProductID != nil && app.ProductID != "" && strings.EqualFold(*o.ProductID, app.ProductID) {
			r.note(KindApplications, app.ID.String(), app.Name, "the product id %q is not taken, because another application has it", app.ProductID)
			app.ProductID = ""
		}
	}
	return nil
}

// keepApart changes names and tracks there that other objects of the application have
// here, and uses packages that exist here already.
func (t *todo) keepApart(r *Report) {
	theirs := map[uuid.UUID]bool{}
	for _, p := range t.app.packages {
		theirs[p.ID] = true
	}
	for _, mine := range t.here.packages {
		if theirs[mine.ID] {
			continue
		}
		t.app.packages = slices.DeleteFunc(t.app.packages, func(p *pkg) bool {
			if p.Version != mine.Version || p.Arch != mine.Arch {
				return false
			}
			r.drop(KindPackages, p.ID.String(), p.Version, "there is a package of this version here, which is used instead")
			t.replace(p.ID, mine.ID)
			return true
		})
	}
	for _, c := range t.app.channels {
		theirs[c.ID] = true
	}
	for _, mine := range t.here.channels {
		for _, c := range t.app.channels {
			if !theirs[mine.ID] && mine.Name == c.Name && mine.Arch == c.Arch {
				c.Name += " (imported)"
				r.note(KindChannels, c.ID.String(), c.Name, "is called so here, because another channel has its name")
			}
		}
	}
	ours := map[uuid.UUID]bool{}
	for _, g := range t.app.groups {
		ours[g.ID] = true
	}
	for _, mine := range t.here.groups {
		for _, g := range t.app.groups {
			if ours[mine.ID] || mine.Arch != g.Arch {
				continue
			}
			if mine.Name == g.Name {
				g.Name += " (imported)"
				r.note(KindGroups, g.ID.String(), g.Name, "is called so here, because another group has its name")
			}
			if catalog.SameTrack(mine.Track, g.Track) {
				r.note(KindGroups, g.ID.String(), g.Name, "the track %q belongs to another group here: machines find this one by its id only", g.Track)
				g.Track = g.ID.String()
			}
		}
	}
}

func (t *todo) replace(from, to uuid.UUID) {
	for _, c := range t.app.channels {
		if c.PackageID == from {
			c.PackageID = to
		}
		for i := range c.Floors {
			if c.Floors[i].PackageID == from {
				c.Floors[i].PackageID = to
			}
		}
		for i := range c.Blacklist {
			if c.Blacklist[i] == from {
				c.Blacklist[i] = to
			}
		}
	}
}
