package server

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/disk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeStore is a store without data, in a condition.
type fakeStore struct {
	committed, failing, listened, full time.Time
	problem                            error
}

func (fakeStore) Reader() *db.Client     { return nil }
func (fakeStore) Bus() event.Bus         { return event.NewMemory() }
func (s fakeStore) FoundFull() time.Time { return s.full }

func (s fakeStore) Condition() (committed, failing, listened time.Time, problem error) {
	return s.committed, s.failing, s.listened, s.problem
}
func (fakeStore) Ping(context.Context) error { return nil }

// fakeOmaha stands in for the Omaha endpoint.
type fakeOmaha struct{}

func (fakeOmaha) Mount(mux *http.ServeMux) {
	mux.HandleFunc("/v1/update/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "omaha "+r.URL.Path) })
}

const script = "console.log('hello');"

func dashboardFiles() fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		"index.html": file("<!doctype html><title>dashboard</title>"), "playground/index.html": file("<!doctype html><title>playground</title>"),
		"assets/main-abc123.js": file(script + strings.Repeat(" // more", 500)), "assets/small-1.css": file("a{}"),
		"favicon.svg": file("<svg/>"), ".keep": file(""), "robots.txt": file("User-agent: *"),
	}
}

func testServer(t *testing.T, change func(*Options)) *Server {
	t.Helper()
	machines := checkin.New(checkin.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)}) // without a store it only counts
	t.Cleanup(machines.Close)
	o := Options{Fleet: &fleet.Service{Machines: machines}, Store: fakeStore{}, Omaha: fakeOmaha{}, Now: time.Now, Version: "test", Files: dashboardFiles()}
	if change != nil {
		change(&o)
	}
	s := New(o)
	t.Cleanup(s.Close)
	return s
}

func send(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryURLIsRouted(t *testing.T) {
	s := testServer(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
		body         string
		caching      string
	}{
		{"GET", "/", 200, "dashboard", "no-cache"},
		{"HEAD", "/", 200, "", "no-cache"},
		{"GET", "/apps/1/groups/2", 200, "dashboard", "no-cache"},
		{"GET", "/apps/1/machines/node-1.example.com", 200, "dashboard", "no-cache"},
		{"GET", "/index.html", 200, "dashboard", "no-cache"},
		{"GET", "/favicon.svg", 200, "<svg/>", "no-cache"},
		{"GET", "/robots.txt", 200, "User-agent", "no-cache"},
		{"GET", "/assets/main-abc123.js", 200, script, "immutable"},
		{"GET", "/assets/gone-000.js", 404, "", ""},
		{"GET", "/assets/", 404, "", ""},
		{"GET", "/missing.png", 404, "", ""},
		{"GET", "/.keep", 404, "", ""},
		{"GET", "/assets/../.keep", 307, "", ""},
		{"GET", "/%2e%2e/%2e%2e/etc/passwd", 200, "dashboard", ""},
		{"POST", "/", 405, "", ""},
		{"POST", "/healthz", 405, "", ""},
		{"POST", "/robots.txt", 405, "", ""},
		{"DELETE", "/apps/1", 404, "", ""},
		{"GET", "/playground", 200, "playground", "no-cache"},
		{"GET", "/playground/", 301, "", ""},
		{"GET", "/healthz", 200, "ok", "no-store"},
		{"GET", "/readyz", 200, "ok", "no-store"},
		{"GET", "/metrics", 200, "go_goroutines", ""},
		{"GET", "/metrics", 200, `coreroller_refused_requests_total{reason="wrong_path"} 3`, ""}, // the POST requests above
		{"POST", "/v1/update/", 200, "omaha /v1/update/", ""},
		{"GET", "/export/activity", 401, "UNAUTHENTICATED", "no-store"},
		{"GET", "/export/audit?format=csv", 401, "UNAUTHENTICATED", "no-store"},
		{"GET", "/export/machines", 404, "", ""},
		{"GET", "/graphql", 422, "errors", "no-store"},
	} {
		w := send(s, c.method, c.path, "Accept", "text/html,*/*;q=0.8") // as a browser opens a page
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) || !strings.Contains(w.Header().Get("Cache-Control"), c.caching) {
			t.Errorf("%s %s: status %d: %q, headers %q", c.method, c.path, w.Code, w.Body, w.Header())
		}
	}
}

// Programs that use a wrong address get an error in their format, not the dashboard.
func TestUnknownURLsAreNotPagesForPrograms(t *testing.T) {
	s := testServer(t, nil)
	const text, json = "text/plain; charset=utf-8", "application/json"
	ours := []string{"/v1", "/v1/", "/v1/other", "/v1/updates", "/api", "/nebraska", "/graphql/x", "/healthz/x", "/metrics/go", "/export/machines", "/assets/none.js", "/none.js"}
	for _, path := range append(ours, "/apps/1/groups/2", "/nothing") {
		for accept, contentType := range map[string]string{"": text, "*/*": text, "text/html,*/*;q=0.8": text, json: json, "application/graphql-response+json": json} {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
				page := strings.Contains(accept, "html") && method != http.MethodPost && !slices.Contains(ours, path)
				w := send(s, method, path, "Accept", accept)
				switch got := w.Header().Get("Content-Type"); {
				case page && (w.Code != 200 || got != "text/html; charset=utf-8"), !page && (w.Code != 404 || got != contentType):
					t.Errorf("%s %s as %q: status %d: %q, headers %q", method, path, accept, w.Code, w.Body, w.Header())
				case contentType == json && method != http.MethodHead && !strings.HasPrefix(w.Body.String(), `{"code":"NOT_FOUND"`):
					t.Errorf("%s %s as %q: %q", method, path, accept, w.Body)
				}
			}
		}
	}
}

func TestPagesHaveAStrictContentSecurityPolicy(t *testing.T) {
	s := testServer(t, nil)
	for _, path := range []string{"/", "/apps/1", "/playground", "/assets/main-abc123.js"} {
		h := send(s, "GET", path, "Accept", "text/html").Header()
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: policy %q lacks %s", path, policy, part)
			}
		}
		// Scripts come from files of this host only, on every page.
		if strings.Contains(policy, "script-src") || strings.Contains(policy, "unsafe-eval") || strings.Contains(policy, "http") {
			t.Errorf("%s: policy %q allows too much", path, policy)
		}
		if strings.Contains(policy, "unsafe-inline") && path != "/playground" {
			t.Errorf("%s: policy %q allows too much", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" || h.Get("Cross-Origin-Opener-Policy") != "same-origin" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
}

func TestFilesAreGzippedAndRevalidated(t *testing.T) {
	s := testServer(t, nil)
	w := send(s, "GET", "/assets/main-abc123.js", "Accept-Encoding", "br, gzip")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Vary") != "Accept-Encoding" || w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Fatalf("headers %v", w.Header())
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || !strings.HasPrefix(string(text), script) {
		t.Errorf("%q %v", text, err)
	}
	if again := send(s, "GET", "/assets/main-abc123.js", "Accept-Encoding", "gzip", "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified {
		t.Errorf("conditional request: status %d", again.Code)
	}
	for _, plain := range [][2]string{{"/assets/main-abc123.js", ""}, {"/assets/main-abc123.js", "gzip;q=0"}, {"/assets/small-1.css", "gzip"}} {
		if w := send(s, "GET", plain[0], "Accept-Encoding", plain[1]); w.Header().Get("Content-Encoding") != "" || w.Code != 200 {
			t.Errorf("%v: %d %v", plain, w.Code, w.Header())
		}
	}
	if w := send(s, "GET", "/assets/main-abc123.js", "Accept-Encoding", "gzip", "Range", "bytes=0-6"); w.Code != http.StatusPartialContent || w.Body.String() != "console" {
		t.Errorf("range: %d %q", w.Code, w.Body)
	}
}

func TestMissingDashboardBuildIsExplained(t *testing.T) {
	s := testServer(t, func(o *Options) { o.Files = fstest.MapFS{} })
	if w := send(s, "GET", "/"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestProbesSayWhatTheServerCannotDo(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	well := fakeStore{committed: now.Add(-2 * time.Second), listened: now}
	failing := fakeStore{committed: now.Add(-40 * time.Second), failing: now.Add(-12 * time.Second), problem: errors.New("secret address")}
	const lost = "the database cannot be used for 12s; the log has the cause\n"
	for name, c := range map[string]struct {
		state   fakeStore
		clock   string
		stops   bool
		healthz string
		readyz  string
		disks   []disk.State
	}{
		"well":              {well, "", false, "ok\n", "ok\n", nil},
		"before any commit": {fakeStore{}, "", false, "ok\n", "ok\n", nil},
		"wrong clock":       {well, "the clock is wrong", false, "ok\n", "ok\nthe clock is wrong\n", nil}, // machines are answered all the same
		"database lost":     {failing, "the clock is wrong", false, lost, lost, nil},
		"no commit": {fakeStore{committed: now.Add(-16 * time.Second)}, "", false,
			"the last commit was 16s ago\n", "the last commit was 16s ago\n", nil},
		"stops": {well, "", true, "ok\n", "the server stops\n", nil},
		"no events": {fakeStore{committed: now, listened: now.Add(-time.Minute)}, "", false,
			"ok\n", "ok\nno events of other servers are received since 2026-03-02T09:59:00Z\n", nil},
		"full database": {fakeStore{committed: now, full: now.Add(-29 * time.Second)}, "", false, "ok\n", "ok\nthe disk of the database is full: what needs room is refused\n", nil},
		"was full":      {fakeStore{committed: now, full: now.Add(-time.Minute)}, "", false, "ok\n", "ok\n", nil},
		"full disk": {well, "", false, "ok\n", "ok\nthe disk of the folder /srv has 9 B free of 1000 B: uploads are refused until there is more\n",
			[]disk.State{{Folder: disk.Folder{Dir: "/srv", Uploads: true}, Known: true, Free: 9, Total: 1000, Bounds: disk.Bounds{Reserve: 10}}}},
	} {
		mux, stopping := http.NewServeMux(), new(atomic.Bool)
		stopping.Store(c.stops)
		p := &probes{database: c.state, now: func() time.Time { return now }, clock: func() string { return c.clock }, disks: func() []disk.State { return c.disks }, stopping: stopping}
		p.mount(mux.Handle)
		for path, want := range map[string]string{"/healthz": c.healthz, "/health": c.healthz, "/readyz": c.readyz, "/ready": c.readyz, "/livez": "ok\n", "/live": "ok\n"} {
			status := http.StatusOK
			if !strings.HasPrefix(want, "ok") {
				status = http.StatusServiceUnavailable
			}
			if w := send(mux, "GET", path); w.Code != status || w.Body.String() != want {
				t.Errorf("%s, %s: answered %d %q, want %q", name, path, w.Code, w.Body, want)
			}
		}
	}
}

func TestRequestIDsComeFromTrustedProxiesOnly(t *testing.T) {
	s := testServer(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }) // httptest's peer
	first, second := send(s, "GET", "/healthz").Header().Get("X-Request-Id"), send(s, "GET", "/healthz").Header().Get("X-Request-Id")
	if first == second || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-z]+$`).MatchString(first) {
		t.Errorf("request ids %q and %q", first, second)
	}
	if id := send(s, "GET", "/healthz", "X-Request-Id", "from-proxy.1").Header().Get("X-Request-Id"); id != "from-proxy.1" {
		t.Errorf("the proxy's id was replaced by %q", id)
	}
	if id := send(s, "GET", "/healthz", "X-Request-Id", "a b\n").Header().Get("X-Request-Id"); strings.Contains(id, " ") {
		t.Errorf("invalid request id %q was used", id)
	}
	if id := send(testServer(t, nil), "GET", "/healthz", "X-Request-Id", "mine").Header().Get("X-Request-Id"); id == "mine" {
		t.Error("an untrusted client sets the request id")
	}
}

func TestClientAddressAndSchemeBehindProxies(t *testing.T) {
	v := newResolver([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}, "")
	for _, c := range []struct {
		peer, forwarded, proto string
		address                string
		secure                 bool
	}{
		{"192.0.2.1:1234", "", "", "192.0.2.1", false},
		{"192.0.2.1:1234", "203.0.113.9", "https", "192.0.2.1", false},
		{"10.0.0.1:1234", "203.0.113.9", "https", "203.0.113.9", true},
		{"10.0.0.1:1234", "1.1.1.1, 203.0.113.9, 10.2.2.2", "HTTPS", "203.0.113.9", true},
		{"10.0.0.1:1234", "nonsense", "http", "10.0.0.1", false},
		{"10.0.0.1:1234", "", "", "10.0.0.1", false},
		{"[::1]:1234", "2001:db8::1", "", "2001:db8::1", false},
		{"[::ffff:10.0.0.1]:1234", "203.0.113.9:5555", "", "203.0.113.9", false},
		{"@", "203.0.113.9", "https", "@", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		r.Header.Set("X-Forwarded-Proto", c.proto)
		if address, secure := v.address(r), v.secure(r); address != c.address || secure != c.secure {
			t.Errorf("%+v: address %s, secure %v", c, address, secure)
		}
	}
}

func TestPanicsAreAnsweredWithTheRequestID(t *testing.T) {
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	h := newResolver(nil, "").withID(recoverPanics(logger, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oops") })))
	w := send(h, "GET", "/")
	if id := w.Header().Get("X-Request-Id"); w.Code != 500 || !strings.Contains(w.Body.String(), id) || !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "oops") {
		t.Errorf("%d %s\n%s", w.Code, w.Body, log.String())
	}
}

// The log contains routes, because paths may contain the Omaha secret.
func TestRequestLogContainsNoSecrets(t *testing.T) {
	var log strings.Builder
	s := testServer(t, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	send(s, "POST", "/v1/update/s3cret")
	send(s, "GET", "/healthz")
	if text := log.String(); strings.Contains(text, "s3cret") || !strings.Contains(text, "status=200") || !strings.Contains(text, "/v1/update/") {
		t.Errorf("log: %s", text)
	}
}

func TestDocumentationIsServedBelowDocs(t *testing.T) {
	s := testServer(t, func(o *Options) {
		o.Files = fstest.MapFS{
			"index.html": {Data: []byte("dashboard")}, "docs/index.html": {Data: []byte("start")}, "docs/connect.html": {Data: []byte("connect")},
			"docs/adr.html": {Data: []byte("decisions")}, "docs/adr/0001-x.html": {Data: []byte("first")}, "docs/search.json": {Data: []byte("[]")},
		}
	})
	for path, want := range map[string]string{
		"/docs/": "start", "/docs/connect": "connect", "/docs/adr": "decisions", "/docs/adr/0001-x": "first", "/docs/search.json": "[]", "/docs/nothing": "",
	} {
		r, w := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
		r.Header.Set("Accept", "text/html") // as a browser, which gets the dashboard elsewhere
		s.ServeHTTP(w, r)
		if want == "" && w.Code == 404 || w.Code == 200 && w.Body.String() == want {
			continue
		}
		t.Errorf("%s: %d %s, want %q", path, w.Code, w.Body, want)
	}
}
