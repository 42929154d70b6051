package server

import (
	"bufio"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

// recoverPanics answers a panic with 500 and the request id, and logs the stack.
func recoverPanics(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // the handler aborts the connection on purpose
			}
			log.ErrorContext(r.Context(), "handler panicked", "request", idOf(w), "panic", p, "stack", string(debug.Stack()))
			http.Error(w, "internal error, request id "+idOf(w), http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// logRequests logs each request at debug level. At other levels it costs one
// comparison.
func logRequests(log *slog.Logger, now func() time.Time, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !log.Enabled(r.Context(), slog.LevelDebug) {
			next.ServeHTTP(w, r)
			return
		}
		started := now()
		rec := &recorder{ResponseWriter: w}
		next.ServeHTTP(rec, r)
		// The route, not the path, because the path may contain the Omaha secret.
		log.DebugContext(r.Context(), "request", "request", idOf(w), "method", r.Method, "route", r.Pattern,
			"status", rec.status(), "bytes", rec.bytes, "duration", now().Sub(started), "peer", r.RemoteAddr)
	})
}

// recorder stores the status and size of a response. Websockets need Hijack,
// event streams Flush, and http.ResponseController Unwrap.
type recorder struct {
	http.ResponseWriter
	code  int
	bytes int64
}

func (w *recorder) status() int {
	if w.code == 0 {
		return http.StatusOK
	}
	return w.code
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(data []byte) (int, error) {
	n, err := w.ResponseWriter.Write(data)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher.
func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Hijack implements http.Hijacker.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.code = http.StatusSwitchingProtocols
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
