package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// Handler finds out who makes a request and lets next know (see From). Who
// brings nothing, or a session that is over, passes as a stranger: what is
// closed to strangers says so itself. A wrong name or password is refused.
func (g *Guard) Handler(next http.Handler) http.Handler { return g.handler(next, refuseGraph) }

func (g *Guard) handler(next http.Handler, refusal Refusal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := withVisit(r.Context(), visit{w: w, r: r, address: g.o.Address(r), secure: g.o.Secure(r)})
		p, err := g.identify(ctx, r)
		if err != nil {
			g.refuse(w, r, err, refusal)
			return
		}
		if p != (Principal{}) {
			ctx = With(ctx, p)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Refusal answers somebody who may not come in. Headers are set already; code
// is one such as UNAUTHENTICATED.
type Refusal func(w http.ResponseWriter, r *http.Request, status int, code, message string)

// Require is Handler for what strangers may not have at all: they are asked
// for name and password, as scripts and command lines expect, in the words of
// the protocol they came with.
func (g *Guard) Require(next http.Handler, refusal Refusal) http.Handler {
	return g.handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := From(r.Context()); !ok {
			g.refuse(w, r, ErrUnauthenticated, refusal)
			return
		}
		next.ServeHTTP(w, r)
	}), refusal)
}

// identify returns the zero Principal for a stranger.
func (g *Guard) identify(ctx context.Context, r *http.Request) (Principal, error) {
	if username, password, ok := r.BasicAuth(); ok {
		return g.basic(ctx, username, password)
	}
	if header := r.Header.Get("Authorization"); header != "" {
		return g.bearer(ctx, header)
	}
	token := sessionToken(r)
	if token == "" {
		return Principal{}, nil
	}
	p, err := g.o.Directory.Session(ctx, token)
	if errors.Is(err, ErrUnauthenticated) {
		return Principal{}, nil
	}
	p.Credential = CredentialSession
	return p, err
}

// bearer checks the token of a script (RFC 6750). It is a session without a
// browser: nothing else sends it along, and it ends as sessions do.
func (g *Guard) bearer(ctx context.Context, header string) (Principal, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Principal{}, ErrUnauthenticated
	}
	p, err := g.o.Directory.Session(ctx, token)
	p.Credential = CredentialToken
	return p, err
}

func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, err error, refusal Refusal) {
	status, code, message := http.StatusServiceUnavailable, "UNAVAILABLE", "cannot check who you are; try again"
	var many *TooManyTries
	switch {
	case errors.Is(err, context.Canceled):
		return
	case errors.As(err, &many):
		status, message = http.StatusTooManyRequests, many.Error()
		w.Header().Set("Retry-After", strconv.Itoa(many.Seconds()))
	case errors.Is(err, ErrUnauthenticated):
		status, code, message = http.StatusUnauthorized, "UNAUTHENTICATED", "wrong name or password"
		w.Header().Set("WWW-Authenticate", "Basic realm="+g.o.Realm)
	}
	w.Header().Set("Cache-Control", "no-store")
	refusal(w, r, status, code, message)
}

// refuseGraph answers in a form that GraphQL clients can read.
func refuseGraph(w http.ResponseWriter, _ *http.Request, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"errors": []any{map[string]any{"message": message, "extensions": map[string]any{"code": code}}},
	})
}
