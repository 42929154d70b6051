package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
)

// defaultTokenLife is how long a token works by default: a quarter.
const defaultTokenLife = 90 * 24 * time.Hour

func tokenCommand(p process) *cobra.Command {
	token := &cobra.Command{
		Use: "token", Short: "manage API tokens",
		Long: "Works directly on the database, also while the server runs. A token acts for a user, within its role and\n" +
			"its applications and groups, and never beyond what the user may do.",
		Args: cobra.NoArgs,
	}
	token.AddCommand(createTokenCommand(p), listTokensCommand(p), revokeTokenCommand(p))
	return token
}

// tokenFlags are the flags of token create.
type tokenFlags struct {
	user, role           string
	applications, groups []string
	life                 time.Duration
}

func createTokenCommand(p process) *cobra.Command {
	var f tokenFlags
	cmd := serviceCommand("create NAME", "create a token and print its secret, this once",
		func(ctx context.Context, s *fleet.Service, args []string) error {
			name := args[0]
			in, err := f.input(s.Catalog(), name)
			if err != nil {
				return err
			}
			return createToken(ctx, p, s.Accounts, in)
		})
	cmd.Flags().StringVar(&f.user, "user", "", "user that the token acts for")
	cmd.Flags().StringVar(&f.role, "role", "", "viewer, operator, publisher, admin, or owner; default: all that the user may do")
	cmd.Flags().StringArrayVar(&f.applications, "application", nil, "name or id of an application that the token is for; can be repeated; default: all that the user sees")
	cmd.Flags().StringArrayVar(&f.groups, "group", nil, "a group that the token is for: its id, or APPLICATION/GROUP; with one --application also its name; can be repeated")
	cmd.Flags().DurationVar(&f.life, "for", defaultTokenLife, "lifetime of the token")
	_ = cmd.MarkFlagRequired("user") // the flag exists
	cmd.Args = oneArgument("the name of the token")
	return cmd
}

// input returns what the flags ask for. With groups, --application only says where they
// are.
func (f *tokenFlags) input(c *catalog.Catalog, name string) (in account.CreateToken, err error) {
	in = account.CreateToken{Username: f.user, Name: name, ExpiresAt: time.Now().Add(f.life)}
	if f.role != "" {
		if in.Role, err = auth.ParseRole(f.role); err != nil {
			return in, fmt.Errorf("--role: %w", err)
		}
	}
	for _, text := range f.groups {
		application, group, ok := strings.Cut(text, "/")
		if !ok && len(f.applications) == 1 {
			application, group = f.applications[0], text
		}
		id, err := findGroup(c, application, group)
		if err != nil {
			return in, err
		}
		in.GroupIDs = append(in.GroupIDs, id)
	}
	if len(f.groups) > 0 {
		return in, nil
	}
	for _, text := range f.applications {
		app := findApplication(c, text)
		if app == nil {
			return in, fmt.Errorf("--application: there is no application %q", text)
		}
		in.ApplicationIDs = append(in.ApplicationIDs, app.ID)
	}
	return in, nil
}

func findApplication(c *catalog.Catalog, text string) *catalog.App {
	for _, id := range c.Apps() {
		if app := c.App(id); app.Name == text || id.String() == text {
			return app
		}
	}
	return nil
}

// findGroup returns the id of a group by its id, or by the names of the application and
// of the group.
func findGroup(c *catalog.Catalog, application, group string) (uuid.UUID, error) {
	for _, g := range c.Groups(func(g *catalog.Group) bool { return g.ID.String() == application || g.ID.String() == group }) {
		return g.ID, nil
	}
	if app := findApplication(c, application); app != nil {
		for _, g := range app.Groups {
			if g.Name == group {
				return g.ID, nil
			}
		}
	}
	return uuid.Nil, fmt.Errorf("--group: there is no group %q of an application %q; use APPLICATION/GROUP", group, application)
}

// createToken creates a token and prints only its secret to standard output.
func createToken(ctx context.Context, p process, s *account.Service, in account.CreateToken) error {
	row, secret, err := s.CreateToken(ctx, in)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(p.Stderr, "send the token %s in the header \"Authorization: Bearer ...\"; it is valid until %s\n", row.Name, row.ExpiresAt.Format(time.RFC3339))
	_, err = fmt.Fprintln(p.Stdout, secret)
	return err
}

func listTokensCommand(p process) *cobra.Command {
	return serviceCommand("list", "list the tokens of all users", func(ctx context.Context, s *fleet.Service, _ []string) error {
		tokens, err := s.Accounts.Tokens(ctx, true)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			used := "never used"
			if t.LastUsedAt != nil {
				used = "last used " + t.LastUsedAt.Format(time.RFC3339) + " from " + visible(t.LastUsedAddress)
			}
			_, err := fmt.Fprintf(p.Stdout, "%-20s %s…%s  of %s  %s  until %s  %s\n", t.Name, auth.TokenPrefix, t.Ending, visible(t.Edges.User.Username),
				grantsText(s.Catalog(), t.Grants), t.ExpiresAt.Format(time.DateOnly), used)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func grantsText(c *catalog.Catalog, grants []auth.Grant) string {
	parts := make([]string, len(grants))
	for i, g := range grants {
		parts[i] = grantText(c, g)
	}
	return strings.Join(parts, ", ")
}

// grantText describes a grant: "operator of agent/prod".
func grantText(c *catalog.Catalog, g auth.Grant) string {
	app := c.App(g.Application)
	group := c.Group(g.Group)
	switch {
	case group != nil:
		return fmt.Sprintf("%s of %s/%s", g.Role, group.App.Name, group.Name)
	case g.Group != uuid.Nil:
		return g.Role.String() + " of a deleted group"
	case app != nil:
		return fmt.Sprintf("%s of %s", g.Role, app.Name)
	case g.Application != uuid.Nil:
		return g.Role.String() + " of a deleted application"
	case g.Role == auth.Owner:
		return "all that the user may do"
	}
	return g.Role.String()
}

func revokeTokenCommand(p process) *cobra.Command {
	var user string
	cmd := serviceCommand("revoke NAME", "revoke a token; its open subscriptions end at once",
		func(ctx context.Context, s *fleet.Service, args []string) error {
			name := args[0]
			tokens, err := s.Accounts.Tokens(ctx, true)
			if err != nil {
				return err
			}
			for _, t := range tokens {
				if t.Name == name && t.Edges.User.Username == user {
					if err := s.Accounts.RevokeToken(ctx, account.RevokeToken{ID: t.ID}); err != nil {
						return err
					}
					_, err := fmt.Fprintf(p.Stdout, "token %s of %s was revoked\n", name, user)
					return err
				}
			}
			return fmt.Errorf("user %s has no token %s", user, name)
		})
	cmd.Flags().StringVar(&user, "user", "", "user that the token acts for")
	_ = cmd.MarkFlagRequired("user") // the flag exists
	cmd.Args = oneArgument("the name of the token")
	return cmd
}

// userTokenCommand is the short form of token create: a token for all that a user may do.
func userTokenCommand(p process) *cobra.Command {
	var life time.Duration
	cmd := accountCommand("token NAME", "create a token for all that a user may do; see also coreroller token create",
		func(ctx context.Context, s *account.Service, name string) error {
			in := account.CreateToken{Username: name, Name: "cli-" + uuid.NewString()[:8], ExpiresAt: time.Now().Add(life)}
			return createToken(ctx, p, s, in)
		})
	cmd.Flags().DurationVar(&life, "for", defaultTokenLife, "lifetime of the token")
	cmd.Args = oneName("")
	return cmd
}

// oneArgument checks that there is one argument.
func oneArgument(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New("expected one argument, " + what)
		}
		return nil
	}
}
