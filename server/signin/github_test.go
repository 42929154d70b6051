package signin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/server/signin"
)

// github answers as GitHub Enterprise Server does, about one person.
type github struct {
	*httptest.Server
	mu        sync.Mutex
	login     string
	teams     []string // ORG/TEAM
	revoked   bool
	challenge string
}

func newGitHub(t *testing.T) (*github, *signin.GitHub) {
	t.Helper()
	g := &github{login: "Ana"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login/oauth/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("client_id") != "client" || q.Get("scope") != "read:org" || q.Get("code_challenge_method") != "S256" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		g.mu.Lock()
		g.challenge = q.Get("code_challenge")
		g.mu.Unlock()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {"code"}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /login/oauth/access_token", g.token)
	mux.HandleFunc("GET /api/v3/user", g.api(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"id": 42, "login": %q}`, g.login)
	}))
	mux.HandleFunc("GET /api/v3/user/teams", g.api(g.listTeams))
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g, &signin.GitHub{URL: g.URL, ClientID: "client", ClientSecret: "secret", Rules: []signin.Rule{{Value: "example/ops", Role: auth.Operator}}}
}

// token answers with status 200 also for errors, as GitHub does.
func (g *github) token(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	answer := url.Values{"access_token": {"token"}, "token_type": {"bearer"}, "scope": {"read:org"}}
	if r.FormValue("code") != "code" || r.FormValue("client_secret") != "secret" || oauth2.S256ChallengeFromVerifier(r.FormValue("code_verifier")) != g.challenge {
		answer = url.Values{"error": {"bad_verification_code"}}
	}
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	_, _ = w.Write([]byte(answer.Encode()))
}

func (g *github) api(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer token" || g.revoked {
			http.Error(w, `{"message": "Bad credentials"}`, http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

// listTeams answers two teams a page.
func (g *github) listTeams(w http.ResponseWriter, r *http.Request) {
	page, all := 1, slices.Collect(slices.Chunk(g.teams, 2))
	_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
	teams := []any{}
	if page <= len(all) {
		for _, name := range all[page-1] {
			org, slug, _ := strings.Cut(name, "/")
			teams = append(teams, map[string]any{"slug": slug, "organization": map[string]any{"login": org}})
		}
	}
	if page < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<%s/api/v3/user/teams?page=%d>; rel="next", <%s>; rel="last"`, g.URL, page+1, g.URL))
	}
	_ = json.NewEncoder(w).Encode(teams)
}

func (g *github) set(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

func TestSignInWithGitHub(t *testing.T) {
	g, o := newGitHub(t)
	s := newSite(t, nil, o)
	for _, c := range []struct {
		teams      []string
		want, page string
	}{
		{[]string{"other/ops", "example/dev", "Example/ops"}, "Ana OPERATOR", "/activity"}, // on the second page
		{[]string{"other/ops"}, "", "/activity?sign-in=no-role"},
		{nil, "", "/activity?sign-in=no-role"},
	} {
		g.set(func() { g.teams = c.teams })
		b := s.browser()
		if to := b.signIn("github", "/activity"); to != c.page || b.me() != c.want {
			t.Errorf("%q: signed in as %q, leads to %q", c.teams, b.me(), to)
		}
	}
	if row := s.user("Ana"); *row.Identity != g.URL+" 42" {
		t.Errorf("identity %q", *row.Identity)
	}
}

func TestGitHubRefusesWrongCodeAndOtherAttempt(t *testing.T) {
	g, o := newGitHub(t)
	_, other := provider(t)
	s := newSite(t, other, o)
	g.set(func() { g.teams = []string{"example/ops"} })
	b := s.browser()
	if to := b.finish(strings.Replace(b.begin("github", "/"), "code=code", "code=guess", 1)); to != "/?sign-in=refused" {
		t.Errorf("wrong code: leads to %q", to)
	}
	if to := b.finish(strings.Replace(b.begin("github", "/"), "/auth/github/", "/auth/oidc/", 1)); to != "/?sign-in=expired" {
		t.Errorf("attempt of another provider: leads to %q", to)
	}
	g.Close()
	if to := b.finish(b.http.URL + "/auth/github/callback?code=code"); to != "/?sign-in=expired" {
		t.Errorf("without an attempt: leads to %q", to)
	}
	if me := b.me(); me != "" {
		t.Errorf("signed in as %q", me)
	}
}

func TestSessionEndsWhenGitHubRevokesTheToken(t *testing.T) {
	g, o := newGitHub(t)
	s := newSite(t, nil, o)
	g.set(func() { g.teams = []string{"example/ops"} })
	b := s.browser()
	b.signIn("github", "/")
	g.set(func() { g.revoked = true })
	s.offset.Store(int64(6 * time.Minute))
	for range 100 {
		if b.me() == "" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("signed in as %q", b.me())
}
