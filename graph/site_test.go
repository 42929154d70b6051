package graph_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata" // time zones for machines without a zone database

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/graph"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/remote/payload"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/server"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

func TestMain(m *testing.M) {
	graph.SlowLoaders()
	goleak.VerifyTestMain(m)
}

// site is a complete server with HTTP access. Its database has one application,
// "agent", with the channel "stable" at 2.0.0 and the group "prod".
type site struct {
	*fleet.Service
	t       testing.TB
	ctx     context.Context // of a signed-in user
	store   *store.Store
	http    *httptest.Server
	handler *server.Server
	log     *bytes.Buffer
	offset  atomic.Int64 // of the clock, in nanoseconds

	app, channel, group, pkg uuid.UUID
}

const password = "correct horse"

// loopback lets the server fetch payloads from the servers of the tests.
var loopback = payload.Sources{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

// each runs f on both databases, in parallel with other tests.
func each(t *testing.T, f func(t *testing.T, s *site)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) { f(t, newSite(t, url)) })
}

// oneSite returns a site on SQLite, for tests that do not depend on the database.
func oneSite(t testing.TB) *site { return newSite(t, storetest.SQLite(t)) }

func newSite(t testing.TB, url string, change ...func(*fleet.Options)) *site {
	t.Helper()
	s := &site{t: t, log: &bytes.Buffer{}}
	s.ctx = auth.With(t.Context(), auth.Principal{Name: "olga", TeamID: catalog.DefaultTeamID(), Role: auth.Owner, Credential: auth.CredentialCommand})
	var err error
	if s.store, err = store.Open(t.Context(), store.Options{URL: url}); err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	log := slog.New(slog.NewTextHandler(s.log, nil))
	o := fleet.Options{Store: s.store, Now: s.now, Log: log, Inspect: loopback}
	for _, f := range change {
		f(&o)
	}
	if s.Service, err = fleet.New(t.Context(), o); err != nil {
		t.Fatalf("new service: %v", err)
	}
	t.Cleanup(s.Service.Close)
	s.fill()
	s.handler = server.New(server.Options{
		Fleet: s.Service, Store: s.store, Omaha: omaha.NewHandler(s.Service.Machines, omaha.Options{Now: s.now, Log: log}),
		Log: log, Now: s.now, Version: "test", Postgres: store.IsPostgres(url),
	})
	s.http = httptest.NewServer(s.handler)
	t.Cleanup(func() {
		s.handler.Close()
		s.http.Client().CloseIdleConnections()
		s.http.Close()
	})
	return s
}

// fill creates the objects that the tests use.
func (s *site) fill() {
	s.t.Helper()
	s.must(s.Preinstall(s.ctx))
	s.must(s.Accounts.EnsureFirstUser(s.ctx))
	s.must(second(s.Accounts.CreateUser(s.ctx, account.CreateUser{Username: "ana", Password: password, Role: auth.Owner})))
	app, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: "agent"})
	s.app = must(s, app, err).ID
	channel, err := s.CreateChannel(s.ctx, fleet.CreateChannel{ApplicationID: s.app, Name: "stable"})
	s.channel = must(s, channel, err).ID
	s.pkg = s.release("2.0.0")
	s.must(second(s.PromotePackage(s.ctx, fleet.PromotePackage{ChannelID: s.channel, PackageID: &s.pkg})))
	policy := policy.Default()
	policy.SafeMode, policy.MaxUpdatesPerPeriod, policy.MaxConcurrentUpdates = false, 2, 2
	group, err := s.CreateGroup(s.ctx, fleet.CreateGroup{ApplicationID: s.app, Name: "prod", ChannelID: &s.channel, Policy: &policy})
	s.group = must(s, group, err).ID
}

func (s *site) release(version string) uuid.UUID {
	s.t.Helper()
	row, err := s.CreatePackage(s.ctx, fleet.CreatePackage{
		ApplicationID: s.app, Type: catalog.PackageOther, Version: version, URL: "https://example.com/", Filename: "agent-" + version + ".tar",
		Size: 3_000_000_000, SHA256: strings.Repeat("ab", 32), SHA1: "q83vEjRWeJCrze8SNFZ4kKvN7xI=",
	})
	return must(s, row, err).ID
}

// check sends the update check of a machine.
func (s *site) check(machine, version string) checkin.Answer {
	s.t.Helper()
	answer, err := s.Machines.CheckIn(context.Background(), checkin.CheckIn{
		AppID: s.app.String(), Track: "prod", Machine: machine, Version: version, Attributes: checkin.Attributes{Address: "192.0.2.7"}, Ping: true, UpdateCheck: true,
	})
	return must(s, answer, err)
}

func (s *site) now() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) }

func must[T any](s *site, v T, err error) T {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

// instance returns the id of a machine of the application.
func (s *site) instance(machine string) uuid.UUID { return store.InstanceID(s.app, machine) }
