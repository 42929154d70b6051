package graph_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db/audit"
	"github.com/coreroller/coreroller/ent/db/session"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// token creates a token of the user bob and returns its id and a caller that sends it.
func (s *site) token(t testing.TB, in account.CreateToken) (uuid.UUID, string, *caller) {
	t.Helper()
	in.Username = "bob"
	if in.ExpiresAt.IsZero() {
		in.ExpiresAt = s.now().Add(time.Hour)
	}
	row, secret, err := s.Accounts.CreateToken(s.ctx, in)
	s.must(err)
	return row.ID, secret, &caller{site: s, t: t, prepare: bearer(secret)}
}

func bearer(secret string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }
}

const createTokenDocument = `mutation($in: CreateTokenInput!) { createToken(input: $in) {
	token { id name ending link user { username } grants { role everywhere application { name } group { name } } lastUsedAt } secret userErrors { code field } } }`

func TestTokenIsCreatedListedAndRevoked(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ana := s.ana(t)
		made := ana.get(createTokenDocument, vars{"in": vars{"name": "ci", "role": "OPERATOR", "groupIds": []any{s.group}, "expiresAt": s.now().Add(time.Hour)}})
		secret, _ := at(t, made, "secret").(string)
		want(t, made, "token.name", "ci", "token.ending", secret[len(secret)-4:], "token.user.username", "ana", "token.link", false,
			"token.grants.0.role", "OPERATOR", "token.grants.0.everywhere", false, "token.grants.0.application.name", "agent", "token.grants.0.group.name", "prod")
		again := ana.get(createTokenDocument, vars{"in": vars{"name": "ci", "expiresAt": s.now().Add(time.Hour)}})
		want(t, again, "token", nil, "secret", nil, "userErrors.0.code", "CONFLICT", "userErrors.0.field", "name")

		script := &caller{site: s, t: t, prepare: bearer(secret)}
		want(t, script.get("{ me { username } }", nil), "username", "ana")
		want(t, script.get(`mutation($g: ID!) { pauseUpdates(input: {groupId: $g}) { group { id } } }`, vars{"g": s.group}), "group.id", s.group)
		s.must(s.Accounts.FlushUses(s.ctx))
		list := ana.ask("{ tokens(all: true) { id name ending lastUsedAt lastUsedAddress } }", nil)
		if text := string(list.Data); !strings.Contains(text, `"127.0.0.1"`) || strings.Contains(text, secret[4:]) || strings.Contains(text, `"lastUsedAt":null`) {
			t.Errorf("list %s", text)
		}
		for _, r := range []reply{
			script.ask("{ tokens { id } }", nil), script.ask("{ sessions { id } }", nil),
			script.ask(`mutation { endOtherSessions(input: {}) { userErrors { code } } }`, nil),
		} {
			if !strings.Contains(string(r.Data), "FORBIDDEN") && (len(r.Errors) == 0 || r.Errors[0].Extensions.Code != "FORBIDDEN") {
				t.Errorf("with a token: %s %+v", r.Data, r.Errors)
			}
		}
		revoke := `mutation($id: ID!) { revokeToken(input: {id: $id}) { deletedId userErrors { code } } }`
		want(t, ana.get(revoke, vars{"id": at(t, made, "token.id")}), "deletedId", at(t, made, "token.id"))
		if r := script.ask("{ me { username } }", nil); r.status != http.StatusUnauthorized {
			t.Errorf("status %d with a revoked token", r.status)
		}

		// The audit names the token, and neither it nor the log has the secret.
		rows, err := s.store.Reader().Audit.Query().All(s.ctx)
		s.must(err)
		stored, err := json.Marshal(rows)
		s.must(err)
		if paused := s.store.Reader().Audit.Query().Where(audit.Verb("pauseUpdates")).OnlyX(s.ctx); paused.Credential != "token ci" || paused.Actor != "ana" {
			t.Errorf("audit %+v", paused)
		}
		if strings.Contains(string(stored)+s.log.String(), secret[4:]) {
			t.Error("the audit or the log has the secret")
		}
	})
}

// Open connections end at once with their token, and others stay.
func TestRevocationEndsOpenConnections(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.bob(t, auth.Viewer)
		id, _, script := s.token(t, account.CreateToken{Name: "a"})
		_, _, other := s.token(t, account.CreateToken{Name: "b"})
		socket, idle, staying := script.dial(), script.dial(), other.dial()
		for _, w := range []*watcher{socket, staying} {
			w.subscribe("1", groupDocument, vars{"id": s.group})
			w.next()
		}
		stream := s.stream(t, script)
		began := time.Now()
		s.must(s.Accounts.RevokeToken(s.ctx, account.RevokeToken{ID: id}))
		socket.closes(4401)
		idle.closes(4401)
		if _, err := io.Copy(io.Discard, stream); err != nil {
			t.Errorf("the event stream ended with %v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("they ended after %v", took)
		}
		staying.stop("1")
	})
}

func TestRevocationEndsConnectionsOnEveryProcess(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	s := newSite(t, database)
	s.bob(t, auth.Viewer)
	id, _, script := s.token(t, account.CreateToken{Name: "a"})
	there := &caller{site: s.elsewhere(t, database), t: t, prepare: script.prepare}
	socket := there.dial()
	socket.subscribe("1", groupDocument, vars{"id": s.group})
	socket.next()
	began := time.Now()
	s.must(s.Accounts.RevokeToken(s.ctx, account.RevokeToken{ID: id}))
	socket.closes(4401)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it ended after %v", took)
	}
}

// Nothing is published when a token or session expires.
func TestConnectionsEndWhenTheCredentialsExpire(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		_, callers := s.bob(t, auth.Viewer)
		_, _, script := s.token(t, account.CreateToken{Name: "a", ExpiresAt: s.now().Add(2 * time.Minute)})
		s.offset.Add(int64(2*time.Minute - 4*time.Second))
		s.must(s.store.Write(s.ctx, s.now(), func(tx *store.Tx) error {
			return tx.Client().Session.Update().Where(session.ExpiresAtGT(s.now())).SetExpiresAt(s.now().Add(4 * time.Second).UTC()).Exec(s.ctx)
		}))
		began := time.Now()
		for _, c := range []*caller{script, callers["cookie"]} {
			w := c.dial()
			w.subscribe("1", groupDocument, vars{"id": s.group})
			w.next()
			defer w.closes(4401)
		}
		defer func() {
			if took := time.Since(began); took > 9*time.Second {
				t.Errorf("they ended after %v", took)
			}
		}()
	})
}

// A page cannot set headers of a websocket, so a wall link sends its token in the first
// message. The link, not the cookie of the browser, then decides.
func TestWallLinkOpensAWebsocketWithoutSignIn(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		_, callers := s.bob(t, auth.Admin)
		id, secret, _ := s.token(t, account.CreateToken{Name: "wall", Link: true, GroupIDs: []uuid.UUID{s.group}})
		open := func(c *caller, secret string) *watcher {
			w := c.connect(nil)
			payload, err := json.Marshal(map[string]string{"Authorization": "Bearer " + secret})
			s.must(err)
			w.write(message{Type: "connection_init", Payload: payload})
			return w
		}
		open(s.anonymous(t), "crt_madeup").closes(4401)
		open(callers["cookie"], "crt_madeup").closes(4401)
		var opened []*watcher
		for _, c := range []*caller{s.anonymous(t), callers["cookie"]} {
			w := open(c, secret)
			if m := w.read(); m.Type != "connection_ack" {
				t.Fatalf("got %+v", m)
			}
			w.subscribe("1", `mutation($g: ID!) { pauseUpdates(input: {groupId: $g}) { userErrors { code } } }`, vars{"g": s.group})
			want(t, w.next(), "userErrors.0.code", "FORBIDDEN")
			w.read() // complete
			w.subscribe("2", "{ me { username } }", nil)
			if m := w.read(); !strings.Contains(string(m.Payload), `"me":null`) {
				t.Errorf("the link names its user: %s", m.Payload)
			}
			w.read()
			w.subscribe("3", groupDocument, vars{"id": s.group})
			w.next()
			opened = append(opened, w)
		}
		s.must(s.Accounts.RevokeToken(s.ctx, account.RevokeToken{ID: id}))
		for _, w := range opened {
			w.closes(4401)
		}
	})
}

// The role of a token falls with that of its user, also on an open websocket.
func TestTokenOnAnOpenSocketFollowsTheRole(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		bob, _ := s.bob(t, auth.Operator)
		_, _, script := s.token(t, account.CreateToken{Name: "a", Role: auth.Operator})
		w := script.dial()
		pause := func(id string) string {
			w.subscribe(id, `mutation($g: ID!) { pauseUpdates(input: {groupId: $g}) { userErrors { code } } }`, vars{"g": s.group})
			answer, err := json.Marshal(w.next())
			s.must(err)
			w.read() // complete
			return string(answer)
		}
		if answer := pause("1"); strings.Contains(answer, "code") {
			t.Errorf("as operator: %s", answer)
		}
		bob.Role = auth.Viewer
		s.must(second(s.Accounts.UpdateUser(s.ctx, *bob)))
		if answer := pause("2"); !strings.Contains(answer, "FORBIDDEN") {
			t.Errorf("as viewer: %s", answer)
		}
	})
}

// A cookie that another person planted before the sign-in does not become the session.
func TestSignInNeverAdoptsACookie(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.bob(t, auth.Viewer)
		b := s.browser(t)
		sign := func(name string) string {
			r := b.ask(signInDocument, vars{"in": vars{"username": name, "password": password}})
			secret, _, _ := strings.Cut(strings.TrimPrefix(r.header.Get("Set-Cookie"), auth.SessionCookie+"="), ";")
			return secret
		}
		planted := sign("bob")
		if mine := sign("ana"); mine == planted || mine == "" {
			t.Errorf("cookie %q before, %q after", planted, mine)
		}
		attacker := &caller{site: s, t: t, prepare: func(r *http.Request) { r.AddCookie(&http.Cookie{Name: auth.SessionCookie, Value: planted}) }}
		if r := attacker.ask("{ me { username } }", nil); string(r.Data) != `{"me":null}` {
			t.Errorf("the planted session: %s", r.Data)
		}
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		bob, _ := s.bob(t, auth.Viewer)
		b, other := s.browser(t), s.browser(t)
		for _, c := range []*caller{b, other} {
			c.get(signInDocument, vars{"in": vars{"username": "ana", "password": password}})
		}
		r := b.ask("{ sessions { id current address userAgent lastSeenAt } }", nil)
		var list struct {
			Sessions []struct {
				ID, Address, UserAgent string
				Current                bool
			}
		}
		s.must(json.Unmarshal(r.Data, &list))
		if len(list.Sessions) != 2 || list.Sessions[0].Current == list.Sessions[1].Current || list.Sessions[0].Address != "127.0.0.1" || !strings.HasPrefix(list.Sessions[0].UserAgent, "Go-http-client") {
			t.Fatalf("%s", r.Data)
		}
		want(t, b.get("mutation { endOtherSessions(input: {}) { ended userErrors { code } } }", nil), "ended", 1)
		if r := other.ask("{ me { username } }", nil); string(r.Data) != `{"me":null}` {
			t.Errorf("the other browser: %s", r.Data)
		}
		want(t, b.get("{ me { username } }", nil), "username", "ana")
		for _, session := range list.Sessions {
			end := b.get("mutation($id: ID!) { endSession(input: {id: $id}) { deletedId userErrors { code } } }", vars{"id": session.ID})
			if session.Current {
				want(t, end, "deletedId", session.ID)
				b = s.ana(t)
			} else {
				want(t, end, "userErrors.0.code", "NOT_FOUND")
			}
		}
		want(t, s.ana(t).get("mutation($u: ID!) { endOtherSessions(input: {userId: $u}) { ended } }", vars{"u": bob.ID}), "ended", 1)
	})
}
