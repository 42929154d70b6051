package server

import (
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleetlock"
	"github.com/coreroller/coreroller/graph"
	"github.com/coreroller/coreroller/server/payloads"
	"github.com/coreroller/coreroller/server/signin"
)

// rests are the JSON APIs for scripts.
type rests struct{ coreroller, nebraska http.Handler }

// routes maps every URL to its handler: those of people, of machines and of operations.
func routes(o Options, resolver *resolver, guard *auth.Guard, api *graph.Handler, scripts rests, signIn *signin.Handler) *Server {
	m, problem := newMetrics(), func() string { return "" }
	m.measureConnections(o.Connections)
	m.measureDatabase(o.Store, o.Now)
	m.measureStreams(api.Streams)
	m.show(o.Version)
	if o.Fleet.Upkeep != nil { // nil in tests without a fleet
		m.measureClock(func() float64 { return o.Fleet.Upkeep.Clock().Offset.Seconds() })
		m.measureMirrors(o.Fleet.MirrorStates, o.Now)
		m.measureDisks(o.Fleet.Disk)
		m.countDeletions(o.Fleet.Upkeep.Deletions)
		m.measureJobs(o.Fleet.Upkeep.Jobs, o.Now)
		m.measureAttention(o.Fleet.AttentionCounts, o.Now)
		m.measureRollouts(o.Fleet.RolloutStates, o.Now)
		m.measurePools(o.Fleet.Pools)
		m.measureQueues(o.Fleet.Queues, o.Now)
		problem = func() string { return o.Fleet.Upkeep.Clock().Text }
	}
	if o.Fleet.Machines != nil {
		m.measureLoad(o.Fleet.Machines.Status)
		m.countCheckIns(o.Fleet.Machines.Counts)
		m.countRefusals(o.Fleet.Machines.Refusals())
		m.countRefusedRequests(o.Fleet.Machines.RefusedRequests)
	}
	if o.Fleet.Notices != nil {
		m.countMessages(o.Fleet.Notices.Sent)
	}
	if o.Fleet.Reboots != nil {
		m.measureSlots(o.Fleet.RebootUses)
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

	// The files of packages, for machines: GET /payloads/. Without credentials.
	downloads := payloads.NewFiles(o.Fleet.Hosting, o.Payloads, resolver.address, o.Log)
	m.measureDownloads(downloads.Open)
	stored := m.count(payloads.Pattern, downloads)
	machines.Handle(payloads.Pattern, stored)
	if !o.SeparateMachines {
		mux.Handle(payloads.Pattern, stored)
	}

	// Uploads of those files. Their time and bytes count against no budget.
	uploads := payloads.NewUploads(o.Fleet, requestID, o.Log)
	handle(payloads.Prefix, http.NewCrossOriginProtection().Handler(guard.Require(uploads, uploads.Refusal)))

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
	stopping := new(atomic.Bool)
	health := &probes{database: o.Store, now: o.Now, clock: problem, disks: o.Fleet.Disk.States, stopping: stopping}
	health.mount(handle)
	for _, other := range []*http.ServeMux{machines, operations} {
		health.mount(other.Handle)
	}
	shown := requireToken(o.MetricsToken, m.handler())
	operations.Handle("GET /metrics", shown)
	if !o.SeparateMetrics {
		handle("GET /metrics", shown)
	}

	// The dashboard: its files, and its index page for every other URL.
	handle("GET /assets/", files.assets())
	handle("GET /docs/", files.documentation())
	handle("/", countWrongPaths(o.Fleet, resolver, files.dashboard()))

	// REST: /api/ and, in Nebraska's shapes, /nebraska/. It bypasses the mux, which would answer unclean paths with an
	// HTML redirect.
	routed := servePrefix("/api/", m.count("/api/", resolver.withInfo(scripts.coreroller)), mux)
	routed = servePrefix("/nebraska/", m.count("/nebraska/", resolver.withInfo(scripts.nebraska)), routed)

	// FleetLock: POST /v1/pre-reboot and /v1/steady-state. It bypasses the mux for the
	// same reason.
	locks := machineRoutes(o, resolver, m)
	machineHandler := locks(machines)
	if !o.SeparateMachines {
		routed = locks(routed)
	}

	clients := newClients(o.PerAddress)
	around := func(h http.Handler) http.Handler {
		return resolver.withID(clients.limitForwarded(resolver, logRequests(o.Log, o.Now, recoverPanics(o.Log, h))))
	}
	return &Server{stopping: stopping, handler: around(routed), machines: around(machineHandler), metrics: around(operations)}
}

// machineRoutes returns what adds the FleetLock endpoint to a handler.
func machineRoutes(o Options, resolver *resolver, m *metrics) func(http.Handler) http.Handler {
	if o.Fleet.Reboots == nil { // in tests without a fleet
		return func(next http.Handler) http.Handler { return next }
	}
	endpoint := fleetlock.NewHandler(o.Fleet.Reboots, fleetlock.Options{
		Address: resolver.address, Secret: o.OmahaSecret, Log: o.Log, CrossSite: o.Fleet.Machines.RefuseCrossSite,
		UnknownGroup: func(group, address string) {
			o.Fleet.Machines.Refuse(checkin.Refused{Reason: checkin.RefusedUnknownTrack, App: "FleetLock", Track: group, Address: address})
		},
		Count: m.count,
	})
	return endpoint.Route
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
