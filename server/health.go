package server

import (
	"context"
	"io"
	"net/http"
	"time"
)

// healthTime is how long the database may take to answer before the server
// counts as ill: shorter than the patience of whoever asks.
const healthTime = 2 * time.Second

// pinger is what health needs of the store.
type pinger interface {
	Ping(ctx context.Context) error
}

// health says whether the server can do its work: whether the database answers.
func health(store pinger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), healthTime)
		defer cancel()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if err := store.Ping(ctx); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "the database does not answer\n")
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
}
