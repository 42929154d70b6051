// Command coreroller is the update server: `coreroller serve` runs it, and
// `coreroller demo` runs it with sample data and simulated machines. This package
// reads flags and environment variables, connects the other packages, and stops
// them in order.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // policies use time zones, and minimal containers have no database of them

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client"
)

// version is set by the linker.
var version = "dev"

// duplicateSignal is how long further signals are ignored after the first. make
// and timeout send one signal to the process and to its group. A person needs
// longer to press the keys again.
const duplicateSignal = 500 * time.Millisecond

func main() {
	// The first signal stops the program in order. A later one ends it at once.
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-time.After(duplicateSignal)
		signal.Reset(os.Interrupt, syscall.SIGTERM)
	}()
	p := process{Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(run(ctx, p, os.Args[1:]))
}

// process is the part of the operating system that commands use.
type process struct {
	Environ []string // as os.Environ
	Stdin   *os.File
	Stdout  *os.File
	Stderr  *os.File
}

// terminal is what the commands for a running server use.
func (p process) terminal() client.Terminal {
	return client.Terminal{
		Environ: p.Environ, Version: version, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr,
		Ask: func(ctx context.Context, prompt string) (string, error) {
			secrets, err := ask(ctx, p, prompt)
			if err != nil {
				return "", err
			}
			return secrets[0], nil
		},
	}
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, p process, args []string) int {
	root := rootCommand(p)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return 0
	}
	_, _ = fmt.Fprintf(p.Stderr, "coreroller: %s\n", visibleLines(err.Error()))
	if exit, ok := errors.AsType[*client.Exit](err); ok {
		return exit.Code
	}
	return 1
}

// rootCommand returns the command line with all subcommands.
func rootCommand(p process) *cobra.Command {
	root := &cobra.Command{
		Use:   "coreroller",
		Short: "CoreRoller rolls out updates to fleets of machines",
		Long: "CoreRoller rolls out updates to fleets of machines.\n\n" +
			"Every flag can also be set by an environment variable: --some-flag by " + envPrefix + "SOME_FLAG.\n" +
			"The flag takes precedence.",
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := readEnvironment(cmd, p.Environ); err != nil {
			return err
		}
		if unknown := unknownVariables(root, p.Environ); len(unknown) > 0 {
			_, _ = fmt.Fprintf(p.Stderr, "coreroller: warning: no flag matches the environment variables %s; see coreroller %s --help\n",
				strings.Join(unknown, ", "), strings.TrimPrefix(cmd.CommandPath(), "coreroller "))
		}
		return nil
	}
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	root.AddGroup(&cobra.Group{ID: client.GroupID, Title: "Commands for a running server, from any machine:"})
	for _, cmd := range client.Commands(p.terminal()) {
		if cmd.Name() == "doctor" {
			cmd.AddCommand(localDoctorCommand(p))
		}
		root.AddCommand(cmd)
	}
	root.AddCommand(
		serveCommand(p), demoCommand(p), simulateCommand(p), migrateCommand(p), userCommand(p), teamCommand(p), tokenCommand(p), packageCommand(p),
		auditCommand(p), importCommand(p), moveCommand(p), backupCommand(p), restoreCommand(p), healthCommand(p), configCommand(p), versionCommand(p), agentCommand(p),
	)
	return root
}

// command returns a subcommand with flags and without arguments.
func command(use, short, long string, run func(*cobra.Command) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: strings.TrimSpace(long), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd) },
	}
}
