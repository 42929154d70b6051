package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/group"
	"github.com/coreroller/coreroller/fleet/fault"
)

// Places are the teams, and the applications with their groups, that the caller may read.
// They translate between grants and the names in them, for the command line.
type Places struct {
	Teams        []*db.Team
	Applications []*db.Application
}

// Places reads the places of the caller.
func (s *Service) Places(ctx context.Context) (*Places, error) {
	teams, err := s.Teams(ctx)
	if err != nil {
		return nil, err
	}
	apps, err := s.store.Reader().Application.Query().Where(application.DeletedAtIsNil()).
		WithGroups(func(q *db.GroupQuery) { q.Where(group.DeletedAtIsNil()) }).Order(application.ByName()).All(ctx)
	return &Places{Teams: teams, Applications: apps}, err
}

// Team returns a team by its name or id.
func (p *Places) Team(wanted string) (*db.Team, error) {
	return named("team", wanted, p.Teams, func(t *db.Team) (uuid.UUID, string) { return t.ID, t.Name })
}

// Find returns a grant without a role for a team, or an application or group in it. Each is
// a name or an id, or "".
func (p *Places) Find(team, app, grp string) (g auth.Grant, err error) {
	if team != "" {
		row, err := p.Team(team)
		if err != nil {
			return g, err
		}
		g.Team = row.ID
	}
	apps := slices.DeleteFunc(slices.Clone(p.Applications), func(a *db.Application) bool { return g.Team != uuid.Nil && a.TeamID != g.Team })
	if app != "" {
		row, err := named("application", app, apps, func(a *db.Application) (uuid.UUID, string) { return a.ID, a.Name })
		if err != nil {
			return g, err
		}
		g.Team, g.Application = row.TeamID, row.ID
		apps = []*db.Application{row}
	}
	if grp != "" {
		var groups []*db.Group
		for _, a := range apps {
			groups = append(groups, a.Edges.Groups...)
		}
		row, err := named("group", grp, groups, func(g *db.Group) (uuid.UUID, string) { return g.ID, g.Name })
		if err != nil {
			return g, err
		}
		g.Team, g.Application, g.Group = p.application(row.ApplicationID).TeamID, row.ApplicationID, row.ID
	}
	return g, nil
}

// named returns the object with an id, or the only one with a name.
func named[T any](kind, wanted string, all []T, of func(T) (uuid.UUID, string)) (found T, err error) {
	n := 0
	for _, one := range all {
		id, name := of(one)
		if id.String() == wanted {
			return one, nil
		}
		if name == wanted {
			found = one
			n++
		}
	}
	switch n {
	case 0:
		return found, fault.Errorf(fault.NotFound, kind, "there is no such %s: %s", kind, wanted)
	case 1:
		return found, nil
	}
	return found, fault.Errorf(fault.Invalid, kind, "there is more than one %s with the name %s: use the id", kind, wanted)
}

// application returns an application, an empty one if it was deleted.
func (p *Places) application(id uuid.UUID) *db.Application {
	for _, a := range p.Applications {
		if a.ID == id {
			return a
		}
	}
	return &db.Application{}
}

// Rights returns what a user may do, such as "publisher on agent, operator on the group
// prod of agent, viewer of the team Retail".
func (p *Places) Rights(ctx context.Context, u *db.User) string {
	var all []string
	for _, g := range GrantsOf(ctx, u) {
		all = append(all, g.Role.String()+p.describe(g))
	}
	return strings.Join(all, ", ")
}

func (p *Places) describe(g auth.Grant) string {
	app := p.application(g.Application)
	switch {
	case g.Group != uuid.Nil:
		for _, row := range app.Edges.Groups {
			if row.ID == g.Group {
				return fmt.Sprintf(" on the group %s of %s", row.Name, app.Name)
			}
		}
		return " on a deleted group"
	case g.Application != uuid.Nil && app.Name == "":
		return " on a deleted application"
	case g.Application != uuid.Nil:
		return " on " + app.Name
	case g.Team == uuid.Nil:
		return ""
	}
	for _, t := range p.Teams {
		if t.ID == g.Team {
			return " of the team " + t.Name
		}
	}
	return " of a deleted team"
}
