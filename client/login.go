package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client/api"
)

// maxToken is far more than a token has.
const maxToken = 4 << 10

func loginCommand(t Terminal) *cobra.Command {
	var name, tokenFile, caFile string
	cmd := t.local("login URL", "sign in on a server with an API token", `
Checks a token and keeps it in the configuration folder of the user, in a file that only
the user can read. The server becomes the current context.

Make a token on the page Settings, API tokens, or on the server by "coreroller token create".
It is read from the terminal, from --token-file, from `+tokenVariable+`, or from the first line of
standard input.

`+serverVariable+` and `+tokenVariable+` replace the current context, for scripts: they need no login.`,
		`  coreroller login https://updates.example.com
  coreroller login https://updates.example.com --context production --token-file token.txt
  vault read -field=token secret/ci | coreroller login https://updates.example.com`,
		func(cmd *cobra.Command, args []string) error {
			address, err := serverURL(args[0])
			if err != nil {
				return err
			}
			if caFile != "" {
				if caFile, err = filepath.Abs(caFile); err != nil {
					return err
				}
			}
			token, err := t.token(cmd.Context(), tokenFile, address)
			if err != nil {
				return err
			}
			return t.login(cmd.Context(), login{Name: name, Server: address, Token: token, CAFile: caFile})
		})
	f := cmd.Flags()
	f.StringVar(&name, "context", "", "name for the server; default: its host and port")
	f.StringVar(&tokenFile, "token-file", "", "file with the token, - for standard input")
	f.StringVar(&caFile, "ca-file", "", "file with the certificates that the server's may be signed by; default: those of the system")
	return cmd
}

// token reads the token of a login.
func (t Terminal) token(ctx context.Context, file, address string) (string, error) {
	var token string
	var err error
	switch value := t.variable(tokenVariable); {
	case file == "-":
		token, err = firstLine(t.Stdin)
	case file != "":
		var f *os.File
		if f, err = os.Open(file); err != nil { //nolint:gosec // G304: the user names the file
			return "", fmt.Errorf("--token-file: %w", err)
		}
		defer func() { _ = f.Close() }()
		token, err = firstLine(f)
	case value != "":
		token = value
	default:
		token, err = t.Ask(ctx, "Token for "+address+": ")
	}
	token = strings.TrimSpace(token)
	if err == nil && token == "" {
		err = errors.New("the token is empty: make one on the page Settings, API tokens")
	}
	return token, err
}

func firstLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, maxToken)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return line, err
}

// login checks a token and keeps it.
func (t Terminal) login(ctx context.Context, l login) error {
	server := &api.Server{URL: l.Server, Token: l.Token, CAFile: l.CAFile}
	defer server.Close()
	var answer struct {
		Me         *struct{ Username, Role string }
		ServerInfo struct{ Version string }
	}
	err := server.Do(ctx, `{ me { username role } serverInfo { version } }`, nil, &answer)
	if api.Code(err) == api.Unauthenticated || err == nil && answer.Me == nil {
		return fmt.Errorf("%s does not accept the token: it was mistyped, revoked, or has expired; nothing was kept", l.Server)
	}
	if err != nil {
		return err
	}
	if l.Name == "" {
		u, err := url.Parse(l.Server)
		if err != nil {
			return err
		}
		l.Name = u.Host
	}
	all, err := readContexts()
	if err != nil {
		return err
	}
	l.User = answer.Me.Username
	all.add(l)
	if err := all.write(); err != nil {
		return fmt.Errorf("keep the token: %w", err)
	}
	if unencrypted(l.Server) {
		_, _ = fmt.Fprintln(t.Stderr, "coreroller: warning: the token is sent unencrypted to another machine; use https://")
	}
	newPrinter(t, "table").line("Signed in on %s as %s (%s), server %s, context %s.",
		l.Server, l.User, enum(answer.Me.Role), answer.ServerInfo.Version, l.Name)
	return nil
}

func logoutCommand(t Terminal) *cobra.Command {
	var name string
	cmd := t.local("logout", "delete the token of a server from this machine", `
Deletes the current context, or the one that --context names, with its token. The token stays
valid: revoke it on the page Settings, API tokens, or on the server by "coreroller token revoke".`,
		"  coreroller logout\n  coreroller logout --context production",
		func(*cobra.Command, []string) error {
			all, err := readContexts()
			if err != nil {
				return err
			}
			if name == "" {
				name = all.Current
			}
			if name == "" {
				return usage("no server is chosen: name one by --context; coreroller context list shows them")
			}
			return t.deleteContext(all, name)
		})
	cmd.Flags().StringVar(&name, "context", "", "name of the server; default: the current one")
	return cmd
}

func (t Terminal) deleteContext(all *contexts, name string) error {
	l, err := all.named(name)
	if err != nil {
		return err
	}
	server := l.Server
	all.remove(name)
	if err := all.write(); err != nil {
		return err
	}
	newPrinter(t, "table").line("The token for %s was deleted from this machine. It stays valid until it is revoked.", server)
	return nil
}

func contextCommand(t Terminal) *cobra.Command {
	list := t.local("list", "list the servers where you are signed in", "", "  coreroller context list",
		func(*cobra.Command, []string) error {
			all, err := readContexts()
			if err != nil {
				return err
			}
			rows := make([][]any, len(all.All))
			for i, l := range all.All {
				mark := ""
				if l.Name == all.Current {
					mark = "*"
				}
				rows[i] = []any{ink{mark, green}, l.Name, l.Server, l.User}
			}
			newPrinter(t, "table").table([]string{"", "NAME", "SERVER", "USER"}, rows)
			return nil
		})
	use := t.local("use NAME", "choose the current server", "", "  coreroller context use production",
		func(_ *cobra.Command, args []string) error {
			all, err := readContexts()
			if err != nil {
				return err
			}
			l, err := all.named(args[0])
			if err != nil {
				return err
			}
			all.Current = l.Name
			if err := all.write(); err != nil {
				return err
			}
			newPrinter(t, "table").line("Commands now run on %s.", l.Server)
			return nil
		})
	remove := t.local("delete NAME", "delete a server and its token from this machine", "", "  coreroller context delete production",
		func(_ *cobra.Command, args []string) error {
			all, err := readContexts()
			if err != nil {
				return err
			}
			return t.deleteContext(all, args[0])
		})
	return parent("context", "list and choose the servers where you are signed in", list, use, remove)
}
