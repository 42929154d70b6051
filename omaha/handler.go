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
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/checkin"
	"github.com/coreroller/coreroller/fleet/fault"
)

// Fleet is what the endpoint asks. An error with code unavailable means "try
// again later", one with code invalid refuses this application alone, and any
// other is a fault of the server. What can be said about a machine's request is
// in Answer.Verdict and not an error.
type Fleet interface {
	CheckIn(ctx context.Context, in checkin.CheckIn) (checkin.Answer, error)
}

// Options configure a Handler.
type Options struct {
	// TrustedProxies are the peers whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Secret is the last part of the path, "" for none; see Mount.
	Secret string
	// Log gets one line for each application that could not be answered; nil
	// is slog.Default.
	Log *slog.Logger
	// Now is the clock, for daystart only. It must be set.
	Now func() time.Time
	// InWork is how many requests may be under way before others are told to
	// come back later; 0 is 5000.
	InWork int
}

// Handler answers Omaha requests. It is safe for concurrent use.
type Handler struct {
	fleet   Fleet
	trusted []netip.Prefix
	secret  string
	log     *slog.Logger
	now     func() time.Time
	most    int64        // requests in work
	working atomic.Int64 // of them, now
	scratch sync.Pool    // of *scratch
}

// scratch is the memory of one request, kept between requests. Nothing in it
// is referenced by what is given to the fleet.
type scratch struct {
	body    []byte
	replies []reply
	answer  []byte
}

// contentType is shared by all answers; nobody may change it.
var contentType = []string{"text/xml; charset=utf-8"}

// selfCounted is the longest answer in bytes to which net/http adds its length
// by itself, for less.
const selfCounted = 2000

// maxKept is the largest answer buffer that is kept; only mirrors need more.
const maxKept = 64 << 10

// NewHandler makes the handler of both paths; Mount puts it there.
func NewHandler(f Fleet, o Options) *Handler {
	if o.Now == nil {
		panic("omaha: Options.Now is not set")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	h := &Handler{fleet: f, trusted: o.TrustedProxies, secret: trimSlashes(o.Secret), log: o.Log, now: o.Now,
		most: int64(cmp.Or(o.InWork, inWork))}
	h.scratch.New = func() any { return &scratch{body: make([]byte, 0, 4<<10)} }
	return h
}

// ServeHTTP answers one request. Headers of the request are not looked at,
// content type included.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "omaha requests are sent with POST", http.StatusMethodNotAllowed)
		return
	}
	s := h.scratch.Get().(*scratch)
	defer h.release(s)

	var err error
	if s.body, err = readBody(s.body[:0], w, r); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			http.Error(w, "a request has at most "+strconv.Itoa(maxBody)+" bytes", http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "the request could not be read", http.StatusBadRequest)
		return
	}
	if h.work(w, r, s) {
		hold(r.Context())
		unavailable(w)
	}
}

// work answers a request whose body was read, or says that there is too much to
// do.
func (h *Handler) work(w http.ResponseWriter, r *http.Request, s *scratch) (busy bool) {
	working := h.working.Add(1)
	defer h.working.Add(-1)
	if working > h.most {
		return true
	}
	req, err := Parse(s.body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	failed, busy := h.ask(w, r, req, s)
	if busy {
		return true
	}
	if failed > 0 && failed == len(req.Apps) {
		http.Error(w, "internal error, request id "+requestID(w), http.StatusInternalServerError)
		return false
	}
	if working > h.most/2 {
		slowDown(s.replies)
	}
	s.answer = appendResponse(s.answer[:0], h.now(), s.replies)
	header := w.Header()
	header["Content-Type"] = contentType
	if len(s.answer) > selfCounted {
		header.Set("Content-Length", strconv.Itoa(len(s.answer)))
	}
	_, _ = w.Write(s.answer) // the client has gone away: nobody to tell
	return false
}

// ask collects a reply for each app, in order, and counts those that failed.
func (h *Handler) ask(w http.ResponseWriter, r *http.Request, req *Request, s *scratch) (failed int, busy bool) {
	address := ClientAddress(r, h.trusted)
	for i := range req.Apps {
		app := &req.Apps[i]
		if app.ID == "" {
			s.replies = append(s.replies, refusal(app, statusInvalidAppID))
			continue
		}
		answer, err := h.fleet.CheckIn(r.Context(), checkIn(req, app, address))
		switch {
		case err == nil:
			s.replies = append(s.replies, replyFor(app, answer))
		case fault.CodeOf(err) == fault.Unavailable, r.Context().Err() != nil:
			return failed, true
		case fault.CodeOf(err) == fault.Invalid:
			s.replies = append(s.replies, refusal(app, statusInvalidRequest))
		default:
			failed++
			h.log.ErrorContext(r.Context(), "check-in failed", "request_id", requestID(w),
				"app", app.ID, "machine", app.Machine, "error", err)
			s.replies = append(s.replies, reply{app: app, status: statusInternal})
		}
	}
	return failed, false
}

// checkIn is one app of a request in the fleet's words. A machine that says it
// will ignore any offer is counted like one that pings: an offer would only
// take a place in the rollout from another.
func checkIn(req *Request, app *App, address string) checkin.CheckIn {
	return checkin.CheckIn{
		AppID:   app.ID,
		Track:   app.Track,
		Machine: app.Machine,
		Version: app.Version,
		Board:   app.Board,
		Arch:    req.Arch,
		Attributes: checkin.Attributes{
			Alias: app.Alias, OEM: app.OEM, OEMVersion: app.OEMVersion, AlephVersion: app.AlephVersion, Address: address,
		},
		OnDemand:      req.OnDemand || app.OnDemand,
		Events:        app.Events,
		Ping:          app.Ping || app.UpdateCheck && app.UpdatesDisabled,
		UpdateCheck:   app.UpdateCheck && !app.UpdatesDisabled,
		MultiManifest: app.MultiManifest,
	}
}

// readBody appends the body to b, up to the limit.
func readBody(b []byte, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return b, &http.MaxBytesError{Limit: maxBody} // without reading any of it
	}
	body := r.Body
	if r.ContentLength < 0 {
		body = http.MaxBytesReader(w, body, maxBody) // else net/http holds it to its length
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

// requestID is the id that middleware gave the request, or a new one.
func requestID(w http.ResponseWriter) string {
	const name = "X-Request-Id"
	id := w.Header().Get(name)
	if id == "" {
		id = uuid.NewString()
		w.Header().Set(name, id)
	}
	return id
}

func (h *Handler) release(s *scratch) {
	clear(s.replies) // they point into the request
	s.replies = s.replies[:0]
	if cap(s.answer) > maxKept {
		s.answer = nil
	}
	h.scratch.Put(s)
}
