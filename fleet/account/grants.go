package account

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
)

// maxGrants limits the grants of a user.
const maxGrants = 100

// rights are what a user may do: Role on the whole team of the user, an owner's on every
// team, or Grants.
type rights struct {
	Role   auth.Role
	Grants []auth.Grant
}

// GrantsOf returns where a user has which role, as far as the caller may know: grants in
// teams in which the caller has no role are left out, except of the caller itself.
func GrantsOf(ctx context.Context, u *db.User) []auth.Grant {
	who, _ := auth.From(ctx)
	if who.UserID == u.ID { // a token can have less than its user
		return who.AllGrants()
	}
	return slices.DeleteFunc(slices.Clone(grantsOf(u)), func(g auth.Grant) bool { return !who.SeesAll() && !who.InTeam(g.Team) })
}

// RoleOn returns the highest role of a user on all of a place.
func RoleOn(u *db.User, place auth.Place) auth.Role { return principal(u, "").RoleOn(place) }

func grantsOf(u *db.User) []auth.Grant { return principal(u, "").AllGrants() }

// check returns the rights with the team and the application of each place. The caller
// must have at least the same.
func (s *Service) check(ctx context.Context, who auth.Principal, team uuid.UUID, in rights) (rights, error) {
	var p input.Problems
	switch {
	case len(in.Grants) > maxGrants:
		p.Add("grants", "must have at most %d entries, not %d", maxGrants, len(in.Grants))
	case len(in.Grants) > 0 && in.Role != 0:
		p.Add("grants", "must be empty if there is a role")
	case len(in.Grants) == 0 && in.Role == 0:
		p.Add("role", "must be a role, unless there are grants")
	case len(in.Grants) == 0:
		grantable(&p, "role", who, auth.Principal{Role: in.Role, TeamID: team}.AllGrants()[0])
	}
	if err := p.Err(); err != nil || len(in.Grants) == 0 {
		return in, err
	}
	out := rights{Role: auth.HighestRole(in.Grants), Grants: make([]auth.Grant, len(in.Grants))}
	for i, g := range in.Grants {
		field := fmt.Sprintf("grants[%d]", i)
		g, err := s.complete(ctx, field, g)
		if err != nil {
			return in, err
		}
		if g.Role == auth.Owner && (g != auth.Grant{Role: auth.Owner}) {
			p.Add(field+".role", "an owner has no team: the role is for the whole installation")
		}
		grantable(&p, field, who, g)
		out.Grants[i] = g
	}
	return out, p.Err()
}

// complete fills in the team and the application of a grant, and checks those that are given.
func (s *Service) complete(ctx context.Context, field string, g auth.Grant) (auth.Grant, error) {
	if g.Group != uuid.Nil {
		row, err := s.store.Reader().Group.Get(ctx, g.Group)
		if err == nil && (row.DeletedAt != nil || g.Application != uuid.Nil && g.Application != row.ApplicationID) {
			err = &db.NotFoundError{}
		}
		if err != nil {
			return g, fault.Missing(err, field+".groupId", "group")
		}
		g.Application = row.ApplicationID
	}
	if g.Application != uuid.Nil {
		row, err := s.store.Reader().Application.Get(ctx, g.Application)
		if err == nil && (row.DeletedAt != nil || g.Team != uuid.Nil && g.Team != row.TeamID) {
			err = &db.NotFoundError{}
		}
		if err != nil {
			return g, fault.Missing(err, field+".applicationId", "application")
		}
		g.Team = row.TeamID
	}
	if g.Team != uuid.Nil {
		_, err := s.team(ctx, field+".teamId", g.Team)
		return g, err
	}
	return g, nil
}

// grantable checks that the caller has what a user is given.
func grantable(p *input.Problems, field string, who auth.Principal, g auth.Grant) {
	switch {
	case g.Role.String() == "":
		p.Add(field, "must be a role")
	case !who.MayGrant(g):
		p.Add(field, "must not be above your own: you have not the role %s on %s", g.Role, auth.Place{Team: g.Team, Application: g.Application, Group: g.Group})
	}
}

// below returns Forbidden for a user with more rights than the caller.
func below(row *db.User, who auth.Principal) error {
	for _, g := range grantsOf(row) {
		if !who.MayGrant(g) {
			return fault.Errorf(fault.Forbidden, "", "%s has the role %s on %s, and you do not", row.Username, g.Role,
				auth.Place{Team: g.Team, Application: g.Application, Group: g.Group})
		}
	}
	return nil
}

// manages reports whether the caller manages the users of a team.
func manages(who auth.Principal, team uuid.UUID) bool {
	return who.RequireOn("users", auth.Place{Team: team}) == nil
}
