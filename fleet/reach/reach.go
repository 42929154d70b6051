// Package reach restricts what callers read to what their grants cover. For a caller,
// records beyond that do not exist: not by id, in lists, counts, searches or messages.
package reach

import (
	"bytes"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/catalog"
)

// reach is the part of the installation that a caller may read.
type reach struct {
	caller auth.Principal
	apps   []uuid.UUID // readable at least in part
	whole  []uuid.UUID // of apps, those with all groups
	groups []uuid.UUID // readable
	names  []any       // with which machines name the applications of whole, in lower case
}

// of returns the reach of the caller. Nil is everything: for callers with a role on the
// whole installation, and for the server itself, whose work has no caller.
func of(ctx context.Context, c *catalog.Catalog) *reach {
	p, ok := auth.From(ctx)
	if !ok || p.SeesAll() {
		return nil
	}
	r := &reach{caller: p}
	for _, id := range c.Apps() {
		app := c.App(id)
		if !p.Sees(app.TeamID, id) {
			continue
		}
		r.apps = append(r.apps, id)
		if p.RoleOn(auth.Place{Team: app.TeamID, Application: id}) >= auth.Viewer {
			r.whole = append(r.whole, id)
			r.names = append(r.names, id.String(), "{"+id.String()+"}")
			if app.ProductID != "" {
				r.names = append(r.names, app.ProductID)
			}
		}
		for _, g := range app.Groups {
			if p.RoleOn(auth.Place{Team: app.TeamID, Application: id, Group: g.ID}) >= auth.Viewer {
				r.groups = append(r.groups, g.ID)
			}
		}
	}
	return r
}

// Catalog returns the part of a catalog that the caller may read.
func Catalog(ctx context.Context, c *catalog.Catalog) *catalog.Catalog {
	r := of(ctx, c)
	if r == nil {
		return c
	}
	slices.SortFunc(r.groups, compare)
	return c.Only(r.apps, func(g *catalog.Group) bool {
		_, found := slices.BinarySearchFunc(r.groups, g.ID, compare)
		return found
	})
}

// Events returns a filter for the events about what the caller may read. It passes those
// of applications that the catalog does not have yet, or no longer, and those that an
// application was created, moved to another team or deleted: readers must notice.
func Events(ctx context.Context, current func() *catalog.Catalog) func(event.Event) bool {
	p, ok := auth.From(ctx)
	if !ok || p.SeesAll() {
		return func(event.Event) bool { return true }
	}
	return func(e event.Event) bool {
		app := current().App(e.App)
		if app == nil || e.Kind == event.FleetChanged {
			return true
		}
		return p.Sees(app.TeamID, app.ID) &&
			(e.Group == uuid.Nil || p.RoleOn(auth.Place{Team: app.TeamID, Application: app.ID, Group: e.Group}) >= auth.Viewer)
	}
}

func compare(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }
