package graph_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// bob creates a user and returns callers with each kind of credential.
func (s *site) bob(t testing.TB, role auth.Role) (user *account.UpdateUser, callers map[string]*caller) {
	row, err := s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "bob", Password: password, Role: role})
	s.must(err)
	principal, err := s.Accounts.Authenticate(t.Context(), "bob", password)
	s.must(err)
	token, _, err := s.Accounts.CreateSession(auth.With(t.Context(), principal))
	s.must(err)
	by := func(prepare func(*http.Request)) *caller { return &caller{site: s, t: t, prepare: prepare} }
	return &account.UpdateUser{ID: row.ID, Role: role}, map[string]*caller{
		"password": by(func(r *http.Request) { r.SetBasicAuth("bob", password) }),
		"token":    by(func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }),
		"cookie":   by(func(r *http.Request) { r.AddCookie(&http.Cookie{Name: auth.SessionCookie, Value: token}) }),
	}
}

// Open connections end at once with their caller's credentials, although nothing else
// happens on them. The regular check, every 30 seconds, would be too late for this test.
func TestOpenConnectionsEndWithTheCredentials(t *testing.T) {
	for name, end := range map[string]func(s *site, bob *account.UpdateUser) error{
		"deleted user": func(s *site, bob *account.UpdateUser) error {
			return s.Accounts.DeleteUser(s.ctx, account.DeleteUser{ID: bob.ID})
		},
		"new password": func(s *site, _ *account.UpdateUser) error {
			return s.Accounts.SetPassword(s.ctx, account.SetPassword{Username: "bob", New: "something else"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *site) {
				bob, callers := s.bob(t, auth.Operator)
				var sockets []*watcher
				for _, c := range callers {
					w := c.dial()
					w.subscribe("1", groupDocument, vars{"id": s.group})
					w.next()
					sockets = append(sockets, w, c.dial()) // the second is idle
				}
				stream := s.stream(t, callers["token"])
				staying := s.ana(t).dial()
				s.must(end(s, bob))
				for _, w := range sockets {
					w.closes(4401)
				}
				if _, err := io.Copy(io.Discard, stream); err != nil {
					t.Errorf("the event stream ended with %v", err)
				}
				staying.subscribe("1", groupDocument, vars{"id": s.group})
				staying.next()
			})
		})
	}
}

// stream opens an event stream on the group and reads its first message.
func (s *site) stream(t testing.TB, c *caller) io.Reader {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": groupDocument, "variables": vars{"id": s.group}})
	s.must(err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/graphql", bytes.NewReader(body))
	s.must(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	c.prepare(req)
	resp, err := s.http.Client().Do(req)
	s.must(err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("event stream: %d %v", resp.StatusCode, err)
	}
	return resp.Body
}

// Signing out in one tab ends the sockets of the other tabs.
func TestSigningOutEndsTheSocketsOfTheSession(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		_, callers := s.bob(t, auth.Viewer)
		socket, other := callers["cookie"].dial(), callers["password"].dial()
		want(t, callers["cookie"].get("mutation { signOut { sessionEnded } }", nil), "sessionEnded", true)
		socket.closes(4401)
		other.subscribe("1", groupDocument, vars{"id": s.group})
		other.next()
	})
}

// A made-up session cannot make the server check all connections; only the end of a real one does.
func TestSigningOutWithoutASessionPublishesNothing(t *testing.T) {
	s := oneSite(t)
	sub := s.store.Bus().Subscribe(func(e event.Event) bool { return e.Kind == event.AccountsChanged })
	defer sub.Close()
	unknown := &caller{site: s, t: t, prepare: func(r *http.Request) { r.AddCookie(&http.Cookie{Name: auth.SessionCookie, Value: "made up"}) }}
	unknown.get("mutation { signOut { sessionEnded } }", nil)
	if events := sub.Take(); len(events) > 0 {
		t.Errorf("published %v", events)
	}
}

// An open socket has the rights that its user has now.
func TestOpenSocketsHaveTheRoleOfNow(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		bob, callers := s.bob(t, auth.Operator)
		for name, c := range callers {
			w := c.dial()
			give := func(role string) {
				answer := s.ana(t).get(`mutation($in: UpdateUserInput!) { updateUser(input: $in) { user { role } userErrors { code } } }`, vars{"in": vars{"id": bob.ID, "role": role}})
				want(t, answer, "user.role", role)
			}
			give("VIEWER")
			document := `mutation($g: ID!) { pauseUpdates(input: {groupId: $g}) { group { id } userErrors { code } } }`
			pause := func(id string) map[string]any {
				w.subscribe(id, document, vars{"g": s.group})
				answer := w.next()
				if m := w.read(); m.Type != "complete" {
					t.Errorf("got %+v", m)
				}
				return answer
			}
			want(t, pause("1"), "group", nil, "userErrors.0.code", "FORBIDDEN")
			give("OPERATOR")
			if errors := pause("2")["userErrors"].([]any); len(errors) > 0 {
				t.Errorf("%s as operator: %v", name, errors)
			}
			s.must(second(s.ResumeUpdates(s.ctx, fleet.ResumeUpdates{GroupID: s.group})))
		}
	})
}

// What one process changes reaches the connections of the others.
func TestCredentialsEndOnEveryProcess(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	s := newSite(t, database)
	bob, callers := s.bob(t, auth.Operator)
	elsewhere := s.elsewhere(t, database)
	var sockets []*watcher
	for _, c := range callers {
		there := &caller{site: elsewhere, t: t, prepare: c.prepare}
		want(t, there.get("{ me { username } }", nil), "username", "bob") // a verified password is remembered
		sockets = append(sockets, there.dial())
	}
	s.must(s.Accounts.DeleteUser(s.ctx, account.DeleteUser{ID: bob.ID}))
	for _, w := range sockets {
		w.closes(4401)
	}
	for name, c := range callers {
		there := &caller{site: elsewhere, t: t, prepare: c.prepare}
		if r := there.ask("mutation { stopDemo { userErrors { code } } }", nil); r.status != http.StatusUnauthorized {
			t.Errorf("%s of a deleted user: status %d", name, r.status)
		}
	}
}

// elsewhere returns a second process on the same database.
func (s *site) elsewhere(t testing.TB, database string) *site {
	other, err := store.Open(t.Context(), store.Options{URL: database})
	s.must(err)
	t.Cleanup(func() { _ = other.Close() })
	service, err := fleet.New(t.Context(), fleet.Options{Store: other, Now: s.now})
	s.must(err)
	t.Cleanup(service.Close)
	handler := server.New(server.Options{Fleet: service, Store: other, Omaha: noOmaha{}, Now: s.now, Version: "test", Postgres: true})
	second := &site{t: t, http: httptest.NewServer(handler)}
	t.Cleanup(func() {
		handler.Close()
		second.http.Close()
	})
	return second
}

type noOmaha struct{}

func (noOmaha) Mount(*http.ServeMux) {}
