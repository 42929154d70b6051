package server

import (
	"net/http"
	"strings"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/graph"
	"github.com/coreroller/coreroller/rest"
)

// routes is the whole URL map.
func routes(o Options, visits *visitor, guard *auth.Guard, api *graph.Handler, scripts *rest.Handler) http.Handler {
	m := newMetrics()
	files := newFiles(o.Files)
	mux := http.NewServeMux()
	page := func(pattern string, h http.Handler) { mux.Handle(pattern, m.count(pattern, visits.known(h))) }

	// Machines: POST /v1/update/ and /omaha/. The hot path: nothing around it.
	o.Omaha.Mount(mux)

	// People and scripts. Cookies are sent along by other sites' pages too:
	// those may not write. The websocket checks its origin itself.
	page("/graphql", http.NewCrossOriginProtection().Handler(guard.Handler(api)))
	page("GET /playground", files.page("playground/index.html", playgroundPolicy))
	page("GET /playground/{$}", http.RedirectHandler("/playground", http.StatusMovedPermanently))

	// Operations.
	page("GET /healthz", health(o.Store))
	page("GET /metrics", m.handler())

	// The dashboard: its files, and its page for every other address.
	page("GET /assets/", files.assets())
	page("/", files.dashboard())

	// Scripts: /api/. It answers each address below itself: this router would
	// redirect those that are not clean, in HTML.
	routed := apart("/api/", m.count("/api/", scripts), mux)

	return visits.handler(logged(o.Log, o.Now, safe(o.Log, routed)))
}

// apart serves all paths with a prefix as they are, and others by next.
func apart(prefix string, h, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, prefix) {
			next.ServeHTTP(w, r)
			return
		}
		r.Pattern = prefix // for the log
		h.ServeHTTP(w, r)
	})
}
