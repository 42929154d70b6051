package signin_test

import (
	"strings"
	"testing"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/server/signin"
)

func TestParseRule(t *testing.T) {
	for _, c := range []struct {
		text, wrong string
		want        signin.Rule
	}{
		{text: "ops=operator", want: signin.Rule{Value: "ops", Role: auth.Operator}},
		{text: "ops=operator@edge", want: signin.Rule{Value: "ops", Role: auth.Operator, Team: "edge"}},
		{text: "cn=ops,dc=example=viewer@a=b", want: signin.Rule{Value: "cn=ops,dc=example", Role: auth.Viewer, Team: "a=b"}},
		{text: "example/ops=admin", want: signin.Rule{Value: "example/ops", Role: auth.Admin}},
		{text: "a@example.com=owner", want: signin.Rule{Value: "a@example.com", Role: auth.Owner}},
		{text: "ops", wrong: "not of the form"},
		{text: "ops=boss", wrong: "not of the form"},
		{text: "=admin", wrong: "no value"},
		{text: "ops=admin@", wrong: "no team"},
		{text: "ops=owner@edge", wrong: "an owner has no team"},
	} {
		got, err := signin.ParseRule(c.text)
		switch {
		case c.wrong == "" && (err != nil || got != c.want || got.String() != c.text):
			t.Errorf("%s: %+v, error %v", c.text, got, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s: error %v, want %s", c.text, err, c.wrong)
		}
	}
}

func TestProvidersNeedHTTPS(t *testing.T) {
	for _, c := range []struct {
		url string
		ok  bool
	}{
		{"https://id.example.com/realms/a", true},
		{"http://localhost:5556/dex", true},
		{"http://127.0.0.1:5556", true},
		{"http://id.example.com", false},
		{"http://localhost.example.com", false},
		{"id.example.com", false},
		{"https://user:password@id.example.com", false},
		{"https://id.example.com?a=b", false},
	} {
		_, err := signin.Providers(&signin.OIDC{IssuerURL: c.url, ClientID: "c"}, nil, nil)
		_, also := signin.Providers(nil, &signin.GitHub{URL: c.url, ClientID: "c"}, nil)
		if (err == nil) != c.ok || (also == nil) != c.ok {
			t.Errorf("%s: errors %v, %v", c.url, err, also)
		}
	}
	if _, err := signin.Providers(&signin.OIDC{IssuerURL: "https://id.example.com", IssuerCA: []byte("no certificate")}, nil, nil); err == nil {
		t.Error("a file without certificates is accepted")
	}
}
