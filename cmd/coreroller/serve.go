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
Runs the server until SIGINT or SIGTERM. A second signal ends it at once. Without
--database-url the data is in one file in --data-dir. The first start creates the
user admin with the password admin: change it. It works on this machine only. The
environment variable COREROLLER_ADMIN_PASSWORD, or COREROLLER_ADMIN_PASSWORD_FILE with
the name of a file, sets another password for it.`,
		func(cmd *cobra.Command) error {
			return serve(cmd.Context(), c, p, nil)
		})
	c.serverFlags(cmd.Flags())
	c.databaseFlags(cmd.Flags())
	return cmd
}

// serve runs a Program until the context ends or a part of it fails. If task is
// not nil it runs concurrently until the program stops; its error stops the
// program.
func serve(ctx context.Context, c *Config, p process, task func(context.Context, *Program) error) error {
	log, err := c.logger(p.Stderr)
	if err != nil {
		return err
	}
	if err = c.readSecretFiles(); err != nil {
		return err
	}
	if c.FirstPassword, err = readFirstPassword(p.Environ); err != nil {
		return err
	}
	if c.Payloads.Keys, err = readBucketKeys(p.Environ); err != nil {
		return err
	}
	if c.Notify.SMTPPassword, err = readSecret(p.Environ, smtpPassword, smtpPasswordFile); err != nil {
		return err
	}
	program := NewProgram(*c, log, time.Now)
	if err := program.Run(ctx); err != nil {
		return err
	}
	err = errors.Join(program.printReady(p.Stdout), notifySystemd(ctx, p.Environ, "READY=1"))
	if err != nil {
		_ = program.Close()
		return err
	}
	taskCtx, stop := context.WithCancel(ctx)
	defer stop()
	var ended chan error // nil if no task runs
	if task != nil {
		ended = make(chan error, 1)
		go func() { ended <- task(taskCtx, program) }()
	}
	select {
	case <-ctx.Done():
		log.Info("stopping")
		program.Drain()
	case err = <-program.Failed():
	case err = <-ended:
		ended = nil
	}
	stop()
	// The service manager only shows it, so an error changes nothing.
	_ = notifySystemd(context.WithoutCancel(ctx), p.Environ, "STOPPING=1")
	if ended != nil {
		err = errors.Join(err, <-ended)
	}
	return errors.Join(err, program.Close())
}

// printReady prints the URLs of the server. It is the only line on standard
// output; the log goes to standard error.
func (p *Program) printReady(out io.Writer) error {
	_, err := fmt.Fprintf(out, "CoreRoller %s is ready: dashboard %s/  playground %s/playground  update URL %s\n",
		version, p.URL(), p.URL(), p.OmahaURL())
	return err
}
