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

// ready answers like health, and says on a second line what this process does not do
// because the clock of its host is wrong. It is ready all the same: it answers
// machines with the right time. If it were not, the wrong clock of a database would
// stop all processes at once.
func ready(store pinger, problem func() string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text := problem(); answerHealth(store, w, r) && text != "" {
			_, _ = io.WriteString(w, text+"\n")
		}
	})
}

// health answers 200 if the database responds, else 503.
func health(store pinger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answerHealth(store, w, r) })
}

// answerHealth reports whether the database responds.
func answerHealth(store pinger, w http.ResponseWriter, r *http.Request) bool {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := store.Ping(ctx); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "the database does not respond\n")
		return false
	}
	_, _ = io.WriteString(w, "ok\n")
	return true
}
