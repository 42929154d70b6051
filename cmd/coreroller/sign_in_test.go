package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSignInFlags(t *testing.T) {
	secret, empty := filepath.Join(t.TempDir(), "secret"), filepath.Join(t.TempDir(), "empty")
	for name, text := range map[string]string{secret: "s3cret\n", empty: "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	oidc := []string{"--oidc-issuer", "https://id.example.com", "--oidc-client-id", "c"}
	github := []string{"--github-client-id", "c", "--github-client-secret-file", secret}
	for _, c := range []struct {
		name    string
		args    []string
		environ []string
		want    string // ids of the providers, or a part of the error
	}{
		{name: "none", want: ""},
		{name: "OpenID Connect", args: append(oidc, "--oidc-role", "a=admin"), want: "oidc"},
		{name: "GitHub", args: append(github, "--github-role", "a/b=admin"), want: "github"},
		{name: "both", args: append(append(oidc, github...), "--oidc-role", "a=admin", "--github-role", "a/b=viewer@edge"), want: "oidc github"},
		{name: "rules in a variable", args: oidc, environ: []string{"COREROLLER_OIDC_ROLE=a=admin; b=viewer@edge\nc=owner"}, want: "oidc"},
		{name: "no issuer", args: []string{"--oidc-role", "a=admin"}, want: "needs --oidc-issuer"},
		{name: "no client", args: []string{"--oidc-issuer", "https://id.example.com"}, want: "needs --oidc-issuer and --oidc-client-id"},
		{name: "no rule", args: oidc, want: "no user could sign in with OpenID Connect"},
		{name: "no rule of GitHub", args: github, want: "no user could sign in with GitHub"},
		{name: "no secret of GitHub", args: []string{"--github-client-id", "c"}, want: "--github-client-secret-file"},
		{name: "no team", args: append(github, "--github-role", "a=admin"), want: "is not ORG/TEAM"},
		{name: "wrong rule", args: append(oidc, "--oidc-role", "a=boss"), want: "not of the form VALUE=ROLE"},
		{name: "no TLS", args: []string{"--oidc-issuer", "http://id.example.com", "--oidc-client-id", "c", "--oidc-role", "a=admin"}, want: "must begin with https://"},
		{name: "secret twice", args: append(oidc, "--oidc-client-secret", "a", "--oidc-client-secret-file", secret), want: "not both"},
		{name: "empty file", args: append(oidc, "--oidc-client-secret-file", empty), want: "on one line"},
		{name: "no file", args: append(oidc, "--oidc-client-secret-file", "/none"), want: "--oidc-client-secret-file"},
		{name: "no certificates", args: append(oidc, "--oidc-role", "a=admin", "--oidc-issuer-ca", secret), want: "none in PEM"},
	} {
		config, err := parse(t, c.environ, c.args...)
		var got []string
		if err == nil {
			providers, wrong := config.SignIn.providers(time.Now)
			for _, p := range providers {
				got = append(got, p.ID())
			}
			err = wrong
		}
		if err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)) || err == nil && strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, error %v, want %q", c.name, got, err, c.want)
		}
	}
	config, err := parse(t, nil, append(oidc, "--oidc-role", "a=admin", "--oidc-role", "b=viewer@edge", "--oidc-client-secret-file", secret)...)
	if err != nil {
		t.Fatal(err)
	}
	if o, err := config.SignIn.oidc(); err != nil || o.ClientSecret != "s3cret" || len(o.Rules) != 2 || o.Rules[1].Team != "edge" {
		t.Errorf("%+v, error %v", o, err)
	}
}
