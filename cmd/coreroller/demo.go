package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"coreroller/auth"
	"coreroller/fleet"
	"coreroller/store"
)

func demoCommand(p process) *cobra.Command {
	c := &Config{}
	cmd := command("demo", "run a server with a simulated fleet to look at", `
Runs a server with sample data and some hundred simulated machines that speak to
it over HTTP as real ones would, only faster. New versions are rolled out while
you watch, one of them a bad one. Without --data-dir everything is forgotten
when it ends.`,
		func(cmd *cobra.Command) error { return runDemo(cmd.Context(), c, p) })
	f := cmd.Flags()
	c.serverFlags(f)
	f.StringVar(&c.DataDir, "data-dir", "", "empty folder to keep the data in; left out: a temporary one")
	if err := f.Set("log-level", "warn"); err == nil { // what is to be seen is in the dashboard
		level := f.Lookup("log-level")
		level.DefValue, level.Changed = "warn", false
	}
	return cmd
}

// demo is a running demo.
type demo struct {
	fleet *fleet.Service
	store *store.Store
	out   io.Writer
	start time.Time
	ids   demoIDs
}

func runDemo(ctx context.Context, c *Config, p process) (err error) {
	if c.DataDir == "" {
		if c.DataDir, err = os.MkdirTemp("", "coreroller-demo-*"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.DataDir)) }()
	}
	return serve(ctx, c, p, func(ctx context.Context, program *Program) error {
		d := &demo{fleet: program.fleet, store: program.store, out: p.Stdout, start: time.Now()}
		return d.run(ctx, program)
	})
}

// run makes the world and lets fleet and story run until the context ends.
func (d *demo) run(ctx context.Context, program *Program) error {
	ctx = auth.With(ctx, commandPrincipal("demo"))
	if err := d.build(ctx); err != nil {
		if fleet.CodeOf(err) == fleet.Conflict {
			return errors.New("the demo has run in this data directory already; give an empty one with --data-dir, or leave the flag out")
		}
		return err
	}
	machines, err := d.machines()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	const senders = 8
	client := newOmahaClient(program.OmahaURL(), senders)
	defer client.close()
	s := simulation{Machines: machines, Speed: demoSpeed, Senders: senders, Send: client.send, Now: time.Now}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	err = d.show(ctx)
	stop()
	<-ended
	return err
}

// say tells what happens, with the time since the demo began.
func (d *demo) say(text string) {
	_, _ = fmt.Fprintf(d.out, "%5s  %s\n", time.Since(d.start).Round(time.Second), text)
}
