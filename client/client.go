// Package client is the part of the command line that works on a running server over
// its public API, from any machine: signing in, reads, changes, proposals, and following
// a rollout. It knows no database and no rule: what the server answers is what it prints.
package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Terminal is the part of the operating system that commands use.
type Terminal struct {
	Environ []string // as os.Environ
	Version string   // of the program
	Stdin   *os.File
	Stdout  *os.File
	Stderr  *os.File
	// Ask reads a secret: from the terminal, or the first line of standard input.
	Ask func(ctx context.Context, prompt string) (string, error)
}

// GroupID is the group of these commands in the help of the program.
const GroupID = "client"

// exitCodes is part of the help of every command.
const exitCodes = "Exit codes: 0 done, 1 failed, 2 the command line is wrong, 3 another person must approve."

// Exit is an error with the exit code that scripts see.
type Exit struct {
	Code int
	Err  error
}

// The exit codes besides 1 for any other error.
const (
	exitUsage    = 2
	exitApproval = 3
	exitTimeout  = 4
)

// Error implements error.
func (e *Exit) Error() string { return e.Err.Error() }

// Unwrap returns the error itself.
func (e *Exit) Unwrap() error { return e.Err }

// usage is an error in the command line.
func usage(format string, args ...any) error {
	return &Exit{exitUsage, fmt.Errorf(format, args...)}
}

// Commands returns all commands but those of packages.
func Commands(t Terminal) []*cobra.Command {
	all := []*cobra.Command{
		loginCommand(t), logoutCommand(t), contextCommand(t),
		groupsCommand(t), channelsCommand(t), machinesCommand(t), whyCommand(t), activityCommand(t),
		pauseCommand(t), resumeCommand(t), haltCommand(t), advanceCommand(t), rollbackCommand(t), slotCommand(t), labelCommand(t),
		proposalsCommand(t), mirrorCommand(t), webhooksCommand(t), watchCommand(t), waitCommand(t), exportCommand(t), applyCommand(t), storageCommand(t),
		mcpCommand(t), doctorCommand(t),
	}
	for _, cmd := range all {
		cmd.GroupID = GroupID
	}
	return all
}

// command returns a subcommand of a server. wanted names its arguments.
func (t Terminal) command(use, short, long, example string, run func(context.Context, *session, []string) error) *cobra.Command {
	c := &connection{terminal: t}
	cmd := t.local(use, short, long, example, func(cmd *cobra.Command, args []string) error {
		s, err := c.open(cmd)
		if err != nil {
			return err
		}
		defer s.Close()
		return s.explain(run(cmd.Context(), s, args))
	})
	c.flags(cmd)
	return cmd
}

// local returns a subcommand that does not connect by itself.
func (t Terminal) local(use, short, long, example string, run func(*cobra.Command, []string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: strings.TrimSpace(strings.TrimSpace(long) + "\n\n" + exitCodes), Example: example,
		Args: exactly(use),
		RunE: func(cmd *cobra.Command, args []string) error { return interrupted(cmd.Context(), run(cmd, args)) },
	}
	if long == "" {
		cmd.Long = strings.ToUpper(short[:1]) + short[1:] + ".\n\n" + exitCodes
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &Exit{exitUsage, err} })
	return cmd
}

// exactly checks the arguments against those that the usage names.
func exactly(use string) cobra.PositionalArgs {
	wanted := strings.Fields(use)[1:]
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == len(wanted):
			return nil
		case len(wanted) == 0:
			return usage("%s takes no arguments, but there is %q", cmd.CommandPath(), args[0])
		default:
			return usage("expected: %s %s; see %s --help", cmd.CommandPath(), strings.Join(wanted, " "), cmd.CommandPath())
		}
	}
}

// parent returns a command with subcommands only.
func parent(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 { // a mistyped command of a script must not succeed
			return usage("there is no command %q; see %s --help", cmd.CommandPath()+" "+args[0], cmd.CommandPath())
		}
		return cmd.Help()
	}
	cmd.AddCommand(children...)
	return cmd
}

// variable returns a variable of the environment, "" when it is not set.
func (t Terminal) variable(name string) string {
	for _, line := range t.Environ {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// interrupted makes the end of the context a failure, so that a script does not go on.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	return err
}

// untilInterrupted is for commands that only an interruption ends.
func untilInterrupted(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = nil
	}
	return err
}
