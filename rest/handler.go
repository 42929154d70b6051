// Package rest is the JSON API of CoreRoller 1.0, kept for existing scripts: its
// routes, JSON shapes and status codes. It translates to fleet's verbs and reads
// and has no rules of its own. docs/rest.md is its manual.
package rest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
)

const (
	// answerTime limits a response, and each chunk of a list, because the database
	// has other clients.
	answerTime = 20 * time.Second
	// readTime is how long a client may take to read one chunk of a list.
	readTime = time.Minute
)

// Options configures the API. All fields are required.
type Options struct {
	Fleet *fleet.Service
	Guard Guard
	Now   func() time.Time
	// RequestID returns the request id of a context, for errors.
	RequestID func(context.Context) string
	// Log receives internal errors.
	Log *slog.Logger
}

// Guard is the part of auth.Guard that the API uses.
type Guard interface {
	// Require refuses requests without valid credentials.
	Require(next http.Handler, refusal auth.Refusal) http.Handler
	// Try checks a password; soon after failures it returns auth.TooManyTries instead.
	Try(ctx context.Context, username string, f func(context.Context) error) error
	// Forget clears the cache of verified passwords.
	Forget()
}

// Handler serves everything below /api/.
type Handler struct {
	Options
	routes *http.ServeMux
	places places
	inner  http.Handler // behind authentication
}

// NewHandler returns the API.
func NewHandler(o Options) *Handler {
	h := &Handler{Options: o, routes: http.NewServeMux(), places: newPlaces()}
	h.mount()
	// Browsers also send cookies and saved passwords with requests of other sites,
	// which therefore must not write. Scripts are not affected.
	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.refuse(w, r, fault.Errorf(fault.Forbidden, "", "cross-site requests must not change anything"))
	}))
	h.inner = foreign.Handler(o.Guard.Require(http.HandlerFunc(h.route), h.turnAway))
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	h.inner.ServeHTTP(w, r)
}

// turnAway answers 401 with the text of CoreRoller 1.0, and other refusals of the
// guard with an error like all others.
func (h *Handler) turnAway(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("Unauthorized"))
		return
	}
	h.send(w, r, status, problem{Code: strings.ToLower(code), Message: message})
}

// route calls the handler of the route. Responses of the router itself, which are
// HTML or plain text, become JSON errors.
func (h *Handler) route(w http.ResponseWriter, r *http.Request) {
	if who, ok := auth.From(r.Context()); ok {
		w.Header().Set("X-Authenticated-Username", who.Name)
	}
	handler, pattern := h.routes.Handler(r)
	own := &unsent{header: http.Header{}}
	if pattern == "" {
		handler.ServeHTTP(own, r)
	}
	clean := path.Clean(r.URL.Path) == r.URL.Path // the router would redirect any other path
	switch {
	case clean && pattern == "" && own.status == http.StatusMethodNotAllowed:
		w.Header().Set("Allow", own.header.Get("Allow"))
		h.send(w, r, own.status, problem{Code: string(fault.Invalid), Message: "the method " + r.Method + " is not allowed here"})
	case !clean || pattern == "":
		h.send(w, r, http.StatusNotFound, problem{Code: string(fault.NotFound), Message: "there is no such route"})
	default:
		h.routes.ServeHTTP(w, r)
	}
}

// unsent discards a response and keeps its status and header.
type unsent struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (u *unsent) Header() http.Header { return u.header }

// Write implements http.ResponseWriter.
func (u *unsent) Write(data []byte) (int, error) { return len(data), nil }

// WriteHeader implements http.ResponseWriter.
func (u *unsent) WriteHeader(status int) { u.status = status }

// answer serves a route whose response is one JSON value; nil means 204.
func (h *Handler) answer(f func(w http.ResponseWriter, r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := limited(r, func(ctx context.Context) (any, error) { return f(w, r.WithContext(ctx)) })
		switch {
		case err != nil:
			h.refuse(w, r, err)
		case v == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			h.send(w, r, http.StatusOK, v)
		}
	})
}

// send writes a JSON response.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		h.Log.ErrorContext(r.Context(), "rest response cannot be encoded", "request", h.RequestID(r.Context()), "err", err)
		http.Error(w, `{"code":"internal","field":"","message":"internal error"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
