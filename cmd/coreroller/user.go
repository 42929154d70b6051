package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/store"
)

// commandPrincipal is who the server's own command line is: whoever may read
// the database could do everything anyway.
func commandPrincipal(name string) auth.Principal {
	return auth.Principal{Name: name, TeamID: catalog.DefaultTeamID(), Credential: auth.CredentialCommand}
}

func userCommand(p process) *cobra.Command {
	user := &cobra.Command{
		Use: "user", Short: "add people, give them another password or a token, list them",
		Long: "Works on the database directly, also while the server runs. Passwords are asked for on the terminal,\n" +
			"or read as the first line of standard input; they are never arguments, which others can see.",
		Args: cobra.NoArgs,
	}
	user.AddCommand(
		userVerb(p, "add NAME", "add somebody; the password has to be changed at the first sign-in",
			func(ctx context.Context, s *fleet.Service, name, password string) error {
				if _, err := s.Accounts.CreateUser(ctx, account.CreateUser{Username: name, Password: password}); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.Stdout, "%s may sign in\n", name)
				return err
			}),
		userVerb(p, "password NAME", "give somebody another password and end that person's sessions",
			func(ctx context.Context, s *fleet.Service, name, password string) error {
				if err := s.Accounts.SetPassword(ctx, account.SetPassword{Username: name, New: password}); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.Stdout, "%s has another password\n", name)
				return err
			}),
		tokenCommand(p),
		databaseCommand("list", "list who may sign in", func(cmd *cobra.Command, c *Config, database string) error {
			return c.withStore(cmd.Context(), database, func(s *store.Store) error { return listUsers(cmd.Context(), s, p.Stdout) })
		}),
	)
	return user
}

// userVerb is a subcommand about one person and a password.
func userVerb(p process, use, short string, run func(ctx context.Context, s *fleet.Service, name, password string) error) *cobra.Command {
	var name string
	cmd := databaseCommand(use, short, func(cmd *cobra.Command, c *Config, database string) error {
		ctx := auth.With(cmd.Context(), commandPrincipal("coreroller user"))
		return c.withStore(ctx, database, func(s *store.Store) error {
			password, err := readPassword(ctx, p, name)
			if err != nil {
				return err
			}
			service, err := newService(ctx, s)
			if err != nil {
				return err
			}
			defer service.Close()
			return run(ctx, service, name, password)
		})
	})
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New("give one name, and nothing else: the password is read from the terminal or from standard input")
		}
		name = args[0]
		return nil
	}
	return cmd
}

// tokenCommand makes a token for a script and prints it, and nothing else, on
// standard output.
func tokenCommand(p process) *cobra.Command {
	var name string
	var life time.Duration
	cmd := databaseCommand("token NAME", "make a token with which a script acts as somebody, until the password changes", func(cmd *cobra.Command, c *Config, database string) error {
		ctx := auth.With(cmd.Context(), commandPrincipal("coreroller user"))
		return c.withStore(ctx, database, func(s *store.Store) error {
			service, err := newService(ctx, s)
			if err != nil {
				return err
			}
			defer service.Close()
			token, expires, err := service.Accounts.CreateToken(ctx, account.CreateToken{Username: name, Life: life})
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(p.Stderr, "send it as \"Authorization: Bearer ...\"; it is good until %s\n", expires.Format(time.RFC3339))
			_, err = fmt.Fprintln(p.Stdout, token)
			return err
		})
	})
	cmd.Flags().DurationVar(&life, "for", 90*24*time.Hour, "how long the token is good for")
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New("give one name, that of whom the script acts as")
		}
		name = args[0]
		return nil
	}
	return cmd
}

// newService is a fleet for one verb, on a database that has its team.
func newService(ctx context.Context, s *store.Store) (*fleet.Service, error) {
	service, err := fleet.New(ctx, fleet.Options{Store: s, Now: time.Now, Log: discard()})
	if err != nil {
		return nil, err
	}
	if err := service.Preinstall(ctx); err != nil {
		service.Close()
		return nil, err
	}
	return service, nil
}

func (c *Config) withStore(ctx context.Context, database string, f func(*store.Store) error) (err error) {
	s, err := store.Open(ctx, store.Options{URL: database, Log: discard()})
	if err != nil {
		return c.explainOpen(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return f(s)
}

func listUsers(ctx context.Context, s *store.Store, out io.Writer) error {
	users, err := s.Reader().User.Query().All(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		note := ""
		if u.MustChangePassword {
			note = "  has to change the password"
		}
		if _, err := fmt.Fprintf(out, "%-20s since %s%s\n", u.Username, u.CreatedAt.Format(time.DateOnly), note); err != nil {
			return err
		}
	}
	return nil
}

// readPassword asks for a password twice on a terminal, and else takes the
// first line of standard input.
func readPassword(ctx context.Context, p process, name string) (string, error) {
	in := bufio.NewReader(p.Stdin)
	if info, err := p.Stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return readLine(in)
	}
	// Not a library: stty is wherever there is a terminal, and when it is not,
	// the password is merely seen by whoever types it.
	stty := func(ctx context.Context, mode string) {
		cmd := exec.CommandContext(ctx, "stty", mode)
		cmd.Stdin = p.Stdin
		_ = cmd.Run()
	}
	stty(ctx, "-echo")
	undo := context.AfterFunc(ctx, func() { stty(context.WithoutCancel(ctx), "echo") })
	defer func() {
		if undo() {
			stty(context.WithoutCancel(ctx), "echo")
		}
	}()
	var lines [2]string
	for i, prompt := range []string{"Password for " + name + ": ", "Once more: "} {
		_, _ = fmt.Fprint(p.Stderr, prompt)
		line, err := readLine(in)
		_, _ = fmt.Fprintln(p.Stderr)
		if err != nil {
			return "", err
		}
		lines[i] = line
	}
	if lines[0] != lines[1] {
		return "", errors.New("the two passwords differ")
	}
	return lines[0], nil
}

func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return "", errors.New("no password was given on standard input")
	}
	return line, nil
}
