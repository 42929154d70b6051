// Package server serves every route of the program on one port: the three APIs,
// the dashboard, health and metrics. It knows URLs and headers, not what the
// handlers do.
package server

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/frontend"
	"github.com/coreroller/coreroller/graph"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rest"
	"github.com/coreroller/coreroller/rest/endpoint"
	"github.com/coreroller/coreroller/rest/nebraska"
	"github.com/coreroller/coreroller/server/payloads"
	"github.com/coreroller/coreroller/server/signin"
)

// Options configure a Server.
type Options struct {
	Fleet *fleet.Service
	Store Store
	Omaha Mounter
	Log   *slog.Logger // nil discards
	Now   func() time.Time

	// TrustedProxies are the peers whose X-Forwarded-For, X-Forwarded-Proto and
	// X-Request-Id headers are used.
	TrustedProxies []netip.Prefix
	// OmahaSecret is the last segment of the update URL that the dashboard
	// shows, "" for none.
	OmahaSecret string
	// PerAddress limits the requests in progress of one client behind a trusted proxy;
	// 0 is no limit.
	PerAddress int
	// SeparateMachines and SeparateMetrics remove the update URL and the metrics from
	// the main handler: Machines and Metrics serve them on listeners of their own.
	SeparateMachines, SeparateMetrics bool
	// MetricsToken is what a request of the metrics must have; "" is none.
	MetricsToken string
	// Connections are those of all listeners, for the metrics.
	Connections []*Connections
	// MachinesPort is the port of the update URL with SeparateMachines.
	MachinesPort string
	// Introspection decides who may read the schema.
	Introspection graph.Introspection
	// UserBudget is what each signed-in caller may use per minute. Zero is no limit,
	// also for callers without credentials.
	UserBudget auth.Budget
	// Payloads limits the downloads of stored files.
	Payloads payloads.Limits
	Version  string
	Postgres bool // the database is PostgreSQL; shown by serverInfo
	// SignIns are the identity providers that users can sign in with.
	SignIns []signin.Provider
	// Files is the built dashboard. Nil uses the embedded one.
	Files fs.FS
}

// Store is the part of store.Store that the server needs.
type Store interface {
	graph.Store
	databaseState
}

// Mounter registers the routes of the Omaha endpoint.
type Mounter interface{ Mount(mux *http.ServeMux) }

// Server is the handler of all routes.
type Server struct {
	handler, machines, metrics http.Handler
	stopping                   *atomic.Bool
	api                        *graph.Handler
	signIn                     *signin.Handler
}

// New returns a Server.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Files == nil {
		o.Files = frontend.Dist()
	}
	resolver := newResolver(o.TrustedProxies, o.OmahaSecret)
	resolver.machinesPort, resolver.log = o.MachinesPort, o.Log
	signIn := signin.New(signin.Options{
		Providers: o.SignIns, Accounts: o.Fleet.Accounts, Now: o.Now, Log: o.Log, Address: resolver.origin, Secure: resolver.secure,
	})
	guard := auth.NewGuard(auth.Options{
		Directory: signIn.Directory(o.Fleet.Accounts), Now: o.Now, Realm: "coreroller.org", Address: resolver.address, Secure: resolver.secure,
	})
	var budgets *auth.Budgets
	if o.UserBudget != (auth.Budget{}) {
		budgets = auth.NewBudgets(o.UserBudget, auth.AnonymousBudget(), o.Now)
	}
	api := graph.NewHandler(graph.Options{
		Fleet: o.Fleet, Store: o.Store, Guard: guard, Budgets: budgets, Introspection: o.Introspection, Now: o.Now, RequestID: requestID, Log: o.Log,
		Server: graph.Server{
			Version: o.Version, StartedAt: o.Now(), Postgres: o.Postgres, UpdateURL: updateURL,
			SignIns: signInOptions(o.SignIns), EndURL: signIn.EndURL,
		},
	})
	scripts := endpoint.Options{Fleet: o.Fleet, Guard: budgetGuard{guard, budgets}, Now: o.Now, RequestID: requestID, Log: o.Log}
	s := routes(o, resolver, guard, api, rests{rest.NewHandler(scripts), nebraska.NewHandler(scripts)}, signIn)
	s.api, s.signIn = api, signIn
	return s
}

func signInOptions(providers []signin.Provider) []*model.SignInOption {
	all := make([]*model.SignInOption, len(providers))
	for i, p := range providers {
		all[i] = &model.SignInOption{Name: p.Name(), Path: signin.StartPath(p)}
	}
	return all
}

// Machines is the handler of the update URL and the health, for a listener of its own.
func (s *Server) Machines() http.Handler { return s.machines }

// Metrics is the handler of the metrics and the health, for a listener of its own.
func (s *Server) Metrics() http.Handler { return s.metrics }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain lets /readyz answer that the server stops. Everything is answered as before: load
// balancers need some seconds to notice.
func (s *Server) Drain() { s.stopping.Store(true) }

// Close ends all subscriptions and the checks of sessions, and waits for them. Other requests
// continue.
// http.Server.Shutdown does not end subscriptions, so register Close with
// RegisterOnShutdown. It may be called twice.
func (s *Server) Close() {
	s.api.Close()
	s.signIn.Close()
}
