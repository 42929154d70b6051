package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// Handler finds out who makes a request and lets next know (see From). Who
// brings nothing, or a session that is over, passes as a stranger: what is
// closed to strangers says so itself. A wrong name or password is refused.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := withVisit(r.Context(), visit{w: w, r: r, address: g.o.Address(r), secure: g.o.Secure(r)})
		p, err := g.identify(ctx, r)
		if err != nil {
			g.refuse(w, err)
			return
		}
		if p != (Principal{}) {
			ctx = With(ctx, p)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Require is Handler for what strangers may not have at all: they are asked
// for name and password, as scripts and command lines expect.
func (g *Guard) Require(next http.Handler) http.Handler {
	return g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := From(r.Context()); !ok {
			g.refuse(w, ErrUnauthenticated)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// identify returns the zero Principal for a stranger.
func (g *Guard) identify(ctx context.Context, r *http.Request) (Principal, error) {
	if username, password, ok := r.BasicAuth(); ok {
		return g.basic(ctx, username, password)
	}
	if r.Header.Get("Authorization") != "" {
		return Principal{}, ErrUnauthenticated
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

// refuse answers in a form that scripts and GraphQL clients both can read.
func (g *Guard) refuse(w http.ResponseWriter, err error) {
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
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"errors": []any{map[string]any{"message": message, "extensions": map[string]any{"code": code}}},
	})
}
