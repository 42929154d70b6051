package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/coreroller/coreroller/client/api"
)

// signedIn sends GraphQL requests to a running server, as a user or with a token.
type signedIn struct {
	url    string
	user   string
	server api.Server
}

// The variables with credentials. They are no flags, because other users can see
// the arguments of a command.
const (
	secretPassword = "PASSWORD"
	secretToken    = "TOKEN"
)

func (c *signedIn) flags(f *pflag.FlagSet) {
	f.StringVar(&c.url, "url", localURL(defaultListen), "server URL")
	f.StringVar(&c.user, "user", "admin", "user who signs in")
}

// signIn takes the token or password from the environment, else asks for the
// password.
func (c *signedIn) signIn(ctx context.Context, p process) error {
	secrets := environment(p.Environ)
	c.server = api.Server{URL: c.url, User: c.user, Token: secrets[envPrefix+secretToken], Password: secrets[envPrefix+secretPassword]}
	if c.server.Token != "" || c.server.Password != "" {
		return nil
	}
	passwords, err := ask(ctx, p, "Password for "+c.user+": ")
	if err != nil {
		return fmt.Errorf("%w; set %s%s, or %s%s to a token of `coreroller user token`", err, envPrefix, secretPassword, envPrefix, secretToken)
	}
	c.server.Password = passwords[0]
	return nil
}

// send sends a document and decodes its data into out.
func (c *signedIn) send(ctx context.Context, document string, variables map[string]any, out any) error {
	return c.server.Do(ctx, document, variables, out)
}
