package fleetlock

import (
	"context"
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/reboot"
)

const (
	// maxBody is far above what clients send, some 150 bytes.
	maxBody = 16 << 10
	// maxGroup is the longest name of a group in bytes.
	maxGroup = 253
	// defaultMaxInFlight limits the requests that wait for the database. A client asks
	// once in five minutes, so that 100 of them serve far more than 10,000 clients.
	defaultMaxInFlight = 100
	// retryAfter is the interval of Zincati. It ignores the header; other clients do not.
	retryAfter = 5 * time.Minute
)

// Fleet is the part of reboot.Service that the endpoint uses. An error without a code
// of fault is a server fault.
type Fleet interface {
	Take(ctx context.Context, r reboot.Request) (reboot.Answer, error)
	GiveBack(ctx context.Context, r reboot.Request) error
}

// Options configure a Handler. Address must be set.
type Options struct {
	// Address returns the address of the client, through trusted proxies.
	Address func(*http.Request) string
	// Secret is a segment that the path must have, or ""; see Route.
	Secret string
	// Log receives one line per failed request. Nil uses slog.Default.
	Log *slog.Logger
	// CrossSite is called for each refused request of another site. Nil does nothing.
	CrossSite func()
	// UnknownGroup is called with the group and the address of each request that named an
	// unknown group. Nil does nothing.
	UnknownGroup func(group, address string)
	// Count wraps the handler of a route, to count its requests. Nil does nothing.
	Count func(route string, next http.Handler) http.Handler
	// MaxInFlight limits the concurrent requests; 0 is 100. Further ones get 503.
	MaxInFlight int
}

// Handler answers FleetLock requests. It is safe for concurrent use.
type Handler struct {
	fleet    Fleet
	o        Options
	sites    *http.CrossOriginProtection
	routes   map[operation]http.Handler
	limit    int64
	inFlight atomic.Int64
}

// NewHandler returns a Handler. Serve it with Route.
func NewHandler(f Fleet, o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.CrossSite == nil {
		o.CrossSite = func() {}
	}
	if o.UnknownGroup == nil {
		o.UnknownGroup = func(string, string) {}
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = defaultMaxInFlight
	}
	if o.Count == nil {
		o.Count = func(_ string, next http.Handler) http.Handler { return next }
	}
	h := &Handler{fleet: f, o: o, sites: http.NewCrossOriginProtection(), limit: int64(o.MaxInFlight)}
	h.routes = map[operation]http.Handler{}
	for _, op := range []operation{preReboot, steadyState} {
		h.routes[op] = o.Count(route(op), http.HandlerFunc(h.serve))
	}
	return h
}

// serve answers one request of an operation. It ignores the content type: Zincati sends
// none.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	p, _ := parsePath(r.URL.Path, h.o.Secret)
	if subtle.ConstantTimeCompare([]byte(p.secret), []byte(strings.Trim(h.o.Secret, "/"))) != 1 {
		fail(w, errNoPath)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		fail(w, errMethod)
		return
	}
	if h.sites.Check(r) != nil {
		h.o.CrossSite()
		fail(w, errSite)
		return
	}
	if values := r.Header["Fleet-Lock-Protocol"]; len(values) != 1 || values[0] != "true" {
		fail(w, errHeader)
		return
	}
	q, problem := read(w, r)
	if problem != nil {
		fail(w, *problem)
		return
	}
	q.Address, q.Secret, q.Certificate = h.o.Address(r), secretOf(r, p.machineSecret), certificateOf(r)
	if h.inFlight.Add(1) > h.limit {
		h.inFlight.Add(-1)
		fail(w, errBusy)
		return
	}
	defer h.inFlight.Add(-1)
	if p.operation == steadyState {
		if err := h.fleet.GiveBack(r.Context(), q); err != nil {
			h.failed(w, r, &q, err)
			return
		}
		succeed(w, "no reboot slot is held")
		return
	}
	answer, err := h.fleet.Take(r.Context(), q)
	switch {
	case err != nil:
		h.failed(w, r, &q, err)
	case !answer.Decision.Reason.Allows():
		fail(w, failure{http.StatusConflict, kind(answer.Decision.Reason.String()), "group " + answer.Group.Name + ": " + answer.Decision.Detail()})
	default:
		succeed(w, answer.Decision.Detail())
	}
}

// failed answers a request that was not decided.
func (h *Handler) failed(w http.ResponseWriter, r *http.Request, q *reboot.Request, err error) {
	out := failure{http.StatusInternalServerError, kindInternal, errFailed.text}
	switch fault.CodeOf(err) {
	case fault.Invalid:
		out = failure{http.StatusBadRequest, kindBadRequest, err.Error()}
	case fault.NotFound:
		h.o.UnknownGroup(q.Group, q.Address)
		out = failure{http.StatusNotFound, kindUnknownGroup, err.Error()}
	case fault.Forbidden:
		out = failure{http.StatusForbidden, kindForbidden, err.Error()}
	case fault.Unavailable:
		out = failure{http.StatusServiceUnavailable, kindUnavailable, fault.All(err)[0].Error()}
	default:
		if r.Context().Err() == nil {
			h.o.Log.ErrorContext(r.Context(), "reboot request failed", "request_id", w.Header().Get("X-Request-Id"), "group", q.Group, "client", q.Client, "error", err)
		}
	}
	fail(w, out)
}

// body is what clients send; further keys are ignored.
type body struct {
	Params *struct {
		ID    string `json:"id"`
		Group string `json:"group"`
	} `json:"client_params"`
}

// read parses the body within the limits.
func read(w http.ResponseWriter, r *http.Request) (q reboot.Request, problem *failure) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return q, &errTooBig
	}
	if err != nil {
		return q, &errRead
	}
	var b body
	if json.Unmarshal(raw, &b) != nil || b.Params == nil {
		return q, &errNotJSON
	}
	q.Client, q.Group = b.Params.ID, b.Params.Group
	switch {
	case !reboot.ValidClientID(q.Client):
		return q, &errClient
	case !validGroup(q.Group):
		return q, &errGroup
	}
	return q, nil
}

// validGroup reports whether a group has the form of the protocol.
func validGroup(name string) bool {
	if name == "" || len(name) > maxGroup {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// answer is the body of every response.
type answer struct {
	Kind  kind   `json:"kind"`
	Value string `json:"value"`
}

func succeed(w http.ResponseWriter, text string) { write(w, http.StatusOK, answer{"success", text}) }

func fail(w http.ResponseWriter, f failure) {
	if f.status == http.StatusConflict || f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	}
	write(w, f.status, answer{f.kind, f.text})
}

func write(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a) // fails only if the client has disconnected
}

// certificateOf returns the client certificate of a connection, nil if it has none that
// crypto/tls verified.
func certificateOf(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil
	}
	return r.TLS.VerifiedChains[0][0]
}
