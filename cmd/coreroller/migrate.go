package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/store/migrations"
)

func migrateCommand(p process) *cobra.Command {
	migrate := &cobra.Command{
		Use: "migrate", Short: "migrate the database schema, or list the migrations",
		Long: "serve migrates when it starts. Use these commands to migrate separately, such as before you start a new\n" +
			"version. A migration cannot be undone: make a backup first. The embedded database is copied to backups in --data-dir.",
		Args: cobra.NoArgs,
	}
	var backup Config
	up := databaseCommand("up", "apply all pending migrations", func(cmd *cobra.Command, c *Config, database string) error {
		apply := migrations.ApplyWithBackup
		if !backup.MigrationBackup {
			apply = func(ctx context.Context, url string, _ time.Time) (string, error) {
				return "", migrations.Apply(ctx, url)
			}
		}
		copied, err := apply(cmd.Context(), database, time.Now())
		if copied != "" {
			if _, err := fmt.Fprintf(p.Stdout, "copied the database to %s\n", copied); err != nil {
				return err
			}
		}
		if err != nil {
			return c.explainOpen(err)
		}
		_, err = fmt.Fprintf(p.Stdout, "%s is up to date\n", c.databaseName())
		return err
	})
	backup.backupFlag(up.Flags())
	migrate.AddCommand(
		up,
		databaseCommand("status", "list the migrations", func(cmd *cobra.Command, c *Config, database string) error {
			all, err := migrations.List(cmd.Context(), database)
			if err != nil {
				return c.explainOpen(err)
			}
			for _, m := range all {
				state := "pending"
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

// databaseCommand returns a subcommand that needs the database only.
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
