package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
)

func teamCommand(p process) *cobra.Command {
	team := &cobra.Command{
		Use: "team", Short: "manage teams",
		Long: "The applications and users of a team do not exist for other teams. Works directly on the database, also while\n" +
			"the server runs. A team is given by its name or id.",
		Args: cobra.NoArgs,
	}
	team.AddCommand(
		serviceCommand("list", "list the teams", func(ctx context.Context, s *fleet.Service, _ []string) error { return listTeams(ctx, s, p) }),
		teamArgs(serviceCommand("add NAME", "add a team", func(ctx context.Context, s *fleet.Service, args []string) error {
			_, err := s.Accounts.CreateTeam(ctx, account.CreateTeam{Name: args[0]})
			return done(p, err, "team %s was added\n", args[0])
		}), "the name"),
		teamArgs(serviceCommand("rename TEAM NAME", "rename a team", func(ctx context.Context, s *fleet.Service, args []string) error {
			id, err := teamID(ctx, s, args[0])
			if err == nil {
				_, err = s.Accounts.UpdateTeam(ctx, account.UpdateTeam{ID: id, Name: args[1]})
			}
			return done(p, err, "the team is now %s\n", args[1])
		}), "the team", "its new name"),
		teamArgs(serviceCommand("delete TEAM", "delete a team without applications and users", func(ctx context.Context, s *fleet.Service, args []string) error {
			id, err := teamID(ctx, s, args[0])
			if err == nil {
				err = s.Accounts.DeleteTeam(ctx, account.DeleteTeam{ID: id})
			}
			return done(p, err, "team %s was deleted\n", args[0])
		}), "the team"),
	)
	return team
}

// teamArgs lets a command take arguments, each with its meaning.
func teamArgs(cmd *cobra.Command, meanings ...string) *cobra.Command {
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == len(meanings) {
			return nil
		}
		if len(meanings) == 1 {
			return fmt.Errorf("expected one argument, %s", meanings[0])
		}
		return fmt.Errorf("expected two arguments, %s and %s", meanings[0], meanings[1])
	}
	return cmd
}

// done prints what a command did, unless it failed.
func done(p process, err error, format, name string) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, format, name)
	return err
}

// teamID returns the id of a team that is given by its name or id.
func teamID(ctx context.Context, s *fleet.Service, wanted string) (uuid.UUID, error) {
	places, err := s.Accounts.Places(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	team, err := places.Team(wanted)
	if err != nil {
		return uuid.Nil, err
	}
	return team.ID, nil
}

func listTeams(ctx context.Context, s *fleet.Service, p process) error {
	places, err := s.Accounts.Places(ctx)
	if err != nil {
		return err
	}
	users, err := s.Accounts.Users(ctx)
	if err != nil {
		return err
	}
	usersOf, appsOf := map[uuid.UUID]int{}, map[uuid.UUID]int{}
	for _, u := range users {
		usersOf[u.TeamID]++
	}
	for _, a := range places.Applications {
		appsOf[a.TeamID]++
	}
	for _, t := range places.Teams {
		if _, err := fmt.Fprintf(p.Stdout, "%-20s %s  applications %d, users %d\n", t.Name, t.ID, appsOf[t.ID], usersOf[t.ID]); err != nil {
			return err
		}
	}
	return nil
}
