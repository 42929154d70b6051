package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/store"
)

// commandPrincipal is the principal of the server's command line. It needs no
// credentials, because read access to the database already allows everything.
func commandPrincipal(name string) auth.Principal {
	return auth.Principal{Name: name, TeamID: catalog.DefaultTeamID(), Role: auth.Owner, Credential: auth.CredentialCommand}
}

func userCommand(p process) *cobra.Command {
	user := &cobra.Command{
		Use: "user", Short: "manage users, passwords and tokens",
		Long: "Works directly on the database, also while the server runs. The password is read from the terminal or from\n" +
			"the first line of standard input, because other users can see the arguments of a command.",
		Args: cobra.NoArgs,
	}
	var given rightFlags
	add := passwordCommand(p, "add NAME", "add a user, who must change the password at the first sign-in", "user %s was added\n",
		func(ctx context.Context, s *fleet.Service, name, password string) error {
			r, err := given.read(ctx, s)
			if err != nil {
				return err
			}
			in := account.CreateUser{Username: name, Password: password, TeamID: r.Team}
			in.Role, in.Grants = rightsOf(r.Team, r)
			_, err = s.Accounts.CreateUser(ctx, in)
			return err
		})
	given.add(add.Flags(), auth.Viewer.String())
	user.AddCommand(
		add,
		roleCommand(p),
		passwordCommand(p, "password NAME", "change the password of a user and end the user's sessions and tokens", "the password of %s was changed\n",
			func(ctx context.Context, s *fleet.Service, name, password string) error {
				return s.Accounts.SetPassword(ctx, account.SetPassword{Username: name, New: password})
			}),
		userTokenCommand(p),
		sessionsCommand(p),
		signOutCommand(p),
		serviceCommand("list", "list the users and what they may do", func(ctx context.Context, s *fleet.Service, _ []string) error { return listUsers(ctx, s, p.Stdout) }),
	)
	return user
}

// serviceCommand returns a subcommand that works on the database.
func serviceCommand(use, short string, run func(ctx context.Context, s *fleet.Service, args []string) error) *cobra.Command {
	return databaseCommand(use, short, func(cmd *cobra.Command, c *Config, database string) (err error) {
		ctx := auth.With(cmd.Context(), commandPrincipal("coreroller "+cmd.Parent().Name()))
		s, err := store.Open(ctx, store.Options{URL: database, Log: discard()})
		if err != nil {
			return c.explainOpen(err)
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		service, err := newService(ctx, s)
		if err != nil {
			return err
		}
		defer service.Close()
		return run(ctx, service, cmd.Flags().Args())
	})
}

// accountCommand returns a subcommand that works on the accounts in the database. Its
// argument is the name of a user.
func accountCommand(use, short string, run func(ctx context.Context, s *account.Service, name string) error) *cobra.Command {
	return serviceCommand(use, short, func(ctx context.Context, s *fleet.Service, args []string) error { return run(ctx, s.Accounts, args[0]) })
}

// passwordCommand returns a subcommand that takes a user name and a password, and
// prints done with the name.
func passwordCommand(p process, use, short, done string, run func(ctx context.Context, s *fleet.Service, name, password string) error) *cobra.Command {
	cmd := serviceCommand(use, short, func(ctx context.Context, s *fleet.Service, args []string) error {
		name := args[0]
		password, err := readPassword(ctx, p, name)
		if err != nil {
			return err
		}
		if err := run(ctx, s, name, password); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.Stdout, done, name)
		return err
	})
	cmd.Args = oneName("; the password is read from the terminal or from standard input")
	return cmd
}

// roleCommand changes the rights of a user.
func roleCommand(p process) *cobra.Command {
	var given rightFlags
	cmd := serviceCommand("role NAME", "change what a user may do, also in open sessions",
		func(ctx context.Context, s *fleet.Service, args []string) error {
			r, err := given.read(ctx, s)
			if err != nil {
				return err
			}
			user, err := s.Accounts.User(ctx, args[0])
			if err != nil {
				return err
			}
			in := account.UpdateUser{ID: user.ID}
			in.Role, in.Grants = rightsOf(user.TeamID, r)
			if user, err = s.Accounts.UpdateUser(ctx, in); err != nil {
				return err
			}
			places, err := s.Accounts.Places(ctx)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Stdout, "%s is %s\n", user.Username, places.Rights(ctx, user))
			return err
		})
	given.add(cmd.Flags(), "")
	_ = cmd.MarkFlagRequired("role") // the flag exists
	cmd.Args = oneName("")
	return cmd
}

// oneName checks that the only argument is the name of a user.
func oneName(hint string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("expected one argument, the user name%s", hint)
		}
		return nil
	}
}

// sessionsCommand lists the signed-in browsers of a user.
func sessionsCommand(p process) *cobra.Command {
	cmd := accountCommand("sessions NAME", "list the signed-in browsers of a user", func(ctx context.Context, s *account.Service, name string) error {
		user, err := s.User(ctx, name)
		if err != nil {
			return err
		}
		sessions, err := s.Sessions(ctx, &user.ID)
		if err != nil {
			return err
		}
		for _, b := range sessions {
			seen := "unknown"
			if b.LastSeenAt != nil {
				seen = b.LastSeenAt.Format(time.RFC3339)
			}
			if _, err := fmt.Fprintf(p.Stdout, "signed in %s  last seen %s  %-15s  %s\n", b.CreatedAt.Format(time.RFC3339), seen, visible(b.Address), visible(b.UserAgent)); err != nil {
				return err
			}
		}
		return nil
	})
	cmd.Args = oneName("")
	return cmd
}

// signOutCommand signs out all browsers of a user. The user's tokens stay.
func signOutCommand(p process) *cobra.Command {
	cmd := accountCommand("signout NAME", "sign out all browsers of a user; tokens stay", func(ctx context.Context, s *account.Service, name string) error {
		user, err := s.User(ctx, name)
		if err != nil {
			return err
		}
		ended, err := s.EndOtherSessions(ctx, account.EndOtherSessions{UserID: &user.ID})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.Stdout, "%d sessions of %s ended\n", ended, name)
		return err
	})
	cmd.Args = oneName("")
	return cmd
}

// newService returns a fleet service for one operation. It creates the default
// team in a new database.
func newService(ctx context.Context, s *store.Store) (*fleet.Service, error) {
	host, err := newClock(ctx, s, time.Now, discard())
	if err != nil {
		return nil, err
	}
	service, err := fleet.New(ctx, fleet.Options{Store: s, Clock: host, Log: discard()})
	if err != nil {
		return nil, err
	}
	if err := service.Preinstall(ctx); err != nil {
		service.Close()
		return nil, err
	}
	return service, nil
}

func listUsers(ctx context.Context, s *fleet.Service, out io.Writer) error {
	users, err := s.Accounts.Users(ctx)
	if err != nil {
		return err
	}
	places, err := s.Accounts.Places(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		note := ""
		if u.MustChangePassword {
			note = "  must change the password"
		}
		if _, err := fmt.Fprintf(out, "%-20s %s  created %s%s\n", visible(u.Username), places.Rights(ctx, u), u.CreatedAt.Format(time.DateOnly), note); err != nil {
			return err
		}
	}
	return nil
}

// readPassword asks for a new password twice on a terminal. Without a terminal it
// reads the first line of standard input.
func readPassword(ctx context.Context, p process, name string) (string, error) {
	passwords, err := ask(ctx, p, "Password for "+name+": ", "Repeat the password: ")
	if err != nil {
		return "", err
	}
	if passwords[0] != passwords[len(passwords)-1] {
		return "", errors.New("the passwords do not match")
	}
	return passwords[0], nil
}

// ask reads one password for each prompt on a terminal. Without a terminal it reads
// only the first line of standard input.
func ask(ctx context.Context, p process, prompts ...string) ([]string, error) {
	terminal := int(p.Stdin.Fd())
	state, err := term.GetState(terminal)
	if err != nil {
		line, err := firstLine(p.Stdin)
		return []string{line}, err
	}
	// A signal does not end ReadPassword, so the terminal is restored separately.
	defer context.AfterFunc(ctx, func() { _ = term.Restore(terminal, state) })()
	var passwords []string
	for _, prompt := range prompts {
		_, _ = fmt.Fprint(p.Stderr, prompt)
		password, err := term.ReadPassword(terminal)
		_, _ = fmt.Fprintln(p.Stderr)
		if err != nil {
			return nil, fmt.Errorf("read the secret: %w", err)
		}
		passwords = append(passwords, string(password))
	}
	return passwords, nil
}

func firstLine(in *os.File) (string, error) {
	line, err := bufio.NewReader(in).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	switch {
	case line != "":
		return line, nil
	case err == nil, errors.Is(err, io.EOF):
		return "", errors.New("standard input contains no password or token")
	default:
		return "", fmt.Errorf("read the secret: %w", err)
	}
}
