package server

import (
	"net/http"
	"strings"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/graph"
	"github.com/coreroller/coreroller/rest"
	"github.com/coreroller/coreroller/server/signin"
)

// routes maps every URL to its handler: those of people, of machines and of operations.
func routes(o Options, resolver *resolver, guard *auth.Guard, api *graph.Handler, scripts *rest.Handler, signIn *signin.Handler) *Server {
	m, problem := newMetrics(), func() string { return "" }
	if o.Fleet.Upkeep != nil { // nil in tests without a fleet
		m.measureClock(func() float64 { return o.Fleet.Upkeep.Clock().Offset.Seconds() })
		problem = func() string { return o.Fleet.Upkeep.Clock().Text }
	}
	if o.Fleet.Machines != nil {
		m.countRefusals(o.Fleet.Machines.Refusals())
		m.countRefusedRequests(o.Fleet.Machines.RefusedRequests)
	}
	if o.Fleet.Notices != nil {
		m.countMessages(o.Fleet.Notices.Sent)
	}
	files := newFiles(o.Files)
	mux, machines, operations := http.NewServeMux(), http.NewServeMux(), http.NewServeMux()
	handle := func(pattern string, h http.Handler) { mux.Handle(pattern, m.count(pattern, resolver.withInfo(h))) }

	// Machines: POST /v1/update/ and /omaha/. Without middleware, because this is
	// the hot path.
	o.Omaha.Mount(machines)
	if !o.SeparateMachines {
		o.Omaha.Mount(mux)
	}

	// GraphQL. Browsers send cookies with requests of other sites too, so writes
	// of those are rejected. The websocket checks its origin itself.
	handle("/graphql", http.NewCrossOriginProtection().Handler(guard.Handler(api)))
	handle("GET /export/activity", api.ExportActivity())
	handle("GET /export/audit", api.ExportAudits())
	handle("GET /playground", files.page("playground/index.html", playgroundPolicy))
	handle("GET /playground/{$}", http.RedirectHandler("/playground", http.StatusMovedPermanently))

	// Sign-in with identity providers. A provider sends the browser here from its own site.
	handle("GET "+signin.Prefix, guard.Anonymous(signIn))

	// Operations.
	handle("GET /healthz", health(o.Store))
	handle("GET /readyz", ready(o.Store, problem))
	for _, other := range []*http.ServeMux{machines, operations} {
		other.Handle("GET /healthz", health(o.Store))
		other.Handle("GET /readyz", ready(o.Store, problem))
	}
	operations.Handle("GET /metrics", m.handler())
	if !o.SeparateMetrics {
		handle("GET /metrics", m.handler())
	}

	// The dashboard: its files, and its index page for every other URL.
	handle("GET /assets/", files.assets())
	handle("/", countWrongPaths(o.Fleet, resolver, files.dashboard()))

	// REST: /api/. It bypasses the mux, which would answer unclean paths with an
	// HTML redirect.
	routed := servePrefix("/api/", m.count("/api/", resolver.withInfo(scripts)), mux)

	clients := newClients(o.PerAddress)
	around := func(h http.Handler) http.Handler {
		return resolver.withID(clients.limitForwarded(resolver, logRequests(o.Log, o.Now, recoverPanics(o.Log, h))))
	}
	return &Server{handler: around(routed), machines: around(machines), metrics: around(operations)}
}

// countWrongPaths counts POST requests to a path without a service: clients of the
// APIs have an error at once, but a machine with a wrong address keeps asking.
func countWrongPaths(f *fleet.Service, resolver *resolver, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			f.Machines.RefusePath(resolver.address(r))
		}
		next.ServeHTTP(w, r)
	})
}

// servePrefix passes paths with the prefix to h unchanged, and others to next.
func servePrefix(prefix string, h, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, prefix) {
			next.ServeHTTP(w, r)
			return
		}
		r.Pattern = prefix // for the log
		h.ServeHTTP(w, r)
	})
}
