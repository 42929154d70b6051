package auth

import (
	"slices"

	"github.com/google/uuid"
)

// Grant gives a role on a part of the installation: on every team, on one team, on one
// application or on one group. A part that is zero includes everything in it.
type Grant struct {
	Role        Role      `json:"role"`
	Team        uuid.UUID `json:"team,omitzero"`        // zero: every team
	Application uuid.UUID `json:"application,omitzero"` // zero: every application of the team
	Group       uuid.UUID `json:"group,omitzero"`       // zero: every group of the application
}

// Place is what a verb concerns or a read returns: a group, an application if Group is
// zero, a team if Application is zero, else the installation.
type Place struct{ Team, Application, Group uuid.UUID }

// Covers reports whether the grant includes all of a place.
func (g Grant) Covers(p Place) bool {
	return includes(g.Team, p.Team) && includes(g.Application, p.Application) && includes(g.Group, p.Group)
}

func includes(granted, wanted uuid.UUID) bool { return granted == uuid.Nil || granted == wanted }

// String names the kind of place.
func (p Place) String() string {
	switch {
	case p.Group != uuid.Nil:
		return "this group"
	case p.Application != uuid.Nil:
		return "the whole application"
	case p.Team != uuid.Nil:
		return "the whole team"
	}
	return "the whole installation"
}

func (g Grant) place() Place { return Place{g.Team, g.Application, g.Group} }

// AllGrants returns the grants of the principal. Without grants of its own it has its role
// on its whole team, as an owner on every team.
func (p Principal) AllGrants() []Grant {
	switch {
	case len(p.Grants) > 0:
		return p.Grants
	case p.Role == Owner:
		return []Grant{{Role: Owner}}
	case p.Role == 0:
		return nil
	}
	return []Grant{{Role: p.Role, Team: p.TeamID}}
}

// RoleOn returns the highest role that the principal has on all of a place.
func (p Principal) RoleOn(place Place) (highest Role) {
	for _, g := range p.AllGrants() {
		if g.Covers(place) {
			highest = max(highest, g.Role)
		}
	}
	return highest
}

// SeesAll reports whether the principal may read the whole installation.
func (p Principal) SeesAll() bool { return p.RoleOn(Place{}) >= Viewer }

// Sees reports whether the principal may read an application of a team: it has a role on
// the application, or on a part of it.
func (p Principal) Sees(team, application uuid.UUID) bool {
	return slices.ContainsFunc(p.AllGrants(), func(g Grant) bool {
		return g.Role >= Viewer && includes(g.Team, team) && includes(g.Application, application)
	})
}

// InTeam reports whether the principal has a role in a team, or in a part of it.
func (p Principal) InTeam(team uuid.UUID) bool {
	return slices.ContainsFunc(p.AllGrants(), func(g Grant) bool { return includes(g.Team, team) })
}

// MayGrant reports whether the principal may give a grant, and change who has it: it has
// the same role or more on the whole place.
func (p Principal) MayGrant(g Grant) bool { return p.RoleOn(g.place()) >= g.Role }

// HighestRole returns the highest role of grants.
func HighestRole(grants []Grant) (highest Role) {
	for _, g := range grants {
		highest = max(highest, g.Role)
	}
	return highest
}

// Narrow returns what both lists of grants allow: each grant of the first with each of the
// second, on the smaller of the two places if one contains the other, with the lower role.
func Narrow(grants, by []Grant) []Grant {
	var both []Grant
	for _, a := range grants {
		for _, b := range by {
			g := Grant{Role: min(a.Role, b.Role)}
			switch {
			case a.Covers(b.place()):
				g.Team, g.Application, g.Group = b.Team, b.Application, b.Group
			case b.Covers(a.place()):
				g.Team, g.Application, g.Group = a.Team, a.Application, a.Group
			default:
				continue
			}
			if g.Role >= Viewer && !slices.Contains(both, g) {
				both = append(both, g)
			}
		}
	}
	return both
}
