package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/ent/db"
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
			row, err := teamOf(ctx, s, args[0])
			if err == nil {
				_, err = s.Accounts.UpdateTeam(ctx, account.UpdateTeam{ID: row.ID, Name: args[1]})
			}
			return done(p, err, "the team is now %s\n", args[1])
		}), "the team", "its new name"),
		teamArgs(serviceCommand("delete TEAM", "delete a team without applications and users", func(ctx context.Context, s *fleet.Service, args []string) error {
			row, err := teamOf(ctx, s, args[0])
			if err == nil {
				err = s.Accounts.DeleteTeam(ctx, account.DeleteTeam{ID: row.ID})
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

// teamOf reads a team by its name or id.
func teamOf(ctx context.Context, s *fleet.Service, wanted string) (*db.Team, error) {
	all, err := s.Accounts.Teams(ctx)
	if err != nil {
		return nil, err
	}
	return find("team", wanted, all, teamName)
}

func listTeams(ctx context.Context, s *fleet.Service, p process) error {
	teams, err := s.Accounts.Teams(ctx)
	if err != nil {
		return err
	}
	users, err := s.Accounts.Users(ctx)
	if err != nil {
		return err
	}
	apps, err := s.View.Applications(ctx, nil)
	if err != nil {
		return err
	}
	numbers := map[uuid.UUID][2]int{}
	for _, a := range apps {
		n := numbers[a.TeamID]
		numbers[a.TeamID] = [2]int{n[0] + 1, n[1]}
	}
	for _, u := range users {
		n := numbers[u.TeamID]
		numbers[u.TeamID] = [2]int{n[0], n[1] + 1}
	}
	for _, t := range teams {
		n := numbers[t.ID]
		if _, err := fmt.Fprintf(p.Stdout, "%-20s %s  applications %d, users %d\n", t.Name, t.ID, n[0], n[1]); err != nil {
			return err
		}
	}
	return nil
}
