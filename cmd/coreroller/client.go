package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// client sends GraphQL requests to a running server.
type client struct {
	url      string
	user     string
	password string
	token    string // instead of user and password
}

// The variables with credentials. They are no flags, because other users can see
// the arguments of a command.
const (
	secretPassword = "PASSWORD"
	secretToken    = "TOKEN"
)

const (
	clientTimeout = time.Minute
	maxAnswer     = 16 << 20
)

func (c *client) flags(f *pflag.FlagSet) {
	f.StringVar(&c.url, "url", localURL(defaultListen), "server URL")
	f.StringVar(&c.user, "user", "admin", "user who signs in")
}

// signIn takes the token or password from the environment, else asks for the
// password.
func (c *client) signIn(ctx context.Context, p process) error {
	secrets := environment(p.Environ)
	c.token, c.password = secrets[envPrefix+secretToken], secrets[envPrefix+secretPassword]
	if c.token != "" || c.password != "" {
		return nil
	}
	passwords, err := ask(ctx, p, "Password for "+c.user+": ")
	if err != nil {
		return fmt.Errorf("%w; set %s%s, or %s%s to a token of `coreroller user token`", err, envPrefix, secretPassword, envPrefix, secretToken)
	}
	c.password = passwords[0]
	return nil
}

// userError is why the server rejected a mutation.
type userError struct{ Field, Message string }

func (e userError) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// rejected returns the errors of a mutation as one, nil for none.
func rejected(all []userError) error {
	errs := make([]error, len(all))
	for i, e := range all {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// send sends a document and decodes its data into out.
func (c *client) send(ctx context.Context, document string, variables map[string]any, out any) error {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.url, "/")+"/graphql", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	} else {
		req.SetBasicAuth(c.user, c.password)
	}
	// A redirect could turn the POST into a GET.
	requester := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := requester.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	var parsed struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	switch problem := json.Unmarshal(answer, &parsed); {
	case resp.Header.Get("Location") != "":
		return fmt.Errorf("%s redirects to %s: set --url to that server", req.URL, resp.Header.Get("Location"))
	case problem == nil && len(parsed.Errors) > 0:
		return fmt.Errorf("%s answered: %s", c.url, parsed.Errors[0].Message)
	case problem != nil || resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s is no CoreRoller server: it answered %s", req.URL, resp.Status)
	}
	return json.Unmarshal(parsed.Data, out)
}
