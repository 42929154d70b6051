package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
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
func (f *rightFlags) read(ctx context.Context, s *fleet.Service) (auth.Grant, error) {
	role, err := auth.ParseRole(f.role)
	if err != nil {
		return auth.Grant{}, fmt.Errorf("--role: %w", err)
	}
	places, err := s.Accounts.Places(ctx)
	if err != nil {
		return auth.Grant{}, err
	}
	g, err := places.Find(f.team, f.application, f.group)
	g.Role = role
	return g, err
}

// rightsOf returns the rights of a user of a team who has one role: on the whole team if
// the place is not another one.
func rightsOf(team uuid.UUID, g auth.Grant) (auth.Role, []auth.Grant) {
	if g.Application == uuid.Nil && (g.Team == uuid.Nil || g.Team == team) {
		return g.Role, nil
	}
	return 0, []auth.Grant{g}
}
