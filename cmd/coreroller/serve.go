package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

func serveCommand(p process) *cobra.Command {
	c := &Config{}
	cmd := command("serve", "run the server", `
Runs the server until it gets SIGINT or SIGTERM; a second one ends it at once.
Without --database-url the data is in one file in --data-dir. The first start
makes the user admin with the password admin: change it.`,
		func(cmd *cobra.Command) error {
			return serve(cmd.Context(), c, p, nil)
		})
	c.serverFlags(cmd.Flags())
	c.databaseFlags(cmd.Flags())
	return cmd
}

// serve runs a Program until the context ends or it fails by itself. With, if
// not nil, runs beside it and ends with it; its error ends the program.
func serve(ctx context.Context, c *Config, p process, with func(context.Context, *Program) error) error {
	log, err := c.logger(p.Stderr)
	if err != nil {
		return err
	}
	program := NewProgram(*c, log, time.Now)
	if err := program.Run(ctx); err != nil {
		return err
	}
	if err := program.greet(p.Stdout); err != nil {
		_ = program.Close()
		return err
	}
	beside, stop := context.WithCancel(ctx)
	defer stop()
	var ended chan error // nil: nothing runs beside
	if with != nil {
		ended = make(chan error, 1)
		go func() { ended <- with(beside, program) }()
	}
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case err = <-program.Failed():
	case err = <-ended:
		ended = nil
	}
	stop()
	if ended != nil {
		err = errors.Join(err, <-ended)
	}
	return errors.Join(err, program.Close())
}

// greet says that the server is ready, and where. It is the only line on
// standard output; the log goes to standard error.
func (p *Program) greet(out io.Writer) error {
	_, err := fmt.Fprintf(out, "CoreRoller %s is ready: dashboard %s/  playground %s/playground  machines ask %s\n",
		version, p.URL(), p.URL(), p.OmahaURL())
	return err
}
