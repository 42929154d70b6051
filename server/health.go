package server

import (
	"context"
	"io"
	"net/http"
	"time"
)

// healthTimeout limits the database ping. It is shorter than the usual timeout
// of a health check, so that the check gets a response.
const healthTimeout = 2 * time.Second

// pinger is the part of the store that health needs.
type pinger interface {
	Ping(ctx context.Context) error
}

// health answers 200 if the database responds, else 503.
func health(store pinger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
		defer cancel()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if err := store.Ping(ctx); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "the database does not respond\n")
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
}
