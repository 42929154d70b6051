package graph_test

import (
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/coreroller/coreroller/auth"
)

const signInDocument = `mutation($in: SignInInput!) { signIn(input: $in) { user { username mustChangePassword } userErrors { code field message } } }`

// browser is a caller without sign-in that keeps cookies.
func (s *site) browser(t testing.TB) *caller {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := s.anonymous(t)
	c.client = &http.Client{Jar: jar, Transport: s.http.Client().Transport}
	return c
}

func TestSignInCreatesASession(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.browser(t)
		want(t, b.get(signInDocument, vars{"in": vars{"username": "ana", "password": "wrong"}}),
			"user", nil, "userErrors.0.code", "UNAUTHENTICATED")
		r := b.ask(signInDocument, vars{"in": vars{"username": "ana", "password": password}})
		cookie := r.header.Get("Set-Cookie")
		for _, part := range []string{auth.SessionCookie + "=", "HttpOnly", "SameSite=Lax", "Path=/"} {
			if !strings.Contains(cookie, part) {
				t.Errorf("cookie %q has no %s", cookie, part)
			}
		}
		if strings.Contains(cookie, "Secure") {
			t.Errorf("cookie %q is Secure without TLS", cookie)
		}
		want(t, b.get("{ me { username mustChangePassword } }", nil), "username", "ana", "mustChangePassword", true)

		change := `mutation($in: ChangePasswordInput!) { changePassword(input: $in) { user { mustChangePassword } userErrors { code field } } }`
		want(t, b.get(change, vars{"in": vars{"currentPassword": "wrong", "newPassword": "another one"}}),
			"userErrors.0.code", "INVALID", "userErrors.0.field", "currentPassword")
		want(t, b.get(change, vars{"in": vars{"currentPassword": password, "newPassword": "short"}}), "userErrors.0.field", "newPassword")

		other := s.browser(t)
		other.get(signInDocument, vars{"in": vars{"username": "ana", "password": password}})
		s.ana(t).get("{ me { id } }", nil) // the password is cached now
		want(t, b.get(change, vars{"in": vars{"currentPassword": password, "newPassword": "another one"}}), "user.mustChangePassword", false)
		want(t, b.get("{ me { username } }", nil), "username", "ana")
		if r := other.ask("{ me { username } }", nil); string(r.Data) != `{"me":null}` {
			t.Errorf("the other session: %s %+v", r.Data, r.Errors)
		}
		if r := s.ana(t).ask("{ me { id } }", nil); r.status != http.StatusUnauthorized {
			t.Errorf("old password: status %d, want 401", r.status)
		}

		want(t, b.get("mutation { signOut { sessionEnded userErrors { code } } }", nil), "sessionEnded", true)
		if r := b.ask("{ me { username } }", nil); string(r.Data) != `{"me":null}` {
			t.Errorf("after signing out: %s", r.Data)
		}
		if r := b.ask("{ fleet { total } }", nil); r.Errors[0].Extensions.Code != "UNAUTHENTICATED" {
			t.Errorf("after signing out: %+v", r.Errors)
		}
	})
}

func TestRepeatedSignInFailuresAreDelayed(t *testing.T) {
	s := oneSite(t)
	b := s.browser(t)
	last := map[string]any{}
	for range 6 {
		last = b.get(signInDocument, vars{"in": vars{"username": "ana", "password": "guess"}})
	}
	want(t, last, "userErrors.0.code", "UNAVAILABLE")
	if r := s.ana(t).ask("{ me { id } }", nil); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
		t.Errorf("basic authentication from the same address: %d %v", r.status, r.header)
	}
	want(t, b.get(signInDocument, vars{"in": vars{"username": "admin", "password": "admin"}}), "user.username", "admin")
}

func TestCreateAndDeleteUser(t *testing.T) {
	s := oneSite(t)
	ana := s.ana(t)
	create := `mutation($in: CreateUserInput!) { createUser(input: $in) { user { id username mustChangePassword } userErrors { code field } } }`
	made := ana.get(create, vars{"in": vars{"username": "bob", "password": "long enough", "role": "VIEWER"}})
	want(t, made, "user.username", "bob", "user.mustChangePassword", true)
	want(t, ana.get(create, vars{"in": vars{"username": "bob", "password": "long enough", "role": "VIEWER"}}), "userErrors.0.code", "CONFLICT", "userErrors.0.field", "username")
	bob := &caller{site: s, t: t, prepare: func(r *http.Request) { r.SetBasicAuth("bob", "long enough") }}
	want(t, bob.get("{ me { username } }", nil), "username", "bob")
	set := `mutation($in: SetPasswordInput!) { setPassword(input: $in) { user { username } userErrors { code field } } }`
	want(t, ana.get(set, vars{"in": vars{"username": "bob", "newPassword": "something else"}}), "user.username", "bob")
	if r := bob.ask("{ me { id } }", nil); r.status != http.StatusUnauthorized {
		t.Errorf("old password: status %d, want 401", r.status)
	}
	remove := `mutation($in: DeleteUserInput!) { deleteUser(input: $in) { deletedId userErrors { code field } } }`
	want(t, ana.get(remove, vars{"in": vars{"id": at(t, made, "user.id")}}), "deletedId", at(t, made, "user.id"))
	want(t, ana.get(remove, vars{"in": vars{"id": at(t, made, "user.id")}}), "deletedId", nil, "userErrors.0.code", "NOT_FOUND")
}
