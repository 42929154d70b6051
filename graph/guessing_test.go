package graph_test

import (
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
)

// A browser that signed in before signs in while a guesser behind the same address is
// refused; one that did not is refused as well, with the same answer.
func TestGuesserBehindTheSameAddressKeepsNoBrowserOut(t *testing.T) {
	s := oneSite(t)
	jar, err := cookiejar.New(nil)
	s.must(err)
	browser := &caller{site: s, t: t, client: &http.Client{Jar: jar, Transport: s.http.Client().Transport}, prepare: func(*http.Request) {}}
	enter := func(c *caller, name, password string) string {
		t.Helper()
		return string(c.ask(signInDocument, vars{"in": vars{"username": name, "password": password}}).Data)
	}
	if got := enter(browser, "ana", password); !strings.Contains(got, `"userErrors":[]`) {
		t.Fatal(got)
	}
	browser.get("mutation { signOut { sessionEnded } }", nil)
	for range 8 {
		enter(s.anonymous(t), "ana", "wrong")
		enter(s.anonymous(t), "eve", "wrong")
	}
	for _, name := range []string{"ana", "eve"} {
		if got := enter(s.anonymous(t), name, password); !strings.Contains(got, "too many failed sign-in attempts") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := enter(browser, "ana", password); !strings.Contains(got, `"userErrors":[]`) {
		t.Error(got)
	}
	s.must(s.Accounts.FlushSignIns(s.ctx, true))
	if r := browser.ask(`{ audits(filter: {action: "signInFailed", text: "not checked"}) { nodes { actor reason } } }`, nil); strings.Count(string(r.Data), "the password was not checked") < 2 {
		t.Errorf("audit: %s", r.Data)
	}
}

// A stolen session cannot guess the password of its user.
func TestGuessesOfTheCurrentPasswordAreLimited(t *testing.T) {
	s := oneSite(t)
	jar, err := cookiejar.New(nil)
	s.must(err)
	thief := &caller{site: s, t: t, client: &http.Client{Jar: jar, Transport: s.http.Client().Transport}, prepare: func(*http.Request) {}}
	thief.ask(signInDocument, vars{"in": vars{"username": "ana", "password": password}})
	change := `mutation($in: ChangePasswordInput!) { changePassword(input: $in) { userErrors { code field message } } }`
	var last string
	for range 8 {
		last = string(thief.ask(change, vars{"in": vars{"currentPassword": "a guess", "newPassword": "another one"}}).Data)
	}
	if !strings.Contains(last, "too many failed sign-in attempts") {
		t.Error(last)
	}
	if me := thief.get("{ me { username } }", nil); at(t, me, "username") != "ana" {
		t.Errorf("the session: %v", me)
	}
}
