package omaha

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// Fleet is the part of fleet.Service that the endpoint uses. An error with code
// unavailable rejects the whole request, one with code invalid this application
// only, and any other error is a server fault. Problems of a machine's request are
// not errors, but in Answer.Verdict.
type Fleet interface {
	CheckIn(ctx context.Context, in checkin.CheckIn) (checkin.Answer, error)
	// Refuse records a request that no check-in can be read from.
	Refuse(r checkin.Refused)
	// RequestAttributes returns the names of the attributes of <app> that an
	// application keeps, sorted.
	RequestAttributes(appID string) []string
}

// Options configure a Handler.
type Options struct {
	// TrustedProxies are the peers whose X-Forwarded-For header is used.
	TrustedProxies []netip.Prefix
	// Secret is the last segment of the path, or ""; see Mount.
	Secret string
	// Log receives one line per application whose check-in failed. Nil uses
	// slog.Default.
	Log *slog.Logger
	// Now is the clock for the daystart element. It must be set.
	Now func() time.Time
	// CrossSite is called for each refused request of another site. Nil does nothing.
	CrossSite func()
	// MaxInFlight is the number of concurrent requests above which further ones
	// get 503; 0 is 5000.
	MaxInFlight int
}

// Handler answers Omaha requests. It is safe for concurrent use.
type Handler struct {
	fleet    Fleet
	kept     func(appID string) []string // a method value of fleet, so that no request allocates one
	proxies  Proxies
	secret   string
	log      *slog.Logger
	now      func() time.Time
	sites    *http.CrossOriginProtection
	refused  func() // counts a request of another site
	limit    int64  // of requests in flight
	inFlight atomic.Int64
	buffers  sync.Pool // of *buffers
}

// buffers is the memory of one request, which later requests reuse. The arguments
// of Fleet.CheckIn do not reference it.
type buffers struct {
	body     []byte
	replies  []reply
	response []byte
}

// contentType is shared by all responses. It must not be modified.
var contentType = []string{"text/xml; charset=utf-8"}

// autoLength is the response size in bytes up to which net/http adds the
// Content-Length header itself, at a lower cost.
const autoLength = 2000

// maxReused is the largest response buffer in bytes that is reused. Only responses
// to mirrors are larger.
const maxReused = 64 << 10

// NewHandler returns a Handler. Register it with Mount.
func NewHandler(f Fleet, o Options) *Handler {
	if o.Now == nil {
		panic("omaha: Options.Now is not set")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.CrossSite == nil {
		o.CrossSite = func() {}
	}
	h := &Handler{fleet: f, kept: f.RequestAttributes, proxies: o.TrustedProxies, secret: strings.Trim(o.Secret, "/"), log: o.Log, now: o.Now,
		sites: http.NewCrossOriginProtection(), refused: o.CrossSite, limit: int64(cmp.Or(o.MaxInFlight, defaultMaxInFlight))}
	h.buffers.New = func() any { return &buffers{body: make([]byte, 0, 4<<10)} }
	return h
}

// ServeHTTP answers one request whose path has no machine secret, see serve.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.serve(w, r, "") }

// serve answers one request. It ignores the headers of the request, including
// the content type, except a machine secret and those with which a browser names the page that sends it:
// a page of another site must not act as a machine inside the visitor's network.
// Machines send none of these headers.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, secret string) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "method not allowed: use POST", http.StatusMethodNotAllowed)
		return
	}
	if h.sites.Check(r) != nil {
		h.refused()
		http.Error(w, "the request comes from a page of another site", http.StatusForbidden)
		return
	}
	b := h.buffers.Get().(*buffers)
	defer h.release(b)

	var err error
	if b.body, err = readBody(b.body[:0], w, r); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			h.refuse(r, checkin.RefusedTooLarge)
			http.Error(w, "the request is larger than "+strconv.Itoa(maxBody)+" bytes", http.StatusRequestEntityTooLarge)
			return
		}
		h.refuse(r, checkin.RefusedUnreadable)
		http.Error(w, "could not read the request", http.StatusBadRequest)
		return
	}
	if h.handle(w, r, b, secretOf(r, secret)) {
		delayRejection(r.Context())
		reject(w)
	}
}

// handle answers a request whose body was read. It returns true without a response
// if the server is overloaded.
func (h *Handler) handle(w http.ResponseWriter, r *http.Request, b *buffers, secret catalog.SecretHash) (overloaded bool) {
	inFlight := h.inFlight.Add(1)
	defer h.inFlight.Add(-1)
	if inFlight > h.limit {
		return true
	}
	req, err := Parse(b.body, h.kept)
	if err != nil {
		h.refuse(r, checkin.RefusedUnreadable)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	failed, overloaded := h.checkIn(w, r, req, b, secret)
	if overloaded {
		return true
	}
	if failed > 0 && failed == len(req.Apps) {
		http.Error(w, "internal error, request id "+requestID(w), http.StatusInternalServerError)
		return false
	}
	if why := unproven(b.replies); why != "" {
		// Not noupdate, with which the machine would not notice.
		http.Error(w, why, http.StatusForbidden)
		return false
	}
	if inFlight > h.limit/2 {
		slowDown(b.replies)
	}
	b.response = appendResponse(b.response[:0], h.now(), b.replies)
	header := w.Header()
	header["Content-Type"] = contentType
	if len(b.response) > autoLength {
		header.Set("Content-Length", strconv.Itoa(len(b.response)))
	}
	_, _ = w.Write(b.response) // fails only if the client has disconnected
	return false
}

// checkIn appends a reply for each app, in order, and returns the number of
// failures.
func (h *Handler) checkIn(w http.ResponseWriter, r *http.Request, req *Request, b *buffers, secret catalog.SecretHash) (failed int, overloaded bool) {
	address, certificate := h.proxies.ClientAddress(r), certificateOf(r)
	for i := range req.Apps {
		app := &req.Apps[i]
		if app.ID == "" {
			h.fleet.Refuse(checkin.Refused{Reason: checkin.RefusedNoApplication, Track: app.Track, Version: app.Version, Board: app.Board, Address: address})
			b.replies = append(b.replies, invalidReply(app, statusInvalidAppID))
			continue
		}
		in := fleetCheckIn(req, app, address)
		in.Secret, in.Certificate = secret, certificate
		answer, err := h.fleet.CheckIn(r.Context(), in)
		switch {
		case err == nil:
			b.replies = append(b.replies, replyFor(app, answer))
		case fault.CodeOf(err) == fault.Unavailable, r.Context().Err() != nil:
			return failed, true
		case fault.CodeOf(err) == fault.Invalid:
			b.replies = append(b.replies, invalidReply(app, statusInvalidRequest))
		default:
			failed++
			h.log.ErrorContext(r.Context(), "check-in failed", "request_id", requestID(w),
				"app", app.ID, "machine", app.Machine, "error", err)
			b.replies = append(b.replies, reply{app: app, status: statusInternal})
		}
	}
	return failed, false
}

// refuse records a request of which only the address is known.
func (h *Handler) refuse(r *http.Request, reason checkin.Refusal) {
	h.fleet.Refuse(checkin.Refused{Reason: reason, Address: h.proxies.ClientAddress(r)})
}

// fleetCheckIn converts one app of a request.
func fleetCheckIn(req *Request, app *App, address string) checkin.CheckIn {
	return checkin.CheckIn{
		AppID:   app.ID,
		Track:   app.Track,
		Machine: app.Machine,
		Version: app.Version,
		Board:   app.Board,
		Arch:    req.Arch,
		Attributes: checkin.Attributes{
			Alias: app.Alias, OEM: app.OEM, OEMVersion: app.OEMVersion, AlephVersion: app.AlephVersion, Address: address, Request: app.Request,
		},
		Check: rollout.Check{
			OnDemand: req.OnDemand || app.OnDemand, Prefix: app.VersionPrefix, Disabled: app.UpdatesDisabled,
			Session: cmp.Or(app.Boot, req.Session),
		},
		Events:        app.Events,
		Ping:          app.Ping,
		UpdateCheck:   app.UpdateCheck,
		MultiManifest: app.MultiManifest, Withdrawals: app.Withdrawals,
		Syncer: req.Syncer,
	}
}

// readBody appends the body to b. It returns a *http.MaxBytesError above maxBody.
func readBody(b []byte, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return b, &http.MaxBytesError{Limit: maxBody} // without reading the body
	}
	body := r.Body
	if r.ContentLength < 0 {
		body = http.MaxBytesReader(w, body, maxBody) // otherwise net/http enforces ContentLength
	}
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// requestID returns the id that middleware has set, or sets a new one.
func requestID(w http.ResponseWriter) string {
	const name = "X-Request-Id"
	id := w.Header().Get(name)
	if id == "" {
		id = uuid.NewString()
		w.Header().Set(name, id)
	}
	return id
}

func (h *Handler) release(b *buffers) {
	clear(b.replies) // they reference the request
	b.replies = b.replies[:0]
	if cap(b.response) > maxReused {
		b.response = nil
	}
	h.buffers.Put(b)
}
