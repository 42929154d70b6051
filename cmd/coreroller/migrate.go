package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/store/migrations"
)

func migrateCommand(p process) *cobra.Command {
	migrate := &cobra.Command{
		Use: "migrate", Short: "bring the database's schema up to date, or say where it stands",
		Long: "Serve migrates by itself when it starts. These commands are for those who want it apart, such as\n" +
			"before a new version is started. There is no way back but a backup: make one first.",
		Args: cobra.NoArgs,
	}
	migrate.AddCommand(
		databaseCommand("up", "apply what is missing", func(cmd *cobra.Command, c *Config, database string) error {
			if err := migrations.Apply(cmd.Context(), database); err != nil {
				return c.explainOpen(err)
			}
			_, err := fmt.Fprintf(p.Stdout, "%s is up to date\n", c.databaseName())
			return err
		}),
		databaseCommand("status", "list the migrations", func(cmd *cobra.Command, c *Config, database string) error {
			all, err := migrations.List(cmd.Context(), database)
			if err != nil {
				return c.explainOpen(err)
			}
			for _, m := range all {
				state := "missing"
				if m.Applied {
					state = "applied"
				}
				if _, err := fmt.Fprintf(p.Stdout, "%s  %s\n", state, m.Name); err != nil {
					return err
				}
			}
			return nil
		}),
	)
	return migrate
}

// databaseCommand is a subcommand on the database alone.
func databaseCommand(use, short string, run func(cmd *cobra.Command, c *Config, database string) error) *cobra.Command {
	c := &Config{}
	cmd := command(use, short, "", func(cmd *cobra.Command) error {
		database, err := c.database()
		if err != nil {
			return err
		}
		return run(cmd, c, database)
	})
	c.databaseFlags(cmd.Flags())
	return cmd
}
