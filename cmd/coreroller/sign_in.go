package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/coreroller/coreroller/server/signin"
)

// SignIn is the configuration of the identity providers.
type SignIn struct {
	OIDC       signin.OIDC
	OIDCSecret secretFlag
	OIDCCA     string // file

	GitHub       signin.GitHub
	GitHubSecret secretFlag
}

// secretFlag is a secret, or the file that has it.
type secretFlag struct{ value, file string }

func (s *secretFlag) flags(f *pflag.FlagSet, name, what string) {
	f.StringVar(&s.value, name, "", what+"; other users can see arguments, so use the variable or the file")
	f.StringVar(&s.file, name+"-file", "", "file with "+what+", on one line")
}

// read returns the secret.
func (s secretFlag) read(name string) (string, error) {
	if s.value != "" && s.file != "" {
		return "", fmt.Errorf("use --%s or --%s-file, not both", name, name)
	}
	if s.file == "" {
		return s.value, nil
	}
	text, err := os.ReadFile(s.file)
	if err != nil {
		return "", fmt.Errorf("--%s-file: %w", name, err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("--%s-file: %s must have the secret on one line", name, s.file)
	}
	return secret, nil
}

// rulesFlag is a flag with rules of signin. It may be repeated; a variable separates rules by
// semicolons or lines.
type rulesFlag []signin.Rule

func (r *rulesFlag) String() string {
	all := make([]string, len(*r))
	for i, rule := range *r {
		all[i] = rule.String()
	}
	return strings.Join(all, ";")
}

func (r *rulesFlag) Type() string { return "rule" }

func (r *rulesFlag) Set(text string) error {
	for part := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == ';' || c == '\n' }) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		rule, err := signin.ParseRule(part)
		if err != nil {
			return err
		}
		*r = append(*r, rule)
	}
	return nil
}

func (s *SignIn) flags(f *pflag.FlagSet) {
	f.StringVar(&s.OIDC.IssuerURL, "oidc-issuer", "", "URL of the OpenID Connect provider that users can sign in with; default: none")
	f.StringVar(&s.OIDC.ClientID, "oidc-client-id", "", "id of this server at the provider; its redirect URI is https://<this server>/auth/oidc/callback")
	s.OIDCSecret.flags(f, "oidc-client-secret", "the secret of this server at the provider")
	f.StringSliceVar(&s.OIDC.Scopes, "oidc-scopes", []string{"openid", "profile", "email"}, "scopes to ask for; Dex needs groups and offline_access, too")
	f.StringVar(&s.OIDC.Title, "oidc-name", "Single sign-on", "name of the provider, for the button")
	f.StringVar(&s.OIDC.UserClaim, "oidc-user-claim", "preferred_username", "claim with the user name; without it the email address is the name")
	f.StringVar(&s.OIDC.RolesClaim, "oidc-roles-claim", "groups", "claim with the groups or roles of a user, such as groups or realm_access.roles")
	f.Var((*rulesFlag)(&s.OIDC.Rules), "oidc-role",
		"VALUE=ROLE or VALUE=ROLE@TEAM: users with a value in the claim have a role on every team, or on one; repeatable; users without a match are refused")
	f.StringVar(&s.OIDCCA, "oidc-issuer-ca", "", "file with certificates in PEM that the provider's certificate may be signed by, besides those of the system")
	f.StringVar(&s.GitHub.ClientID, "github-client-id", "", "id of the OAuth app of this server at GitHub; its callback URL is https://<this server>/auth/github/callback; default: no sign-in with GitHub")
	s.GitHubSecret.flags(f, "github-client-secret", "the secret of the OAuth app")
	f.StringVar(&s.GitHub.URL, "github-url", "", "URL of GitHub Enterprise Server; default: https://github.com")
	f.Var((*rulesFlag)(&s.GitHub.Rules), "github-role",
		"ORG/TEAM=ROLE or ORG/TEAM=ROLE@TEAM, as --oidc-role, with the names in the address of the team's page; repeatable")
}

// providers checks the flags and returns the identity providers.
func (s SignIn) providers(now func() time.Time) ([]signin.Provider, error) {
	o, err := s.oidc()
	if err != nil {
		return nil, err
	}
	g, err := s.github()
	if err != nil {
		return nil, err
	}
	return signin.Providers(o, g, now)
}

// oidc returns nil if no flag is set.
func (s SignIn) oidc() (*signin.OIDC, error) {
	o := s.OIDC
	secret, err := s.OIDCSecret.read("oidc-client-secret")
	if err != nil {
		return nil, err
	}
	switch {
	case cmp.Or(o.IssuerURL, o.ClientID, secret, s.OIDCCA) == "" && len(o.Rules) == 0:
		return nil, nil //nolint:nilnil // no provider
	case o.IssuerURL == "" || o.ClientID == "":
		return nil, errors.New("sign-in with OpenID Connect needs --oidc-issuer and --oidc-client-id")
	case len(o.Rules) == 0:
		return nil, errors.New("no user could sign in with OpenID Connect: add --oidc-role, such as --oidc-role admins=admin")
	}
	o.ClientSecret = secret
	if s.OIDCCA != "" {
		if o.IssuerCA, err = os.ReadFile(s.OIDCCA); err != nil {
			return nil, fmt.Errorf("--oidc-issuer-ca: %w", err)
		}
	}
	return &o, nil
}

// github returns nil if no flag is set.
func (s SignIn) github() (*signin.GitHub, error) {
	g := s.GitHub
	secret, err := s.GitHubSecret.read("github-client-secret")
	if err != nil {
		return nil, err
	}
	switch {
	case cmp.Or(g.ClientID, secret, g.URL) == "" && len(g.Rules) == 0:
		return nil, nil //nolint:nilnil // no provider
	case g.ClientID == "" || secret == "":
		return nil, errors.New("sign-in with GitHub needs --github-client-id and --github-client-secret-file")
	case len(g.Rules) == 0:
		return nil, errors.New("no user could sign in with GitHub: add --github-role, such as --github-role example/ops=operator")
	}
	for _, r := range g.Rules {
		if org, team, ok := strings.Cut(r.Value, "/"); !ok || org == "" || team == "" {
			return nil, fmt.Errorf("--github-role: %q is not ORG/TEAM", r.Value)
		}
	}
	g.ClientSecret = secret
	return &g, nil
}
