// Package server puts everything behind one port: the dialects, the dashboard,
// health and metrics. It knows addresses and headers, and nothing of what is
// behind a route.
package server

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/frontend"
	"github.com/coreroller/coreroller/graph"
	"github.com/coreroller/coreroller/rest"
)

// Options is what a server is made of.
type Options struct {
	Fleet *fleet.Service
	Store graph.Store
	Omaha Mounter
	Log   *slog.Logger
	Now   func() time.Time

	// TrustedProxies are the peers whose X-Forwarded-For and X-Forwarded-Proto
	// are believed.
	TrustedProxies []netip.Prefix
	// OmahaSecret is the last part of the update URL, "" for none; to be shown
	// to whoever connects machines.
	OmahaSecret string
	Version     string
	Postgres    bool // the database is PostgreSQL, for serverInfo
	// Files is the built dashboard; nil is the embedded one.
	Files fs.FS
}

// Mounter puts the Omaha endpoint on its paths.
type Mounter interface{ Mount(mux *http.ServeMux) }

// Server is the handler of all routes.
type Server struct {
	handler http.Handler
	api     *graph.Handler
}

// New makes a Server.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Files == nil {
		o.Files = frontend.Dist()
	}
	visits := newVisitor(o.TrustedProxies, o.OmahaSecret)
	guard := auth.NewGuard(auth.Options{
		Directory: o.Fleet.Accounts, Now: o.Now, Realm: "coreroller.org", Address: visits.address, Secure: visits.secure,
	})
	api := graph.NewHandler(graph.Options{
		Fleet: o.Fleet, Store: o.Store, Guard: guard, Now: o.Now, RequestID: requestID, Log: o.Log,
		Server: graph.Server{Version: o.Version, StartedAt: o.Now(), Postgres: o.Postgres, UpdateURL: updateURL},
	})
	scripts := rest.NewHandler(rest.Options{Fleet: o.Fleet, Store: o.Store, Guard: guard, Now: o.Now, RequestID: requestID, Log: o.Log})
	return &Server{handler: routes(o, visits, guard, api, scripts), api: api}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends subscriptions and waits for them; other requests are not touched.
// http.Server.Shutdown does not end them by itself: register Close with
// RegisterOnShutdown. It may be called twice.
func (s *Server) Close() { s.api.Close() }
