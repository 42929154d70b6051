package fleet

import (
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
)

// maxAliases bounds the further tracks of a group: every check-in with an unknown
// track looks them up, and they are shown with the group.
const maxAliases = 50

// checkAliases checks the further tracks of a group and returns them trimmed,
// without repetitions and without the track itself.
func checkAliases(p *input.Problems, track string, aliases []string) []string {
	all := make([]string, 0, len(aliases))
	for _, alias := range aliases {
		all = append(all, p.Name("aliases", alias, input.MaxTrack))
	}
	if all = without(track, all); len(all) > maxAliases {
		p.Add("aliases", "at most %d aliases", maxAliases)
	}
	return all
}

// newAliases returns the aliases of a changed group, given those of the input (nil:
// unchanged) and the new track. The old track is added.
func newAliases(given []string, track string, row *db.Group) ([]string, error) {
	all := given
	if all == nil {
		all = row.Aliases
	}
	if !catalog.SameTrack(track, row.Track) {
		all = append(slices.Clone(all), row.Track)
	}
	if all = without(track, all); len(all) > maxAliases {
		return nil, fault.Errorf(fault.Invalid, "aliases", "at most %d aliases, and the old track becomes one: remove some", maxAliases)
	}
	return all, nil
}

// without returns aliases without repetitions and without a track.
func without(track string, aliases []string) []string {
	all := make([]string, 0, len(aliases))
	for _, alias := range aliases {
		same := func(other string) bool { return catalog.SameTrack(alias, other) }
		if !same(track) && !slices.ContainsFunc(all, same) {
			all = append(all, alias)
		}
	}
	return all
}

// freeNames returns Conflict for a name, track or alias that another group of the
// same architecture has, because machines could not distinguish them. What the
// group itself has already stays allowed: older databases have tracks that differ
// only in case.
func freeNames(c *change.Change, arch string, self *catalog.Group, name, track string, aliases []string) error {
	if err := groupNameApart(c, arch, self, name); err != nil {
		return err
	}
	var p input.Problems
	own, id := []string(nil), uuid.Nil
	if self != nil {
		own, id = append(slices.Clone(self.Aliases), self.Track), self.ID
	}
	for _, g := range c.Config.Groups {
		if g.Arch != arch || g.ID == id {
			continue
		}
		if g.Name == name {
			p = append(p, fault.Errorf(fault.Conflict, "name", "there is another group %q for %s", name, arch))
			if catalog.SameTrack(name, track) {
				continue // the track was derived from the name
			}
		}
		taken := func(field, track string) {
			if other, found := g.Named(track); found && !slices.Contains(own, track) {
				kind := "alias"
				if other == g.Track {
					kind = "track"
				}
				p = append(p, fault.Errorf(fault.Conflict, field, "group %q for %s has the %s %q; case does not matter", g.Name, arch, kind, other))
			}
		}
		taken("track", track)
		for _, alias := range aliases {
			taken("aliases", alias)
		}
	}
	if p.Err() != nil {
		return p.Err()
	}
	return tracksApart(c, arch, self, append([]string{track}, aliases...))
}

// groupNameApart returns Conflict if a new name looks like that of another group of the
// same architecture.
func groupNameApart(c *change.Change, arch string, self *catalog.Group, name string) error {
	var others []string
	for _, g := range c.Config.Groups {
		switch {
		case self != nil && g.ID == self.ID:
			if g.Name == name {
				return nil // not new
			}
		case g.Arch == arch:
			others = append(others, g.Name)
		}
	}
	return input.Apart("name", name, others...)
}

// tracksApart is groupNameApart for the track, which is the first one, and the aliases.
func tracksApart(c *change.Change, arch string, self *catalog.Group, tracks []string) error {
	var own, others []string
	for _, g := range c.Config.Groups {
		switch all := append(slices.Clone(g.Aliases), g.Track); {
		case self != nil && g.ID == self.ID:
			own = all
		case g.Arch == arch:
			others = append(others, all...)
		}
	}
	for i, track := range tracks {
		field := "track"
		if i > 0 {
			field = "aliases"
		}
		if slices.Contains(own, track) {
			continue
		}
		if err := input.Apart(field, track, others...); err != nil {
			return err
		}
	}
	return nil
}
