package acceptance

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/clock"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/fleetlock"
	"github.com/coreroller/coreroller/omaha"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/rollout/version"
	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/storetest"
)

// begin is the initial time of the tests' clock: a Monday, 10:00 UTC.
var begin = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)

// testClock is a clock that tests set.
type testClock struct{ micro atomic.Int64 }

func (c *testClock) Now() time.Time          { return time.UnixMicro(c.micro.Load()).UTC() }
func (c *testClock) Set(t time.Time)         { c.micro.Store(t.UnixMicro()) }
func (c *testClock) Advance(d time.Duration) { c.micro.Add(d.Microseconds()) }

// server is one server with the interfaces for machines and operators.
type server struct {
	*fleet.Service
	store   *store.Store
	handler http.Handler
}

// operator is the name of the signed-in user.
const operator = "olga"

// site is the setup of the cases: application A, channel C at 2.0.0, group G
// with track t, on one database with one or more servers.
type site struct {
	*server // receives the requests
	t       testing.TB
	url     string // of the database
	omaha   omaha.Options
	quotas  quota.Quotas
	clocks  clockOf         // nil: all servers use clock
	ahead   *atomic.Int64   // of the host with the wrong clock, see clocks_test.go; nanoseconds
	ctx     context.Context // of the operator
	clock   *testClock
	servers []*server

	app, channel, group uuid.UUID
	kind                int8                 // type of its packages
	packages            map[string]uuid.UUID // by version
}

// option changes the setup.
type option func(*setup)

type setup struct {
	policy  rollout.Policy
	kind    int8 // type of the packages
	servers int
	omaha   omaha.Options
	quotas  quota.Quotas // none by default
	empty   bool         // the channel has no package
	clocks  clockOf

	versioning version.Versioning
}

func withPolicy(f func(p *rollout.Policy)) option { return func(s *setup) { f(&s.policy) } }
func program(s *setup)                            { s.kind = catalog.PackageOther }
func numeric(s *setup)                            { program(s); s.versioning = version.Numeric }
func noPackage(s *setup)                          { s.empty = true }
func servers(n int) option                        { return func(s *setup) { s.servers = n } }

// quotas sets what clients without credentials can make the server store.
func quotas(q quota.Quotas) option { return func(s *setup) { s.quotas = q } }

// clockOf returns what the clock of server i reads.
type clockOf func(s *site, n *server, i int) clock.Options

func clocks(f clockOf) option { return func(s *setup) { s.clocks = f } }

func trusting(proxies string) option {
	return func(s *setup) { s.omaha.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(proxies)} }
}

// limit sets both caps to n: grants in a period and grants in flight.
func limit(n int, period time.Duration) option {
	return withPolicy(func(p *rollout.Policy) {
		p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = n, n, period
	})
}

func lease(d time.Duration) option {
	return withPolicy(func(p *rollout.Policy) { p.UpdateTimeout = d })
}

func safeMode(s *setup) { s.policy.SafeMode = true }

// casePolicy returns the default policy of the cases: 2 grants per 15 minutes, a
// lease of 60 minutes, no safe mode, no waves, no halt rule.
func casePolicy() rollout.Policy {
	p := policy.Default()
	p.SafeMode, p.HaltFailureShare = false, 0
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = 2, 2, 15*time.Minute
	return p
}

// each runs f on both databases, in parallel with other tests.
func each(t *testing.T, f func(t *testing.T, s *site), options ...option) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) { f(t, start(t, url, options...)) })
}

// variants runs f for each variant on both databases. The variants share a
// database; each has its own application.
func variants[V any](t *testing.T, all map[string]V, f func(t *testing.T, s *site, v V), options ...option) {
	t.Helper()
	t.Parallel()
	names := slices.Sorted(maps.Keys(all))
	storetest.Each(t, func(t *testing.T, url string) {
		o := newSetup(options)
		host := open(t, url, o)
		sites := map[string]*site{}
		for _, name := range names {
			sites[name] = host.fill(name, o)
		}
		for range o.servers - 1 {
			host.join()
		}
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				s := sites[name]
				s.t, s.servers = t, host.servers
				s.ctx = signedIn(t)
				t.Cleanup(s.recount)
				f(t, s, all[name])
			})
		}
	})
}

// start creates a site on an empty database.
func start(t testing.TB, url string, options ...option) *site {
	t.Helper()
	o := newSetup(options)
	host := open(t, url, o)
	t.Cleanup(func() { host.recount() }) // runs before the servers are closed
	s := host.fill("A", o)
	for range o.servers - 1 {
		host.join()
	}
	s.servers = host.servers
	return s
}

func newSetup(options []option) setup {
	o := setup{policy: casePolicy(), kind: catalog.PackageFlatcar, servers: 1, versioning: version.Semantic}
	for _, change := range options {
		change(&o)
	}
	return o
}

// open starts the first server of a site without an application.
func open(t testing.TB, url string, o setup) *site {
	t.Helper()
	s := &site{t: t, url: url, omaha: o.omaha, quotas: o.quotas, kind: o.kind, clocks: o.clocks, ctx: signedIn(t), ahead: &atomic.Int64{}, clock: &testClock{}}
	s.clock.Set(begin)
	s.join()
	s.server = s.servers[0]
	s.ok(s.Preinstall(s.ctx))
	return s
}

func signedIn(t testing.TB) context.Context {
	return auth.With(t.Context(), auth.Principal{Name: operator, TeamID: catalog.DefaultTeamID(), Role: auth.Owner, Credential: auth.CredentialSession})
}

// fill creates an application with package, channel and group.
func (s *site) fill(name string, o setup) *site {
	s.t.Helper()
	in := *s
	in.packages = map[string]uuid.UUID{}
	app, err := s.CreateApplication(s.ctx, fleet.CreateApplication{Name: name, Versioning: &o.versioning})
	s.ok(err)
	in.app = app.ID
	channel := fleet.CreateChannel{ApplicationID: in.app, Name: "C"}
	if !o.empty {
		id := in.pkg("2.0.0")
		channel.PackageID = &id
	}
	row, err := s.CreateChannel(s.ctx, channel)
	s.ok(err)
	in.channel = row.ID
	in.group = in.newGroup("G", "t", o.policy)
	return &in
}

// join starts another server on the site's database. On SQLite the servers share
// the store, because only one process may open the database.
func (s *site) join() {
	s.t.Helper()
	n := &server{}
	if len(s.servers) > 0 && !store.IsPostgres(s.url) {
		n.store = s.servers[0].store
	} else {
		n.store = openStore(s.t, s.url)
	}
	var err error
	settings := fleet.Options{Store: n.store, Now: s.clock.Now, Log: slog.New(slog.DiscardHandler), Quotas: s.quotas, MachineCertificates: true}
	if s.clocks != nil {
		reads := s.clocks(s, n, len(s.servers))
		reads.Log = settings.Log
		settings.Clock, err = clock.New(s.ctx, reads)
		s.ok(err)
		settings.Now = settings.Clock.Now
	}
	n.Service, err = fleet.New(s.ctx, settings)
	s.ok(err)
	s.t.Cleanup(n.Close)
	o := s.omaha
	o.Now, o.Log, o.CrossSite = settings.Now, slog.New(slog.DiscardHandler), n.Machines.RefuseCrossSite
	mux := http.NewServeMux()
	omaha.NewHandler(n.Service.Machines, o).Mount(mux)
	n.handler = fleetlock.NewHandler(n.Reboots, fleetlock.Options{Address: omaha.Proxies(o.TrustedProxies).ClientAddress, Secret: o.Secret, Log: o.Log}).Route(mux)
	s.servers = append(s.servers, n)
}

func openStore(t testing.TB, url string) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// on returns the site with requests sent to server i.
func (s *site) on(i int) *site {
	other := *s
	other.server = s.servers[i]
	return &other
}

// advance moves the clock.
func (s *site) advance(d time.Duration) { s.clock.Advance(d) }

// work runs the server's background work once.
func (s *site) work() {
	s.t.Helper()
	s.ok(s.Upkeep.Work(s.ctx))
}

func (s *site) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// refused checks that an operation failed with a code and a message.
func (s *site) refused(err error, code fault.Code) {
	s.t.Helper()
	if fault.CodeOf(err) != code || strings.TrimSpace(err.Error()) == "" {
		s.t.Errorf("got %v (code %q), want code %q", err, fault.CodeOf(err), code)
	}
}
