package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/view"
)

// rightFlags are the flags of a role and of the part of the installation for which it is.
// Parts are named by their names or ids.
type rightFlags struct{ role, team, application, group string }

func (f *rightFlags) add(flags *pflag.FlagSet, role string) {
	flags.StringVar(&f.role, "role", role, "what the user may do: viewer, operator, publisher, admin, or owner")
	flags.StringVar(&f.team, "team", "", "name or id of the team where the user has the role; without it, the team of the user")
	flags.StringVar(&f.application, "application", "", "name or id of the application, if the role is for only one")
	flags.StringVar(&f.group, "group", "", "name or id of the group, if the role is for only one")
}

// read returns the role with the ids of its place.
func (f *rightFlags) read(ctx context.Context, s *fleet.Service) (g auth.Grant, err error) {
	if g.Role, err = auth.ParseRole(f.role); err != nil {
		return g, fmt.Errorf("--role: %w", err)
	}
	names, err := readNames(ctx, s)
	if err != nil {
		return g, err
	}
	if f.team != "" {
		team, err := find("team", f.team, names.teams, teamName)
		if err != nil {
			return g, err
		}
		g.Team = team.ID
	}
	apps := slices.DeleteFunc(slices.Clone(names.apps), func(a *db.Application) bool { return g.Team != uuid.Nil && a.TeamID != g.Team })
	if f.application != "" {
		app, err := find("application", f.application, apps, func(a *db.Application) (uuid.UUID, string) { return a.ID, a.Name })
		if err != nil {
			return g, err
		}
		g.Team, g.Application = app.TeamID, app.ID
		apps = []*db.Application{app}
	}
	if f.group != "" {
		var groups []*db.Group
		for _, app := range apps {
			groups = append(groups, app.Edges.Groups...)
		}
		group, err := find("group", f.group, groups, func(g *db.Group) (uuid.UUID, string) { return g.ID, g.Name })
		if err != nil {
			return g, err
		}
		g.Team, g.Application, g.Group = names.app(group.ApplicationID).TeamID, group.ApplicationID, group.ID
	}
	return g, nil
}

// find returns the object with an id or a name.
func find[T any](what, wanted string, all []T, of func(T) (uuid.UUID, string)) (found T, err error) {
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
		return found, fmt.Errorf("there is no such %s: %s", what, wanted)
	case 1:
		return found, nil
	}
	return found, fmt.Errorf("there is more than one %s with the name %s: use the id", what, wanted)
}

func teamName(t *db.Team) (uuid.UUID, string) { return t.ID, t.Name }

// ofUser returns the rights of a user who has one role: on the whole team of the user if
// the place is not smaller.
func ofUser(g auth.Grant) (auth.Role, []auth.Grant) {
	if g.Application == uuid.Nil {
		return g.Role, nil
	}
	return 0, []auth.Grant{g}
}

// names are the teams, and the applications with their groups.
type names struct {
	teams []*db.Team
	apps  []*db.Application
}

func readNames(ctx context.Context, s *fleet.Service) (n names, err error) {
	if n.teams, err = s.Accounts.Teams(ctx); err != nil {
		return n, err
	}
	n.apps, err = s.View.Applications(ctx, view.Edges(view.Edge("groups")))
	return n, err
}

// app returns an application, an empty one if it was deleted.
func (n names) app(id uuid.UUID) *db.Application {
	for _, a := range n.apps {
		if a.ID == id {
			return a
		}
	}
	return &db.Application{}
}

// rights returns what a user may do, such as "publisher on agent, operator on the group
// prod of agent, viewer of the team Retail".
func (n names) rights(ctx context.Context, u *db.User) string {
	var all []string
	for _, g := range account.GrantsOf(ctx, u) {
		all = append(all, g.Role.String()+n.place(g))
	}
	return strings.Join(all, ", ")
}

func (n names) place(g auth.Grant) string {
	app := n.app(g.Application)
	switch {
	case g.Group != uuid.Nil:
		for _, group := range app.Edges.Groups {
			if group.ID == g.Group {
				return fmt.Sprintf(" on the group %s of %s", group.Name, app.Name)
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
	for _, t := range n.teams {
		if t.ID == g.Team {
			return " of the team " + t.Name
		}
	}
	return " of a deleted team"
}
