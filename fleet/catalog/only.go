package catalog

import (
	"slices"

	"github.com/google/uuid"
)

// Only returns the catalog of some applications, with those of their groups for which
// keep is true.
func (c *Catalog) Only(apps []uuid.UUID, keep func(*Group) bool) *Catalog {
	out := &Catalog{}
	for _, id := range apps {
		if a := c.apps[id]; a != nil {
			out.put(a.only(keep))
		}
	}
	return out
}

func (a *App) only(keep func(*Group) bool) *App {
	if !slices.ContainsFunc(a.Groups, func(g *Group) bool { return !keep(g) }) {
		return a
	}
	part := *a
	part.Groups, part.byID = nil, map[uuid.UUID]*Group{}
	for _, g := range a.Groups {
		if keep(g) {
			one := *g
			part.add(&one)
		}
	}
	part.index()
	return &part
}
