package signin_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/audit"
	"github.com/coreroller/coreroller/ent/db/user"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/server/signin"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a complete server with an identity provider.
type site struct {
	*fleet.Service
	t      *testing.T
	ctx    context.Context // of an owner
	store  *store.Store
	http   *httptest.Server
	offset atomic.Int64 // of the clock, in nanoseconds
}

func (s *site) now() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) }

func newSite(t *testing.T, o *signin.OIDC, g *signin.GitHub) *site {
	t.Helper()
	return siteOn(t, storetest.SQLite(t), o, g)
}

func siteOn(t *testing.T, url string, o *signin.OIDC, g *signin.GitHub) *site {
	t.Helper()
	s := &site{t: t}
	s.ctx = auth.With(t.Context(), auth.Principal{Name: "olga", TeamID: catalog.DefaultTeamID(), Role: auth.Owner, Credential: auth.CredentialCommand})
	providers, err := signin.Providers(o, g, s.now)
	s.must(err)
	s.store, err = store.Open(t.Context(), store.Options{URL: url})
	s.must(err)
	t.Cleanup(func() { _ = s.store.Close() })
	log := slog.New(slog.DiscardHandler)
	s.Service, err = fleet.New(t.Context(), fleet.Options{Store: s.store, Now: s.now, Log: log})
	s.must(err)
	t.Cleanup(s.Service.Close)
	s.must(s.Preinstall(s.ctx))
	s.must(s.Accounts.EnsureFirstUser(s.ctx))
	handler := server.New(server.Options{
		Fleet: s.Service, Store: s.store, Omaha: omaha.NewHandler(s.Machines, omaha.Options{Now: s.now, Log: log}),
		Log: log, Now: s.now, Version: "test", SignIns: providers,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	s.http = httptest.NewServer(handler)
	t.Cleanup(func() {
		handler.Close()
		s.http.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // documented
	})
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// browser keeps cookies and stops at each redirect.
type browser struct {
	*site
	client *http.Client
	jar    http.CookieJar
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	s.must(err)
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &browser{site: s, jar: jar, client: &http.Client{
		Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// open requests an address and returns where the answer leads.
func (b *browser) open(address string) (next string, status int, header http.Header) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.http.URL + address
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, http.NoBody)
	b.must(err)
	resp, err := b.client.Do(req)
	b.must(err)
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.Header.Get("Location"), resp.StatusCode, resp.Header
}

// signIn follows a sign-in to its end and returns the page that it leads to.
func (b *browser) signIn(provider, to string) string {
	b.t.Helper()
	return b.finish(b.begin(provider, to))
}

// begin returns the address at this server to which the provider sends the browser back.
func (b *browser) begin(provider, to string) string {
	b.t.Helper()
	at, status, _ := b.open("/auth/" + provider + "/start?to=" + url.QueryEscape(to))
	if status != http.StatusSeeOther {
		b.t.Fatalf("start: status %d", status)
	}
	if strings.HasPrefix(at, "/") {
		return at
	}
	back, _, _ := b.open(at)
	return back
}

func (b *browser) finish(back string) string {
	b.t.Helper()
	if !strings.Contains(back, "/auth/") { // the sign-in did not begin
		return back
	}
	to, _, _ := b.open(back)
	return to
}

// me returns the name and the role of the session, "" without one.
func (b *browser) me() string {
	b.t.Helper()
	var out struct {
		Data struct {
			Me *struct{ Username, Role string }
		}
	}
	b.graphql("{ me { username role } }", &out)
	if out.Data.Me == nil {
		return ""
	}
	return out.Data.Me.Username + " " + out.Data.Me.Role
}

func (b *browser) graphql(document string, into any) {
	b.t.Helper()
	body, err := json.Marshal(map[string]string{"query": document})
	b.must(err)
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.http.URL+"/graphql", strings.NewReader(string(body)))
	b.must(err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.client.Do(req)
	b.must(err)
	defer func() { _ = resp.Body.Close() }()
	b.must(json.NewDecoder(resp.Body).Decode(into))
}

// cookie returns a cookie of the browser for a path, "" if there is none.
func (b *browser) cookie(name, path string) string {
	u, err := url.Parse(b.http.URL + path)
	b.must(err)
	for _, c := range b.jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// signInWithPassword checks that the password of the first user works.
func (b *browser) signInWithPassword() {
	b.t.Helper()
	var out any
	b.graphql(`mutation { signIn(input: {username: "admin", password: "admin"}) { user { username } } }`, &out)
	if b.me() != "admin OWNER" {
		b.t.Errorf("the password does not work: %v", out)
	}
}

func (s *site) user(name string) *db.User {
	s.t.Helper()
	row, err := s.store.Reader().User.Query().Where(user.Username(name)).Only(s.ctx)
	s.must(err)
	return row
}

// audits returns the entries about users since the first one, as "actor action (credential) reason".
func (s *site) audits() []string {
	s.t.Helper()
	rows, err := s.store.Reader().Audit.Query().Where(audit.ActorNEQ("olga"), audit.Object("user")).Order(audit.BySeq()).All(s.ctx)
	s.must(err)
	var all []string
	for _, a := range rows {
		all = append(all, strings.TrimSpace(a.Actor+" "+a.Verb+" ("+a.Credential+") "+a.Reason))
	}
	return all
}

func (s *site) createUser(name string) {
	s.t.Helper()
	_, err := s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: name, Password: "correct horse", Role: auth.Viewer})
	s.must(err)
}
