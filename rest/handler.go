// Package rest is the JSON API of CoreRoller 1.0, kept for the scripts that
// were written for it: its routes, shapes and codes. It translates to the verbs
// of the fleet and holds no rules; docs/rest.md is its manual.
package rest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
)

const (
	// answerTime bounds one answer, and each piece of a long list: the database
	// has other callers.
	answerTime = 20 * time.Second
	// readTime is how long a client may take to read one piece of a long list.
	readTime = time.Minute
)

// Options are what the API is made of.
type Options struct {
	Fleet *fleet.Service
	Guard Guard
	Now   func() time.Time
	// RequestID is the id of the request a context belongs to, for errors.
	RequestID func(context.Context) string
	// Log gets failures that are ours.
	Log *slog.Logger
}

// Guard is what the API needs of auth.Guard.
type Guard interface {
	// Require lets nobody in who is not signed in.
	Require(next http.Handler, refusal auth.Refusal) http.Handler
	// Forget drops what is remembered of passwords.
	Forget()
}

// Handler serves everything below /api/.
type Handler struct {
	Options
	routes *http.ServeMux
	places places
	inner  http.Handler // behind authentication
}

// NewHandler makes the API.
func NewHandler(o Options) *Handler {
	h := &Handler{Options: o, routes: http.NewServeMux()}
	h.mount()
	// A browser sends cookies and remembered passwords along for other sites'
	// pages too: those may not write. Scripts are no browsers.
	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.refuse(w, r, fault.Errorf(fault.Forbidden, "", "a page of another site may not do this"))
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

// turnAway answers a stranger as CoreRoller 1.0 did, and others who cannot be
// let in as every other error is answered.
func (h *Handler) turnAway(w http.ResponseWriter, r *http.Request, status int, _, message string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("Unauthorized"))
		return
	}
	h.send(w, r, status, problem{Code: string(fault.Unavailable), Message: message})
}

// route finds the route. What the router itself would answer, in HTML or plain
// text, becomes an error like the others.
func (h *Handler) route(w http.ResponseWriter, r *http.Request) {
	if who, ok := auth.From(r.Context()); ok {
		w.Header().Set("X-Authenticated-Username", who.Name)
	}
	handler, pattern := h.routes.Handler(r)
	own := &unsent{header: http.Header{}}
	if pattern == "" {
		handler.ServeHTTP(own, r)
	}
	switch {
	case path.Clean(r.URL.Path) != r.URL.Path: // the router would redirect it
		h.send(w, r, http.StatusNotFound, problem{Code: string(fault.NotFound), Message: "there is no such route"})
	case pattern == "" && own.status == http.StatusMethodNotAllowed:
		w.Header().Set("Allow", own.header.Get("Allow"))
		h.send(w, r, own.status, problem{Code: string(fault.Invalid), Message: r.Method + " is not possible here"})
	case pattern == "":
		h.send(w, r, http.StatusNotFound, problem{Code: string(fault.NotFound), Message: "there is no such route"})
	default:
		h.routes.ServeHTTP(w, r)
	}
}

// unsent takes an answer that is not sent.
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

// answer serves a route whose answer is one JSON value; nil is 204.
func (h *Handler) answer(f func(w http.ResponseWriter, r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), answerTime)
		defer cancel()
		v, err := f(w, r.WithContext(ctx))
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

// send answers with a JSON value.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		h.Log.ErrorContext(r.Context(), "rest answer cannot be written", "request", h.RequestID(r.Context()), "err", err)
		http.Error(w, `{"code":"internal","field":"","message":"internal error"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
