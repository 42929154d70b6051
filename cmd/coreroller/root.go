package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// rootCommand is the whole command line.
func rootCommand(p process) *cobra.Command {
	root := &cobra.Command{
		Use:   "coreroller",
		Short: "CoreRoller rolls updates out to fleets of machines",
		Long: "CoreRoller rolls updates out to fleets of machines.\n\n" +
			"Every flag can also be given in the environment: --some-flag as " + envPrefix + "SOME_FLAG.\n" +
			"A flag wins over the environment.",
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := readEnvironment(cmd, p.Environ); err != nil {
			return err
		}
		if unknown := unknownVariables(root, p.Environ); len(unknown) > 0 {
			_, _ = fmt.Fprintf(p.Stderr, "coreroller: no flag of this program belongs to %s; see coreroller %s --help\n",
				strings.Join(unknown, ", "), strings.TrimPrefix(cmd.CommandPath(), "coreroller "))
		}
		return nil
	}
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	root.AddCommand(
		serveCommand(p), demoCommand(p), simulateCommand(p), migrateCommand(p), userCommand(p), healthCommand(p),
		versionCommand(p),
	)
	return root
}

// command is a subcommand that takes flags only.
func command(use, short, long string, run func(*cobra.Command) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: strings.TrimSpace(long), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd) },
	}
}
