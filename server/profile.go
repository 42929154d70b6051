package server

import (
	"net/http"
	"net/http/pprof"
)

// Profile serves the profiles of the running program under /debug/pprof/. They
// show parts of its memory and cost time, so the handler belongs behind a
// listener of its own that only whoever runs the server reaches.
func Profile() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // heap, goroutine, mutex and the others by their names
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
