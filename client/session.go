package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coreroller/coreroller/client/api"
)

// The variables that replace the current context.
const (
	serverVariable = "COREROLLER_SERVER"
	tokenVariable  = "COREROLLER_TOKEN"
)

// connection is the server of a command line, and the form of its output.
type connection struct {
	terminal Terminal
	context  string
	server   string
	caFile   string
	output   string
}

func (c *connection) flags(cmd *cobra.Command) {
	c.serverFlags(cmd)
	cmd.Flags().StringVarP(&c.output, "output", "o", "table", "table, json or yaml")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
}

// serverFlags are those that choose the server.
func (c *connection) serverFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.context, "context", "", "name of the server, as shown by coreroller context list; default: the current one")
	f.StringVar(&c.server, "server", "", "URL of the server instead of a context, with the token in "+tokenVariable)
	f.StringVar(&c.caFile, "ca-file", "", "file with the certificates that the server's may be signed by; default: those of the system")
}

// session is a command that runs on a server.
type session struct {
	*api.Server
	*printer
	terminal Terminal
	from     string // where the token is from
}

// open returns the session of a command. It sends nothing.
func (c *connection) open(cmd *cobra.Command) (*session, error) {
	if err := checkFormat(c.output); err != nil {
		return nil, err
	}
	server, from, err := c.pick()
	if err != nil {
		return nil, err
	}
	if c.caFile != "" {
		server.CAFile = c.caFile
	}
	return &session{Server: server, printer: newPrinter(c.terminal, c.output), terminal: c.terminal, from: from}, nil
}

func checkFormat(output string) error {
	if output != "table" && output != "json" && output != "yaml" {
		return usage("--output is %q: use table, json or yaml", output)
	}
	return nil
}

// pick chooses the server: flags, then the environment, then the current context.
func (c *connection) pick() (*api.Server, string, error) {
	token := strings.TrimSpace(c.terminal.variable(tokenVariable))
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, "", usage("%s contains a space, a line break or another character that no token has", tokenVariable)
	}
	if c.server != "" && c.context != "" {
		return nil, "", usage("--server (%s) and --context both name a server: use one", serverVariable)
	}
	if c.server != "" && token != "" {
		address, err := serverURL(c.server)
		return &api.Server{URL: address, Token: token}, tokenVariable, err
	}
	all, err := readContexts()
	if err != nil {
		return nil, "", err
	}
	l, err := c.login(all)
	if err != nil {
		return nil, "", err
	}
	from := "context " + l.Name
	if token != "" {
		l.Token, from = token, tokenVariable
	}
	return &api.Server{URL: l.Server, Token: l.Token, CAFile: l.CAFile}, from, nil
}

// login returns the context that the command line means.
func (c *connection) login(all *contexts) (login, error) {
	switch {
	case c.server != "":
		address, err := serverURL(c.server)
		if err != nil {
			return login{}, err
		}
		for _, l := range all.All {
			if l.Server == address {
				return l, nil
			}
		}
		return login{}, usage("there is no token for %s: set %s, or run coreroller login %s", address, tokenVariable, address)
	case c.context != "":
		l, err := all.named(c.context)
		if err != nil {
			return login{}, err
		}
		return *l, nil
	}
	l := all.find(all.Current)
	switch {
	case l != nil:
		return *l, nil
	case len(all.All) > 0:
		return login{}, usage("no server is chosen: run coreroller context use NAME; coreroller context list shows them")
	default:
		return login{}, usage("you are signed in nowhere: run coreroller login URL, or set %s and %s", serverVariable, tokenVariable)
	}
}

// serverURL checks the address of a server.
func serverURL(text string) (string, error) {
	address, err := url.Parse(text)
	if err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https") {
		return "", usage("%q is no address of a server: use one such as https://updates.example.com", text)
	}
	if address.User != nil || address.RawQuery != "" || address.Fragment != "" {
		return "", usage("the address %s has more than host, port and path", address.Redacted())
	}
	return strings.TrimSuffix(address.String(), "/"), nil
}

// unencrypted reports whether the token crosses a network that others can read.
func unencrypted(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "localhost" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback()
}

// explain adds the next step to an error of the server.
func (s *session) explain(err error) error {
	switch api.Code(err) {
	case api.Unauthenticated:
		return fmt.Errorf("%w; the token is from %s: make a new one on the page Settings, API tokens, and run coreroller login %s", err, s.from, s.URL)
	case api.ApprovalRequired:
		if exit := new(Exit); errors.As(err, &exit) {
			return err
		}
		return &Exit{exitApproval, err}
	}
	return err
}

// page returns the address of a page of the dashboard.
func (s *session) page(parts ...string) string {
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return s.URL + "/" + strings.Join(parts, "/")
}

// read sends a query and prints its answer: as text by the function, or whole.
func read[T any](ctx context.Context, s *session, document string, variables map[string]any) (T, error) {
	var out T
	err := s.Do(ctx, document, variables, &out)
	return out, err
}
