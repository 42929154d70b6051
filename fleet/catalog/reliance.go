package catalog

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// RelyOnPackage says what relies on a package, one part of a sentence for each.
func (a *App) RelyOnPackage(id uuid.UUID) (all []string) {
	for _, ch := range a.Channels {
		if ch.IsTarget(id) {
			all = append(all, fmt.Sprintf("channel %q points to it", ch.Name))
		}
		if ch.IsFloor(id) {
			all = append(all, fmt.Sprintf("it is a floor of channel %q", ch.Name))
		}
		if _, is := ch.Blacklisted[id]; is {
			all = append(all, fmt.Sprintf("channel %q blacklists it", ch.Name))
		}
	}
	slices.Sort(all)
	return all
}

// RelyOnChannel says what relies on a channel, one part of a sentence for each.
func (a *App) RelyOnChannel(id uuid.UUID) (all []string) {
	for _, g := range a.Groups {
		if g.Channel != nil && g.Channel.ID == id {
			all = append(all, fmt.Sprintf("group %q follows it", g.Name))
		}
	}
	slices.Sort(all)
	return all
}
