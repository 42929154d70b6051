package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/fault"
)

func demoCommand(p process) *cobra.Command {
	c := &Config{}
	cmd := command("demo", "run a server with sample data and simulated machines", `
Runs a server with sample data and 372 simulated machines. They check for updates
over HTTP as real machines do, but in accelerated time. A script promotes new
versions, one of them bad, so that you can watch the rollouts. Without --data-dir
the data is deleted at the end. With it the next demo continues.`,
		func(cmd *cobra.Command) error { return runDemo(cmd.Context(), c, p) })
	f := cmd.Flags()
	c.serverFlags(f)
	f.StringVar(&c.DataDir, "data-dir", "", "directory of the database, empty or of a previous demo; default: a temporary directory")
	if err := f.Set("log-level", "warn"); err == nil { // the terminal shows the script instead
		level := f.Lookup("log-level")
		level.DefValue, level.Changed = "warn", false
	}
	return cmd
}

func runDemo(ctx context.Context, c *Config, p process) (err error) {
	if c.DataDir == "" {
		if c.DataDir, err = os.MkdirTemp("", "coreroller-demo-*"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.DataDir)) }()
	}
	return serve(ctx, c, p, func(ctx context.Context, program *Program) error {
		start := time.Now()
		report := func(text string) {
			_, _ = fmt.Fprintf(p.Stdout, "%5s  %s\n", time.Since(start).Round(time.Second), text)
		}
		program.demo.Attach(program.fleet, program.store, report)
		report("sign in with user admin and password admin, unless you changed it")
		_, err := program.fleet.StartDemo(auth.With(ctx, commandPrincipal("demo")))
		if fault.CodeOf(err) == fault.Conflict {
			return errors.New("the database in --data-dir contains other data: choose an empty directory, or omit the flag")
		}
		if err != nil {
			return err
		}
		<-ctx.Done() // Program.Close stops the machines
		return nil
	})
}
