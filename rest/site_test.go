package rest_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata" // independent of the zones of the machine

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// begin is the start of the tests' clock: a Monday, 10:00 UTC.
var begin = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)

// site is a complete server on a new database with its own clock.
type site struct {
	*fleet.Service
	t     testing.TB
	ctx   context.Context // of an operator who does not use this API
	store *store.Store
	http  *httptest.Server
	log   *bytes.Buffer
	clock atomic.Int64 // microseconds
}

// each runs f on both databases, in parallel with other tests.
func each(t *testing.T, f func(t *testing.T, s *site)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) { f(t, newSite(t, url)) })
}

func newSite(t testing.TB, url string) *site {
	t.Helper()
	s := &site{t: t, log: &bytes.Buffer{}}
	s.clock.Store(begin.UnixMicro())
	s.ctx = auth.With(t.Context(), auth.Principal{Name: "olga", TeamID: catalog.DefaultTeamID(), Role: auth.Owner, Credential: auth.CredentialCommand})
	var err error
	s.store, err = store.Open(t.Context(), store.Options{URL: url})
	s.ok(err)
	t.Cleanup(func() { _ = s.store.Close() })
	log := slog.New(slog.NewTextHandler(s.log, nil))
	s.Service, err = fleet.New(t.Context(), fleet.Options{Store: s.store, Now: s.now, Log: log})
	s.ok(err)
	t.Cleanup(s.Service.Close)
	s.ok(s.Preinstall(s.ctx))
	s.ok(s.Accounts.EnsureFirstUser(s.ctx))
	handler := server.New(server.Options{
		Fleet: s.Service, Store: s.store, Omaha: omaha.NewHandler(s.Service.Machines, omaha.Options{Now: s.now, Log: log}),
		Log: log, Now: s.now, Version: "test", Postgres: store.IsPostgres(url),
	})
	s.http = httptest.NewServer(handler)
	t.Cleanup(func() {
		handler.Close()
		s.http.Client().CloseIdleConnections()
		s.http.Close()
		if text := s.log.String(); strings.Contains(text, "level=ERROR") {
			t.Errorf("the server logged: %s", text)
		}
	})
	return s
}

func (s *site) now() time.Time { return time.UnixMicro(s.clock.Load()).UTC() }

func (s *site) wait(d time.Duration) { s.clock.Add(d.Microseconds()) }

func (s *site) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// ask sends a request with credentials, "name:password", "bearer TOKEN" or "" for
// none, and checks the response against openapi.json.
func (s *site) ask(who, method, path string, body io.Reader, header ...string) reply {
	s.t.Helper()
	r := s.send(who, method, path, body, header...)
	if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/nebraska/") {
		described(s.t, r)
	}
	return r
}

// reply is a response and its request.
type reply struct {
	request *http.Request
	status  int
	header  http.Header
	data    []byte
}

// send is ask without the check.
func (s *site) send(who, method, path string, body io.Reader, header ...string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, body)
	s.ok(err)
	if token, ok := strings.CutPrefix(who, "bearer "); ok {
		req.Header.Set("Authorization", "Bearer "+token)
	} else if name, password, ok := strings.Cut(who, ":"); ok {
		req.SetBasicAuth(name, password)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.http.Client().Do(req)
	s.ok(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	s.ok(err)
	return reply{req, resp.StatusCode, resp.Header, data}
}

// machine sends an Omaha request of a machine and returns the response.
func (s *site) machine(id, version string, group, inside string) string {
	s.t.Helper()
	text := `<?xml version="1.0" encoding="UTF-8"?><request protocol="3.0" installsource="scheduler">` +
		`<os platform="CoreOS"/><app appid="` + s.appOf(group).String() + `" version="` + version + `" track="` + group + `" machineid="` + id + `">` + inside + `</app></request>`
	return string(s.ask("", http.MethodPost, "/v1/update/", strings.NewReader(text)).data)
}

func (s *site) appOf(group string) uuid.UUID {
	s.t.Helper()
	row, err := s.store.Reader().Group.Get(s.ctx, uuid.MustParse(group))
	s.ok(err)
	return row.ApplicationID
}
