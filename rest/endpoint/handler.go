// Package endpoint is what the JSON APIs for scripts have in common: routes behind the
// guard, readers of bodies and parameters, lists that are sent in parts, and errors. The
// shapes of an API are in a package of its own.
package endpoint

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"

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

// Dialect is what differs between the APIs.
type Dialect struct {
	// Fields are the names of this API for fields of a verb's input that have another
	// name there.
	Fields map[string]string
	// Foreign are fields that are refused, with the reason.
	Foreign map[string]string
	// Named returns the application with a name in a path; nil: the name is its id.
	Named func(ctx context.Context, name string) (uuid.UUID, error)
	// Missing is the status for a change of an object that does not exist.
	Missing int
	// Description is the OpenAPI description.
	Description []byte
}

// Server serves the routes of one API.
type Server struct {
	Options
	Dialect
	Places Places
	routes *http.ServeMux
	inner  http.Handler // behind authentication
}

// NewServer returns an API without routes.
func NewServer(o Options, d Dialect) *Server {
	s := &Server{Options: o, Dialect: d, routes: http.NewServeMux(), Places: newPlaces()}
	// Browsers also send cookies and saved passwords with requests of other sites,
	// which therefore must not write. Scripts are not affected.
	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, fault.Errorf(fault.Forbidden, "", "cross-site requests must not change anything"))
	}))
	s.inner = foreign.Handler(o.Guard.Require(http.HandlerFunc(s.route), s.turnAway))
	return s
}

// One adds a route whose response is one JSON value; nil means 204.
func (s *Server) One(pattern string, f func(w http.ResponseWriter, r *http.Request) (any, error)) {
	s.routes.Handle(pattern, s.answer(f))
}

// Many adds a route whose response is a list.
func (s *Server) Many(pattern string, f func(r *http.Request) (List, error)) {
	s.routes.Handle(pattern, s.stream(f))
}

// Describe adds the route of the description.
func (s *Server) Describe(pattern string) {
	s.routes.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(s.Description)
	})
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	s.inner.ServeHTTP(w, r)
}

// turnAway answers 401 with the text of CoreRoller 1.0, and other refusals of the
// guard with an error like all others.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("Unauthorized"))
		return
	}
	s.Send(w, r, status, problem{Code: strings.ToLower(code), Message: message})
}

// route calls the handler of the route. Responses of the router itself, which are
// HTML or plain text, become JSON errors.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	if who, ok := auth.From(r.Context()); ok {
		w.Header().Set("X-Authenticated-Username", who.Name)
	}
	handler, pattern := s.routes.Handler(r)
	own := &unsent{header: http.Header{}}
	if pattern == "" {
		handler.ServeHTTP(own, r)
	}
	clean := path.Clean(r.URL.Path) == r.URL.Path // the router would redirect any other path
	switch {
	case clean && pattern == "" && own.status == http.StatusMethodNotAllowed:
		w.Header().Set("Allow", own.header.Get("Allow"))
		s.Send(w, r, own.status, problem{Code: string(fault.Invalid), Message: "the method " + r.Method + " is not allowed here"})
	case !clean || pattern == "":
		s.Send(w, r, http.StatusNotFound, problem{Code: string(fault.NotFound), Message: "there is no such route"})
	default:
		s.routes.ServeHTTP(w, r)
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
func (s *Server) answer(f func(w http.ResponseWriter, r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := limited(r, func(ctx context.Context) (any, error) { return f(w, r.WithContext(ctx)) })
		switch {
		case err != nil:
			s.refuse(w, r, err)
		case v == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			s.Send(w, r, http.StatusOK, v)
		}
	})
}

// Send writes a JSON response.
func (s *Server) Send(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.Log.ErrorContext(r.Context(), "rest response cannot be encoded", "request", s.RequestID(r.Context()), "err", err)
		http.Error(w, `{"code":"internal","field":"","message":"internal error"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
