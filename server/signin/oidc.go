package signin

import (
	"cmp"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OIDC configures sign-in with an OpenID Connect provider: the authorization code flow with PKCE.
type OIDC struct {
	Title        string // of the button
	IssuerURL    string // exactly as the provider writes it
	ClientID     string
	ClientSecret string // "" for a public client
	Scopes       []string
	UserClaim    string // of the user name
	RolesClaim   string // path of the claim with the values of the rules
	Rules        []Rule
	IssuerCA     []byte // certificates in PEM, besides those of the system
}

// openID is an OIDC provider. Its configuration is read at the first sign-in, so that the server
// starts without the provider.
type openID struct {
	OIDC
	client *http.Client
	now    func() time.Time

	mu     sync.Mutex
	found  *discovered
	failed error // of the last try, for discoveryPause
	until  time.Time
}

// discovered is what the provider publishes about itself.
type discovered struct {
	provider *oidc.Provider
	endURL   string
	style    oauth2.AuthStyle // of this server at the token endpoint
}

// discoveryPause is the least time between two tries to read the configuration of a provider.
const discoveryPause = 5 * time.Second

func newOIDC(o OIDC, now func() time.Time) (*openID, error) {
	o.UserClaim = cmp.Or(o.UserClaim, "preferred_username")
	o.RolesClaim = cmp.Or(o.RolesClaim, "groups")
	o.Title = cmp.Or(o.Title, "Single sign-on")
	if !slices.Contains(o.Scopes, oidc.ScopeOpenID) {
		o.Scopes = append([]string{oidc.ScopeOpenID}, o.Scopes...)
	}
	client, err := httpClient(o.IssuerCA)
	if err != nil {
		return nil, err
	}
	return &openID{OIDC: o, client: client, now: now}, nil
}

// httpClient returns a client that also trusts the certificates ca, in PEM.
func httpClient(ca []byte) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented
	if len(ca) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(ca) {
			return nil, errors.New("the file of certificates has none in PEM format")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Timeout: requestTimeout, Transport: transport}, nil
}

func (p *openID) ID() string   { return "oidc" }
func (p *openID) Name() string { return p.Title }

func (p *openID) Issuer() string { return p.IssuerURL }

func (p *openID) Mapping() Mapping { return Mapping{Rules: p.Rules} }

// discover returns the configuration of the provider.
func (p *openID) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if p.failed != nil && p.now().Before(p.until) {
		return nil, p.failed
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.IssuerURL)
	if err != nil {
		p.failed, p.until = fmt.Errorf("read the configuration of the issuer: %w", err), p.now().Add(discoveryPause)
		return nil, p.failed
	}
	var more struct {
		EndSession string   `json:"end_session_endpoint"`
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, err
	}
	d := &discovered{provider: provider, endURL: more.EndSession, style: oauth2.AuthStyleInHeader}
	// Never both, one after the other: the first could use up the code.
	if p.ClientSecret == "" || slices.Contains(more.Methods, "client_secret_post") {
		d.style = oauth2.AuthStyleInParams
	}
	p.found = d
	return d, nil
}

func (p *openID) config(d *discovered, callback string) *oauth2.Config {
	endpoint := d.provider.Endpoint()
	endpoint.AuthStyle = d.style
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: endpoint, RedirectURL: callback, Scopes: p.Scopes}
}

func (p *openID) Begin(ctx context.Context, a attempt, callback string) (string, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	return p.config(d, callback).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

func (p *openID) Finish(ctx context.Context, a attempt, callback, code string) (person, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return person{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.config(d, callback).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return person{}, refusal(err)
	}
	raw, id, err := p.verify(ctx, d, token)
	if err != nil {
		return person{}, err
	}
	if id == nil {
		return person{}, fmt.Errorf("%w: it has no ID token", errUntrusted)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return person{}, fmt.Errorf("%w: the nonce of the ID token is that of another sign-in", errUntrusted)
	}
	return p.person(ctx, d, token, raw, id)
}

func (p *openID) Again(ctx context.Context, who person) (person, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return person{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.config(d, "").TokenSource(ctx, &oauth2.Token{RefreshToken: who.secret}).Token()
	if err != nil {
		return person{}, refusal(err)
	}
	raw, id, err := p.verify(ctx, d, token)
	if err != nil {
		return person{}, err
	}
	if id == nil {
		who.secret, who.Known = token.RefreshToken, false
		return who, nil
	}
	now, err := p.person(ctx, d, token, raw, id)
	if err == nil && (now.Subject != who.Subject || now.Issuer != who.Issuer) {
		err = fmt.Errorf("%w: the refreshed ID token is that of another person", errRefused)
	}
	return now, err
}

// verify checks the ID token: signature, issuer, audience and times. It returns nil if there is
// none.
func (p *openID) verify(ctx context.Context, d *discovered, token *oauth2.Token) (raw string, id *oidc.IDToken, err error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return "", nil, nil
	}
	earlier := func() time.Time { return p.now().Add(-clockSkew) }
	id, err = d.provider.VerifierContext(ctx, &oidc.Config{ClientID: p.ClientID, Now: earlier}).Verify(ctx, raw)
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", errUntrusted, err)
	}
	var more struct {
		AuthorizedParty string `json:"azp"`
	}
	switch err := id.Claims(&more); {
	case err != nil:
		return "", nil, fmt.Errorf("%w: %w", errUntrusted, err)
	case id.Subject == "" || len(id.Subject) > maxSubject:
		return "", nil, fmt.Errorf("%w: the ID token has no usable subject", errUntrusted)
	case len(id.Audience) > 1 && more.AuthorizedParty != p.ClientID:
		return "", nil, fmt.Errorf("%w: the ID token was issued to another client", errUntrusted)
	case id.IssuedAt.After(p.now().Add(clockSkew)):
		return "", nil, fmt.Errorf("%w: the ID token was issued in the future; compare the clocks", errUntrusted)
	}
	return raw, id, nil
}

// maxSubject is the length that OpenID Connect allows.
const maxSubject = 255

// person reads the claims of the ID token, and from the userinfo endpoint those that it lacks.
func (p *openID) person(ctx context.Context, d *discovered, token *oauth2.Token, raw string, id *oidc.IDToken) (person, error) {
	var all claims
	if err := id.Claims(&all); err != nil {
		return person{}, fmt.Errorf("%w: %w", errUntrusted, err)
	}
	_, roles := all.at(p.RolesClaim)
	if (!roles || all.username(p.UserClaim) == "") && d.provider.UserInfoEndpoint() != "" {
		info, err := d.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return person{}, err
		}
		if info.Subject != id.Subject {
			return person{}, fmt.Errorf("%w: the userinfo endpoint answered about another person", errUntrusted)
		}
		var more claims
		if err := info.Claims(&more); err != nil {
			return person{}, fmt.Errorf("%w: %w", errUntrusted, err)
		}
		for name, value := range more {
			if _, there := all[name]; !there {
				all[name] = value
			}
		}
	}
	return person{
		Issuer: id.Issuer, Subject: id.Subject, Username: all.username(p.UserClaim), Values: all.texts(p.RolesClaim), Known: true,
		secret: token.RefreshToken, hint: raw,
	}, nil
}

// EndURL returns the page of OpenID Connect RP-Initiated Logout 1.0.
func (p *openID) EndURL(who person) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil || p.found.endURL == "" {
		return ""
	}
	u, err := url.Parse(p.found.endURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.ClientID)
	q.Set("id_token_hint", who.hint)
	u.RawQuery = q.Encode()
	return u.String()
}

// refusal wraps errRefused around the error of a token endpoint that means the person: others,
// such as a wrong client secret, are faults.
func refusal(err error) error {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		if slices.Contains([]string{"invalid_grant", "access_denied", "bad_verification_code", "bad_refresh_token"}, e.ErrorCode) {
			return fmt.Errorf("%w: %s", errRefused, e.ErrorCode)
		}
		return fmt.Errorf("the token endpoint answered with the error %q", cmp.Or(e.ErrorCode, e.Response.Status))
	}
	return err
}
