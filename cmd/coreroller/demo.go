package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/store"
)

func demoCommand(p process) *cobra.Command {
	c := &Config{}
	cmd := command("demo", "run a server with a simulated fleet to look at", `
Runs a server with sample data and some hundred simulated machines that speak to
it over HTTP as real ones would, only faster. New versions are rolled out while
you watch, one of them a bad one. Without --data-dir everything is forgotten
when it ends; with one the same fleet goes on the next time.`,
		func(cmd *cobra.Command) error { return runDemo(cmd.Context(), c, p) })
	f := cmd.Flags()
	c.serverFlags(f)
	f.StringVar(&c.DataDir, "data-dir", "", "folder to keep the data in, empty or of another demo; left out: a temporary one")
	if err := f.Set("log-level", "warn"); err == nil { // what is to be seen is in the dashboard
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
		begun := time.Now()
		program.demo.say = func(text string) {
			_, _ = fmt.Fprintf(p.Stdout, "%5s  %s\n", time.Since(begun).Round(time.Second), text)
		}
		program.demo.say("user and password are both admin, unless they were changed")
		_, err := program.fleet.StartDemo(auth.With(ctx, commandPrincipal("demo")))
		if fault.CodeOf(err) == fault.Conflict {
			return errors.New("there is something else in this data directory; give an empty one with --data-dir, or leave the flag out")
		}
		if err != nil {
			return err
		}
		<-ctx.Done() // the machines end with the program
		return nil
	})
}

// demo makes the world of the demo and tells its story.
type demo struct {
	fleet *fleet.Service
	store *store.Store
	say   func(string)
	ids   demoIDs
}
