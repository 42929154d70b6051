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

const (
	// chunk is how many bytes of a response a client must receive within chunkTime,
	// else its connection is closed. A long download may take any time.
	chunk     = 64 << 10
	chunkTime = 30 * time.Second
)

// recorder stores the status and size of a response, and gives up on clients that do
// not read it. Websockets need Hijack, event streams Flush, and
// http.ResponseController Unwrap.
type recorder struct {
	http.ResponseWriter
	code        int
	bytes       int64
	ownDeadline bool // the handler sets write deadlines
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
func (w *recorder) Write(data []byte) (written int, err error) {
	for first := true; err == nil && (first || written < len(data)); first = false {
		part := data[written:min(written+chunk, len(data))]
		if !w.ownDeadline {
			// Recorders of tests have no deadlines and return an error.
			_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(chunkTime))
		}
		var n int
		n, err = w.ResponseWriter.Write(part)
		written += n
	}
	w.bytes += int64(written)
	return written, err
}

// SetWriteDeadline is for http.ResponseController.
func (w *recorder) SetWriteDeadline(t time.Time) error {
	w.ownDeadline = true
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(t)
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
