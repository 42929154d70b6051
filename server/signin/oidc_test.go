package signin_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/server/signin"
	"github.com/coreroller/coreroller/store/storetest"
)

// person is a user of the provider with any claims.
type person struct {
	subject string
	claims  map[string]any
}

func (p *person) ID() string { return p.subject }
func (p *person) Userinfo([]string) ([]byte, error) {
	return []byte(`{"sub":"` + p.subject + `"}`), nil
}

// Claims adds the claims of the person, and those of the token that the person does not have.
func (p *person) Claims(_ []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	all := jwt.MapClaims{
		"iss": base.Issuer, "sub": p.subject, "aud": base.Audience, "exp": base.ExpiresAt.Unix(), "iat": base.IssuedAt.Unix(), "nonce": base.Nonce,
	}
	maps.Copy(all, p.claims)
	return all, nil
}

func ana(groups ...string) *person {
	return &person{"ana-1", map[string]any{"preferred_username": "ana", "groups": groups}}
}

func provider(t *testing.T) (*mockoidc.MockOIDC, *signin.OIDC) {
	t.Helper()
	m, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Shutdown() })
	return m, &signin.OIDC{
		Title: "Example", IssuerURL: m.Issuer(), ClientID: m.ClientID, ClientSecret: m.ClientSecret,
		Rules: []signin.Rule{{Value: "ops", Role: auth.Operator}, {Value: "admins", Role: auth.Admin}, {Value: "edge", Role: auth.Publisher, Team: "edge"}},
	}
}

func TestSignInWithOpenIDConnect(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	b := s.browser()
	m.QueueUser(ana("ops", "others"))
	before := b.begin("oidc", "/machines?search=a#top")
	if b.cookie("coreroller_sign_in", "/auth/") == "" || b.cookie("coreroller_sign_in", "/") != "" {
		t.Error("the cookie of the attempt is not for /auth/ only")
	}
	if to := b.finish(before); to != "/machines?search=a#top" {
		t.Errorf("leads to %q", to)
	}
	if me := b.me(); me != "ana OPERATOR" {
		t.Errorf("signed in as %q", me)
	}
	if b.cookie("coreroller_sign_in", "/auth/") != "" {
		t.Error("the cookie of the attempt is still there")
	}
	row := s.user("ana")
	if row.PasswordHash != "" || row.Identity == nil || *row.Identity != m.Issuer()+" ana-1" || row.MustChangePassword {
		t.Errorf("user %+v", row)
	}
	session, err := s.store.Reader().Session.Query().Only(s.ctx)
	s.must(err)
	if life := session.ExpiresAt.Sub(session.CreatedAt); life != 12*time.Hour {
		t.Errorf("the session lasts %s", life)
	}
	want := []string{"ana createUser (single sign-on)", "ana signIn (single sign-on)"}
	if got := s.audits(); !slices.Equal(got, want) {
		t.Errorf("audit %q, want %q", got, want)
	}
	for _, c := range []struct{ name, password string }{{"ana", ""}, {"ana", "admin"}} {
		if _, err := s.Accounts.Authenticate(t.Context(), c.name, c.password); err == nil {
			t.Errorf("the password %q is accepted", c.password)
		}
	}
}

func TestOpenIDConnectRequestsPKCEStateAndNonce(t *testing.T) {
	_, o := provider(t)
	b := newSite(t, o, nil).browser()
	at, _, header := b.open("/auth/oidc/start?to=/")
	u, err := url.Parse(at)
	b.must(err)
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 20 || len(q.Get("nonce")) < 20 || q.Get("state") == q.Get("nonce") {
		t.Errorf("request %s", at)
	}
	if q.Get("redirect_uri") != b.http.URL+"/auth/oidc/callback" || q.Get("response_type") != "code" || q.Get("client_secret") != "" {
		t.Errorf("request %s", at)
	}
	cookie := header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Lax", "Path=/auth/", "Max-Age=600"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q has no %s", cookie, part)
		}
	}
	if strings.Contains(cookie, "Secure") || header.Get("Cache-Control") != "no-store" || header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", header)
	}
}

// Each case changes the way back or the ID token.
func TestOpenIDConnectRefusesForgedAnswers(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	claim := func(name string, value any) func(*person) { return func(p *person) { p.claims[name] = value } }
	parameter := func(name, value string) func(url.Values) { return func(q url.Values) { q.Set(name, value) } }
	for _, c := range []struct {
		name   string
		person func(*person)
		back   func(url.Values)
		want   string
	}{
		{"wrong state", nil, parameter("state", "guess"), "expired"},
		{"no state", nil, parameter("state", ""), "expired"},
		{"no code", nil, parameter("code", ""), "untrusted"},
		{"wrong code", nil, parameter("code", "guess"), "refused"},
		{"issuer of another provider in the answer", nil, parameter("iss", "https://evil.example"), "untrusted"},
		{"refused at the provider", nil, parameter("error", "access_denied"), "refused"},
		{"fault of the provider", nil, parameter("error", "server_error"), "unavailable"},
		{"wrong nonce", claim("nonce", "guess"), nil, "untrusted"},
		{"no nonce", claim("nonce", ""), nil, "untrusted"},
		{"wrong audience", claim("aud", "another client"), nil, "untrusted"},
		{"issued to another client", claim("aud", []string{m.ClientID, "another client"}), nil, "untrusted"},
		{"expired", claim("exp", time.Now().Add(-time.Minute).Unix()), nil, "untrusted"},
		{"issued in the future", claim("iat", time.Now().Add(time.Hour).Unix()), nil, "untrusted"},
		{"other issuer", claim("iss", "https://evil.example"), nil, "untrusted"},
		{"no subject", claim("sub", ""), nil, "untrusted"},
		{"no role", claim("groups", []string{"others", "OPS"}), nil, "no-role"},
		{"no claim", func(p *person) { delete(p.claims, "groups") }, nil, "no-role"},
		{"claim of another kind", claim("groups", map[string]any{"ops": true}), nil, "no-role"},
		{"team that does not exist", claim("groups", []string{"edge"}), nil, "no-role"},
		{"no name", claim("preferred_username", ""), nil, "no-name"},
		{"name with a line feed", claim("preferred_username", "a\nb"), nil, "no-name"},
		{"name with Cyrillic letters", claim("preferred_username", "\u0430n\u0430"), nil, "no-name"},
		{"name that looks like that of another user", claim("preferred_username", "Admin"), nil, "name-taken"},
		{"name of a user with a password", claim("preferred_username", "admin"), nil, "name-taken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := ana("ops")
			if c.person != nil {
				c.person(p)
			}
			m.QueueUser(p)
			b := s.browser()
			back, err := url.Parse(b.begin("oidc", "/machines"))
			s.must(err)
			if c.back != nil {
				q := back.Query()
				c.back(q)
				back.RawQuery = q.Encode()
			}
			page := "/machines"
			if c.want == "expired" {
				page = "/"
			}
			if to := b.finish(back.String()); to != page+"?sign-in="+c.want {
				t.Errorf("leads to %q, want %s", to, c.want)
			}
			if me := b.me(); me != "" {
				t.Errorf("signed in as %q", me)
			}
			b.signInWithPassword()
		})
	}
	if n, err := s.store.Reader().User.Query().Count(s.ctx); n != 1 || err != nil {
		t.Errorf("%d users, error %v", n, err)
	}
}

func TestSmallClockDifferencesAreAccepted(t *testing.T) {
	m, o := provider(t)
	b := newSite(t, o, nil).browser()
	p := ana("ops")
	p.claims["exp"], p.claims["iat"] = time.Now().Add(-10*time.Second).Unix(), time.Now().Add(10*time.Second).Unix()
	m.QueueUser(p)
	if to := b.signIn("oidc", "/"); to != "/" {
		t.Errorf("leads to %q", to)
	}
}

func TestCodeIsUsedOnceAndInItsBrowser(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	b, thief := s.browser(), s.browser()
	m.QueueUser(ana("ops"))
	back := b.begin("oidc", "/")
	if to := thief.finish(back); to != "/?sign-in=expired" || thief.me() != "" {
		t.Errorf("another browser: leads to %q", to)
	}
	attempt := b.cookie("coreroller_sign_in", "/auth/")
	if to := b.finish(back); to != "/" {
		t.Fatalf("leads to %q", to)
	}
	session := b.cookie(auth.SessionCookie, "/")
	if to := b.finish(back); to != "/?sign-in=expired" {
		t.Errorf("again: leads to %q", to)
	}
	// With the cookie of the attempt put back, the provider refuses the code.
	at, err := url.Parse(b.http.URL + "/auth/")
	s.must(err)
	replay := s.browser()
	replay.jar.SetCookies(at, []*http.Cookie{{Name: "coreroller_sign_in", Value: attempt, Path: "/auth/"}})
	if to := replay.finish(back); to != "/?sign-in=refused" || replay.me() != "" {
		t.Errorf("replayed code: leads to %q", to)
	}
	if b.cookie(auth.SessionCookie, "/") != session || b.me() != "ana OPERATOR" {
		t.Error("the session changed")
	}
}

func TestAttemptExpires(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	b := s.browser()
	m.QueueUser(ana("ops"))
	back := b.begin("oidc", "/")
	s.offset.Store(int64(11 * time.Minute))
	if to := b.finish(back); to != "/?sign-in=expired" {
		t.Errorf("leads to %q", to)
	}
}

func TestSessionIsNewAtEachSignIn(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	b := s.browser()
	at, err := url.Parse(s.http.URL)
	s.must(err)
	b.jar.SetCookies(at, []*http.Cookie{{Name: auth.SessionCookie, Value: "planted", Path: "/"}})
	last := "planted"
	for range 2 {
		m.QueueUser(ana("ops"))
		b.signIn("oidc", "/")
		now := b.cookie(auth.SessionCookie, "/")
		if now == last || b.me() != "ana OPERATOR" {
			t.Errorf("the session %q is that from before", now)
		}
		last = now
	}
}

func TestRightsAreSetAtEachSignIn(t *testing.T) {
	storetest.Each(t, rightsAreSetAtEachSignIn)
}

func rightsAreSetAtEachSignIn(t *testing.T, url string) {
	m, o := provider(t)
	s := siteOn(t, url, o, nil)
	edge, err := s.Accounts.CreateTeam(s.ctx, account.CreateTeam{Name: "edge"})
	s.must(err)
	b := s.browser()
	for _, c := range []struct {
		groups []string
		want   []auth.Grant
	}{
		{[]string{"ops", "admins"}, []auth.Grant{{Role: auth.Operator}, {Role: auth.Admin}}},
		{[]string{"edge"}, []auth.Grant{{Role: auth.Publisher, Team: edge.ID}}},
		{[]string{"ops"}, []auth.Grant{{Role: auth.Operator}}},
	} {
		m.QueueUser(ana(c.groups...))
		if to := b.signIn("oidc", "/"); to != "/" {
			t.Fatalf("%q leads to %q", c.groups, to)
		}
		row := s.user("ana")
		if !slices.Equal(row.Grants, c.want) || row.Role != auth.HighestRole(c.want).String() {
			t.Errorf("%q: %s %+v, want %+v", c.groups, row.Role, row.Grants, c.want)
		}
		if c.want[0].Team == edge.ID && row.TeamID != edge.ID {
			t.Errorf("%q: team %s, want %s", c.groups, row.TeamID, edge.ID)
		}
	}
	// Without a role the sign-in is refused, and the audit has it.
	m.QueueUser(ana())
	if to := s.browser().signIn("oidc", "/"); to != "/?sign-in=no-role" {
		t.Errorf("leads to %q", to)
	}
	all := s.audits()
	if last := all[len(all)-1]; !strings.HasPrefix(last, "ana signInFailed (single sign-on) rights: ") {
		t.Errorf("audit %q", all)
	}
}

func TestNamesFollowTheProvider(t *testing.T) {
	storetest.Each(t, namesFollowTheProvider)
}

func namesFollowTheProvider(t *testing.T, url string) {
	m, o := provider(t)
	s := siteOn(t, url, o, nil)
	s.createUser("bob")
	m.QueueUser(ana("ops"))
	s.browser().signIn("oidc", "/")
	id := s.user("ana").ID
	renamed := ana("ops")
	renamed.claims["preferred_username"] = "anna"
	m.QueueUser(renamed)
	s.browser().signIn("oidc", "/")
	if s.user("anna").ID != id {
		t.Error("the renamed person is another user")
	}
	// Neither a user with a password nor another identity is taken over.
	renamed.claims["preferred_username"] = "bob"
	m.QueueUser(renamed)
	if to := s.browser().signIn("oidc", "/"); to != "/?sign-in=name-taken" {
		t.Errorf("leads to %q", to)
	}
	other := &person{"other-1", map[string]any{"preferred_username": "anna", "groups": "ops"}}
	m.QueueUser(other)
	if to := s.browser().signIn("oidc", "/"); to != "/?sign-in=name-taken" {
		t.Errorf("leads to %q", to)
	}
	if s.user("bob").Identity != nil || s.user("anna").ID != id || s.user("bob").PasswordHash == "" {
		t.Error("a user was taken over")
	}
}

func TestClaims(t *testing.T) {
	m, o := provider(t)
	o.RolesClaim, o.UserClaim = "realm_access.roles", "nick"
	s := newSite(t, o, nil)
	for _, c := range []struct {
		claims map[string]any
		want   string
	}{
		{map[string]any{"nick": "a", "realm_access": map[string]any{"roles": []string{"ops"}}}, "a OPERATOR"},
		{map[string]any{"nick": "b", "realm_access.roles": "admins"}, "b ADMIN"},
		{map[string]any{"email": "c@example.com", "email_verified": true, "realm_access.roles": "ops"}, "c@example.com OPERATOR"},
		{map[string]any{"email": "d@example.com", "email_verified": false, "realm_access.roles": "ops"}, ""},
	} {
		m.QueueUser(&person{"subject of " + c.want, c.claims})
		b := s.browser()
		b.signIn("oidc", "/")
		if me := b.me(); me != c.want {
			t.Errorf("%v: signed in as %q, want %q", c.claims, me, c.want)
		}
	}
}

func TestDeletedUserLosesTheSession(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	b := s.browser()
	m.QueueUser(ana("ops"))
	b.signIn("oidc", "/")
	s.must(s.Accounts.DeleteUser(s.ctx, account.DeleteUser{ID: s.user("ana").ID}))
	if me := b.me(); me != "" {
		t.Errorf("signed in as %q", me)
	}
}

func TestUsersOfAProviderHaveNoPasswordAndNoOwnRole(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	m.QueueUser(ana("ops"))
	s.browser().signIn("oidc", "/")
	row := s.user("ana")
	if err := s.Accounts.SetPassword(s.ctx, account.SetPassword{Username: "ana", New: "correct horse"}); err == nil {
		t.Error("a password was set")
	}
	if _, err := s.Accounts.UpdateUser(s.ctx, account.UpdateUser{ID: row.ID, Role: auth.Owner}); err == nil {
		t.Error("a role was set")
	}
	own := auth.With(t.Context(), auth.Principal{UserID: row.ID, Name: "ana", Role: auth.Operator, Credential: auth.CredentialBasic})
	if err := s.Accounts.ChangePassword(own, account.ChangePassword{New: "correct horse"}); err == nil {
		t.Error("the user set a password")
	}
	if s.user("ana").PasswordHash != "" {
		t.Error("the user has a password")
	}
}

func TestProviderDown(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	m.QueueUser(ana("ops"))
	b := s.browser()
	back := b.begin("oidc", "/")
	s.must(m.Shutdown())
	if to := b.finish(back); to != "/?sign-in=unavailable" {
		t.Errorf("after the redirect: leads to %q", to)
	}
	s = newSite(t, o, nil) // a server that starts without the provider
	b = s.browser()
	if to := b.signIn("oidc", "/machines"); to != "/machines?sign-in=unavailable" {
		t.Errorf("leads to %q", to)
	}
	b.signInWithPassword()
}

func TestRedirectsStayOnThisServer(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	for _, to := range []string{
		"//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "https:evil.example", "javascript:alert(1)", "///evil.example",
		"/\t/evil.example", "/\n/evil.example", " //evil.example", "/.//evil.example", "/x/..//evil.example", "/auth/oidc/start", "evil", "",
		"/" + strings.Repeat("a", 5000),
	} {
		m.QueueUser(ana("ops"))
		if at := s.browser().signIn("oidc", to); at != "/" {
			t.Errorf("%q leads to %q", to, at)
		}
	}
}

func TestSessionEndsWhenTheProviderRefusesToRefreshIt(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	b := s.browser()
	p := ana("ops")
	m.QueueUser(p)
	b.signIn("oidc", "/")
	later := func(d time.Duration) {
		s.offset.Add(int64(d))
		m.FastForward(d)
	}
	eventually := func(want string) {
		t.Helper()
		for range 100 {
			if b.me() == want {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("signed in as %q, want %q", b.me(), want)
	}

	// The refreshed token has other groups.
	p.claims["groups"] = []string{"admins"}
	later(4 * time.Minute)
	if me := b.me(); me != "ana OPERATOR" {
		t.Errorf("signed in as %q", me)
	}
	later(2 * time.Minute)
	eventually("ana ADMIN")

	// A fault of the provider ends nothing.
	m.QueueError(&mockoidc.ServerError{Code: http.StatusServiceUnavailable, Error: "temporarily_unavailable"})
	later(6 * time.Minute)
	eventually("ana ADMIN")
	time.Sleep(100 * time.Millisecond)
	eventually("ana ADMIN")

	later(6 * time.Minute)
	m.QueueError(&mockoidc.ServerError{Code: http.StatusBadRequest, Error: mockoidc.InvalidGrant})
	eventually("")
	all := s.audits()
	if last := all[len(all)-1]; last != "ana signOut (session) the identity provider ended the session" {
		t.Errorf("audit %q", all)
	}
}

func TestSessionEndsWithTheRole(t *testing.T) {
	m, o := provider(t)
	s := newSite(t, o, nil)
	b := s.browser()
	p := ana("ops")
	m.QueueUser(p)
	b.signIn("oidc", "/")
	p.claims["groups"] = []string{"others"}
	s.offset.Store(int64(6 * time.Minute))
	m.FastForward(6 * time.Minute)
	for range 100 {
		if b.me() == "" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("signed in as %q", b.me())
}
