package view

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/job"
)

// JobPlaces returns the places on which a job needs a role: the group of its filter, else
// its application, or, with neither, all that the caller sees; and the group to which its
// machines move. A nil app is none.
func JobPlaces(who auth.Principal, app *catalog.App, within, to *uuid.UUID) []auth.Place {
	switch {
	case app == nil && who.SeesAll():
		return []auth.Place{{}}
	case app == nil:
		return []auth.Place{{Team: who.TeamID}}
	case within == nil:
		return []auth.Place{{Team: app.TeamID, Application: app.ID}}
	}
	places := []auth.Place{{Team: app.TeamID, Application: app.ID, Group: *within}}
	if to != nil {
		places = append(places, auth.Place{Team: app.TeamID, Application: app.ID, Group: *to})
	}
	return places
}

// JobVerbs returns the verbs that a caller must be allowed to call on each place of a job.
func JobVerbs(verb string, action job.Action) []string {
	if action == job.Forget {
		return []string{verb, "forgetInstances"}
	}
	return []string{verb}
}

// JobPermissions names what a caller may call on all places of a job, sorted. A caller who
// may not forget machines cannot control a job that does.
func JobPermissions(who auth.Principal, c *catalog.Catalog, row *db.MachineJob) []string {
	var app *catalog.App
	if row.ApplicationID != nil {
		if app = c.App(*row.ApplicationID); app == nil { // deleted with its machines
			return []string{}
		}
	}
	least := auth.Owner
	for _, place := range JobPlaces(who, app, row.WithinGroupID, row.GroupID) {
		least = min(least, who.RoleOn(place))
	}
	return slices.DeleteFunc(least.Permissions(), func(verb string) bool {
		return strings.HasSuffix(verb, "MachineJob") && slices.ContainsFunc(JobVerbs(verb, job.Action(row.Action)), func(needed string) bool {
			return auth.Needs(needed) > least
		})
	})
}
