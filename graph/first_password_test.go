package graph_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/graph"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/server"
)

// The documented first password works on the server's machine. From elsewhere it can only
// be changed, over every API; then it works everywhere.
func TestDocumentedPasswordWorksOnTheServersMachineOnly(t *testing.T) {
	s := oneSite(t)
	from := func(header, value, password string) *caller {
		return &caller{site: s, t: t, prepare: func(r *http.Request) {
			r.SetBasicAuth("admin", password)
			if header != "" {
				r.Header.Set(header, value)
			}
		}}
	}
	const reads = "{ applications { name } }"
	if r := from("", "", "admin").ask(reads, nil); len(r.Errors) > 0 {
		t.Errorf("on this machine: %+v", r.Errors)
	}
	remote := from("X-Forwarded-For", "203.0.113.9", "admin")
	for _, document := range []string{reads, `mutation { createApplication(input: {name: "x"}) { userErrors { message } } }`, `{ __schema { types { name } } }`} {
		r := remote.ask(document, nil)
		if len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "FORBIDDEN" || !strings.Contains(r.Errors[0].Message, "change the password of admin first") || string(r.Data) != "null" {
			t.Errorf("%s from another address: %s %+v", document, r.Data, r.Errors)
		}
	}
	for _, header := range []string{"X-Forwarded-Proto", "Forwarded", "X-Real-Ip"} {
		if r := from(header, "x", "admin").ask(reads, nil); len(r.Errors) != 1 {
			t.Errorf("with %s: %s", header, r.Data)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/api/apps", http.NoBody)
	remote.prepare(req)
	resp, err := s.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("REST: %d", resp.StatusCode)
	}
	w := remote.dial()
	w.subscribe("1", "subscription { fleetChanged { __typename } }", nil)
	if m := w.read(); !strings.Contains(string(m.Payload), "FORBIDDEN") {
		t.Errorf("websocket: %s", m.Payload)
	}
	want(t, remote.get("{ me { username mustChangePassword } }", nil), "username", "admin", "mustChangePassword", true)
	want(t, remote.get(mutate("changePassword", "user { username }"), vars{"in": vars{"currentPassword": "admin", "newPassword": "battery staple"}}), "userErrors", []any{})
	if r := from("X-Forwarded-For", "203.0.113.9", "battery staple").ask(reads, nil); len(r.Errors) > 0 {
		t.Errorf("after the change: %+v", r.Errors)
	}
}

// A session is always new: a token that was planted in the browser is not taken over.
func TestSignInIgnoresAPlantedSession(t *testing.T) {
	s := oneSite(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: s.http.Client().Transport, Jar: jar}
	planted := strings.Repeat("A", 43)
	first := true
	c := &caller{site: s, t: t, client: client, prepare: func(r *http.Request) {
		if first {
			r.AddCookie(&http.Cookie{Name: "coreroller_session", Value: planted})
			first = false
		}
	}}
	r := c.ask(`mutation { signIn(input: {username: "ana", password: "`+password+`"}) { user { username } userErrors { message } } }`, nil)
	cookie := r.header.Get("Set-Cookie")
	if len(r.Errors) > 0 || cookie == "" || strings.Contains(cookie, planted) || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Fatalf("%+v, cookie %q", r.Errors, cookie)
	}
	if r := c.ask("{ me { username } }", nil); !strings.Contains(string(r.Data), "ana") {
		t.Errorf("the new session: %s %+v", r.Data, r.Errors)
	}
	old := &caller{site: s, t: t, prepare: func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "coreroller_session", Value: planted}) }}
	if r := old.ask("{ me { username } }", nil); strings.Contains(string(r.Data), "ana") {
		t.Errorf("the planted token is signed in: %s", r.Data)
	}

	// Pages of other sites can neither write with the cookie nor open the websocket.
	for name, path := range map[string]string{"GraphQL": "/graphql", "REST": "/api/apps"} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+path, strings.NewReader(`{"query": "mutation { signOut { sessionEnded } }"}`))
		req.Header.Set("Content-Type", "text/plain")
		req.Header.Set("Origin", "https://evil.example")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: a page of another site gets %d", name, resp.StatusCode)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/graphql", http.NoBody)
	for name, value := range map[string]string{
		"Origin": "https://evil.example", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("websocket of another site: %d", resp.StatusCode)
	}
}

func TestIntrospectionCanBeSwitched(t *testing.T) {
	s := oneSite(t)
	usual := s.http
	t.Cleanup(func() { s.http = usual })
	for _, c := range []struct {
		choice           graph.Introspection
		users, anonymous bool
	}{{graph.IntrospectionUsers, true, false}, {graph.IntrospectionNone, false, false}, {graph.IntrospectionAnyone, true, true}} {
		h := server.New(server.Options{
			Fleet: s.Service, Store: s.store, Omaha: omaha.NewHandler(s.Service.Machines, omaha.Options{Now: s.now}), Now: s.now, Introspection: c.choice,
		})
		s.http = httptest.NewServer(h)
		for who, allowed := range map[*caller]bool{s.ana(t): c.users, s.anonymous(t): c.anonymous} {
			r := who.ask("{ __schema { types { name } } }", nil)
			if strings.Contains(string(r.Data), "GroupNumbers") != allowed || (len(r.Errors) == 0) != allowed {
				t.Errorf("choice %d: %.100s %+v, want %v", c.choice, r.Data, r.Errors, allowed)
			}
		}
		if r := s.anonymous(t).ask("{ applications { name } }", nil); len(r.Errors) != 1 {
			t.Errorf("choice %d lets anyone read: %s", c.choice, r.Data)
		}
		h.Close()
		s.http.Client().CloseIdleConnections()
		s.http.Close()
	}
}
