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

// commandPrincipal is the principal of the server's command line. It needs no
// credentials, because read access to the database already allows everything.
func commandPrincipal(name string) auth.Principal {
	return auth.Principal{Name: name, TeamID: catalog.DefaultTeamID(), Credential: auth.CredentialCommand}
}

func userCommand(p process) *cobra.Command {
	user := &cobra.Command{
		Use: "user", Short: "manage users, passwords and tokens",
		Long: "Works directly on the database, also while the server runs. The password is read from the terminal or from\n" +
			"the first line of standard input, because other users can see the arguments of a command.",
		Args: cobra.NoArgs,
	}
	user.AddCommand(
		passwordCommand(p, "add NAME", "add a user, who must change the password at the first sign-in",
			func(ctx context.Context, s *fleet.Service, name, password string) error {
				if _, err := s.Accounts.CreateUser(ctx, account.CreateUser{Username: name, Password: password}); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.Stdout, "user %s was added\n", name)
				return err
			}),
		passwordCommand(p, "password NAME", "change the password of a user and end the user's sessions",
			func(ctx context.Context, s *fleet.Service, name, password string) error {
				if err := s.Accounts.SetPassword(ctx, account.SetPassword{Username: name, New: password}); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.Stdout, "the password of %s was changed\n", name)
				return err
			}),
		tokenCommand(p),
		databaseCommand("list", "list the users", func(cmd *cobra.Command, c *Config, database string) error {
			return c.withStore(cmd.Context(), database, func(s *store.Store) error { return listUsers(cmd.Context(), s, p.Stdout) })
		}),
	)
	return user
}

// passwordCommand returns a subcommand that takes a user name and a password.
func passwordCommand(p process, use, short string, run func(ctx context.Context, s *fleet.Service, name, password string) error) *cobra.Command {
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
	cmd.Args = oneName(&name, "; the password is read from the terminal or from standard input")
	return cmd
}

// oneName reads the only argument, the name of a user.
func oneName(name *string, hint string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("expected one argument, the user name%s", hint)
		}
		*name = args[0]
		return nil
	}
}

// tokenCommand creates a token for a script and prints only the token to standard
// output.
func tokenCommand(p process) *cobra.Command {
	var name string
	var life time.Duration
	cmd := databaseCommand("token NAME", "create a token for scripts; it is valid until it expires or the user's password changes", func(cmd *cobra.Command, c *Config, database string) error {
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
			_, _ = fmt.Fprintf(p.Stderr, "send the token in the header \"Authorization: Bearer ...\"; it is valid until %s\n", expires.Format(time.RFC3339))
			_, err = fmt.Fprintln(p.Stdout, token)
			return err
		})
	})
	cmd.Flags().DurationVar(&life, "for", 90*24*time.Hour, "lifetime of the token")
	cmd.Args = oneName(&name, "")
	return cmd
}

// newService returns a fleet service for one operation. It creates the default
// team in a new database.
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
			note = "  must change the password"
		}
		if _, err := fmt.Fprintf(out, "%-20s created %s%s\n", u.Username, u.CreatedAt.Format(time.DateOnly), note); err != nil {
			return err
		}
	}
	return nil
}

// readPassword asks for the password twice on a terminal. Without a terminal it
// reads the first line of standard input.
func readPassword(ctx context.Context, p process, name string) (string, error) {
	in := bufio.NewReader(p.Stdin)
	if info, err := p.Stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return readLine(in)
	}
	// stty exists on every system with a terminal. If it fails, the password is
	// visible while it is typed.
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
	for i, prompt := range []string{"Password for " + name + ": ", "Repeat the password: "} {
		_, _ = fmt.Fprint(p.Stderr, prompt)
		line, err := readLine(in)
		_, _ = fmt.Fprintln(p.Stderr)
		if err != nil {
			return "", err
		}
		lines[i] = line
	}
	if lines[0] != lines[1] {
		return "", errors.New("the passwords do not match")
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
		return "", errors.New("standard input contains no password")
	}
	return line, nil
}
