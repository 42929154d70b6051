// Package signin signs browsers in with identity providers: OpenID Connect and GitHub. It verifies
// who signs in and which roles the provider gives; the service layer has the users and sessions.
//
// A sign-in begins at /auth/{provider}/start?to=/path, which sends the browser to the provider with
// a state, a nonce and a PKCE challenge. They are in a cookie of this browser until the provider
// sends it back to /auth/{provider}/callback with a code. A failure leads to the sign-in page, with
// the kind of failure in the address.
//
// What the provider gave to check a session later (a refresh or access token) is in the memory of
// this process only.
package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/fleet/account"
	"github.com/coreroller/coreroller/fleet/fault"
)

// Prefix is the beginning of all paths of this package.
const Prefix = "/auth/"

// Accounts is the part of the service layer that signing in uses.
type Accounts interface {
	Identify(ctx context.Context, in account.Identified) (auth.Principal, error)
	CreateSession(ctx context.Context) (token string, expires time.Time, err error)
	EndSessionOf(ctx context.Context, token, reason string) error
}

// Options configure a Handler. All fields but Providers are required.
type Options struct {
	Providers []Provider
	Accounts  Accounts
	Now       func() time.Time
	Log       *slog.Logger
	// Address returns the URL of this server without a slash at the end, as the client sees it.
	Address func(*http.Request) string
	// Secure reports whether the client uses TLS.
	Secure func(*http.Request) bool
}

// Providers returns the providers of a configuration; nil is one that is not used.
func Providers(o *OIDC, g *GitHub, now func() time.Time) ([]Provider, error) {
	var all []Provider
	if o != nil {
		if err := checkURL(o.IssuerURL); err != nil {
			return nil, fmt.Errorf("the issuer %w", err)
		}
		p, err := newOIDC(*o, now)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	if g != nil {
		p, err := newGitHub(*g)
		if err != nil {
			return nil, err
		}
		if err := checkURL(p.URL); err != nil {
			return nil, fmt.Errorf("the address of GitHub %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

// Handler serves the paths below Prefix, and checks the sessions that it made.
type Handler struct {
	Options
	mux      *http.ServeMux
	sessions *sessions
}

// New makes a Handler. Close ends its work in the background.
func New(o Options) *Handler {
	h := &Handler{Options: o, mux: http.NewServeMux()}
	h.sessions = newSessions(h)
	for _, p := range o.Providers {
		h.mux.HandleFunc("GET "+StartPath(p), func(w http.ResponseWriter, r *http.Request) { h.start(w, r, p) })
		h.mux.HandleFunc("GET "+callbackPath(p), func(w http.ResponseWriter, r *http.Request) { h.callback(w, r, p) })
	}
	return h
}

// StartPath is the path at which a sign-in begins.
func StartPath(p Provider) string { return Prefix + p.ID() + "/start" }

func callbackPath(p Provider) string { return Prefix + p.ID() + "/callback" }

// ServeHTTP implements http.Handler. The context has the request of a Guard.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address has the code
	h.mux.ServeHTTP(w, r)
}

// Close ends the work in the background and waits for it.
func (h *Handler) Close() { h.sessions.close() }

func (h *Handler) start(w http.ResponseWriter, r *http.Request, p Provider) {
	a := newAttempt(p.ID(), localPath(r.URL.Query().Get("to")), h.Now())
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	address, err := p.Begin(ctx, a, h.Address(r)+callbackPath(p))
	if err != nil {
		h.fail(w, r, p, a.To, err)
		return
	}
	http.SetCookie(w, a.cookie(h.Secure(r)))
	http.Redirect(w, r, address, http.StatusSeeOther) //nolint:gosec // G710: an address of the configured provider
}

func (h *Handler) callback(w http.ResponseWriter, r *http.Request, p Provider) {
	a, ok := attemptOf(r, p.ID(), h.Now())
	clearAttempt(w, h.Secure(r))
	if !ok {
		h.fail(w, r, p, "/", errNoAttempt)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*requestTimeout)
	defer cancel()
	if err := h.finish(ctx, r, p, a); err != nil {
		h.fail(w, r, p, a.To, err)
		return
	}
	http.Redirect(w, r, a.To, http.StatusSeeOther)
}

// finish signs the browser in.
func (h *Handler) finish(ctx context.Context, r *http.Request, p Provider, a attempt) error {
	who, err := answer(ctx, r, p, a, h.Address(r)+callbackPath(p))
	if err != nil {
		return err
	}
	principal, err := h.Accounts.Identify(ctx, identified(p, who))
	if err != nil {
		return err
	}
	ctx = auth.With(ctx, principal)
	token, expires, err := h.Accounts.CreateSession(ctx)
	if err != nil {
		return err
	}
	if err := auth.SetSession(ctx, token, expires); err != nil {
		return err
	}
	h.sessions.add(token, p, who)
	return nil
}

// answer reads what the provider sent the browser back with.
func answer(ctx context.Context, r *http.Request, p Provider, a attempt, callback string) (person, error) {
	q := r.URL.Query()
	switch kind := q.Get("error"); kind {
	case "":
	case "server_error", "temporarily_unavailable":
		return person{}, fmt.Errorf("the identity provider sent the error %q", kind)
	default:
		return person{}, fmt.Errorf("%w: %q", errRefused, kind)
	}
	// RFC 9207 names the issuer of the code, against a mix-up of two providers.
	if issuer := p.Issuer(); issuer != "" && q.Has("iss") && q.Get("iss") != issuer {
		return person{}, fmt.Errorf("%w: it is of another issuer", errUntrusted)
	}
	if q.Get("code") == "" {
		return person{}, fmt.Errorf("%w: it has no code", errUntrusted)
	}
	return p.Finish(ctx, a, callback, q.Get("code"))
}

func identified(p Provider, who person) account.Identified {
	return account.Identified{Issuer: who.Issuer, Subject: who.Subject, Username: who.Username, Rights: p.Mapping().rights(who.Values)}
}

// Parameter is the query parameter of the sign-in page that has the kind of failure.
const Parameter = "sign-in"

// errNoAttempt is the failure of a browser without a sign-in that has begun: its cookie expired,
// was used, or is of another sign-in.
var errNoAttempt = errors.New("the browser has no sign-in that began here")

// failure returns the kind of failure, for which the page has a text.
func failure(err error) string {
	e, expected := errors.AsType[*fault.Error](err)
	switch {
	case errors.Is(err, errNoAttempt):
		return "expired"
	case errors.Is(err, errRefused):
		return "refused"
	case errors.Is(err, errUntrusted):
		return "untrusted"
	case expected && e.Code == fault.Forbidden:
		return "no-role"
	case expected && e.Code == fault.Conflict && e.Field == account.FieldUsername:
		return "name-taken"
	case expected && e.Code == fault.Invalid:
		return "no-name"
	}
	return "unavailable"
}

// fail sends the browser to the sign-in page, where the password still works.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, p Provider, to string, err error) {
	kind := failure(err)
	if r.Context().Err() == nil {
		h.Log.WarnContext(r.Context(), "sign-in with an identity provider failed", "provider", p.ID(), "failure", kind,
			"address", auth.Address(r.Context()), "error", strings.ToValidUTF8(err.Error(), "�"))
	}
	http.Redirect(w, r, withParameter(to, Parameter, kind), http.StatusSeeOther)
}
