package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// Handler authenticates a request and passes the principal to next in the
// context (see From). Requests without credentials or with an expired session
// pass as anonymous; next decides what they may do. Wrong credentials are
// rejected.
func (g *Guard) Handler(next http.Handler) http.Handler { return g.handler(next, rejectGraphQL) }

func (g *Guard) handler(next http.Handler, refusal Refusal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := withRequest(r.Context(), requestInfo{w: w, r: r, address: g.options.Address(r), secure: g.options.Secure(r)})
		p, err := g.caller(ctx, r)
		if err != nil {
			g.reject(w, r, err, refusal)
			return
		}
		if p.Name != "" {
			ctx = With(ctx, p)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Refusal writes the response to a rejected request in the format of one API.
// Headers are already set. code is an error code such as UNAUTHENTICATED.
type Refusal func(w http.ResponseWriter, r *http.Request, status int, code, message string)

// Require is like Handler, but also rejects anonymous requests, with a
// challenge for basic authentication. refusal writes the response.
func (g *Guard) Require(next http.Handler, refusal Refusal) http.Handler {
	return g.handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := From(r.Context()); !ok {
			g.reject(w, r, ErrUnauthenticated, refusal)
			return
		}
		next.ServeHTTP(w, r)
	}), refusal)
}

// Challenge begins the response to the anonymous request of a context with 401. It
// asks for a token only: browsers would answer a challenge for basic authentication
// with a dialog in front of the page.
func (g *Guard) Challenge(ctx context.Context) {
	if w := requestOf(ctx).w; w != nil {
		w.Header().Set("WWW-Authenticate", "Bearer realm="+g.options.Realm)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// identify returns the zero Principal for an anonymous request.
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
	p, err := g.options.Directory.Session(ctx, token)
	if errors.Is(err, ErrUnauthenticated) {
		return Principal{}, nil
	}
	p.Credential = CredentialSession
	return p, err
}

// bearer checks a token (RFC 6750). One without the prefix is a session, as older
// versions made for scripts.
func (g *Guard) bearer(ctx context.Context, header string) (Principal, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Principal{}, ErrUnauthenticated
	}
	if strings.HasPrefix(token, TokenPrefix) {
		return g.options.Directory.Token(ctx, token)
	}
	p, err := g.options.Directory.Session(ctx, token)
	p.Credential = CredentialToken
	return p, err
}

func (g *Guard) reject(w http.ResponseWriter, r *http.Request, err error, refusal Refusal) {
	status, code, message := http.StatusServiceUnavailable, "UNAVAILABLE", "could not check your credentials; try again"
	var many *TooManyTries
	switch {
	case errors.Is(err, context.Canceled):
		return
	case errors.As(err, &many):
		status, message = http.StatusTooManyRequests, many.Error()
		w.Header().Set("Retry-After", strconv.Itoa(many.Seconds()))
	case errors.Is(err, ErrUnauthenticated):
		status, code, message = http.StatusUnauthorized, "UNAUTHENTICATED", "wrong name or password"
		if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
			message = "the token is not valid: it was revoked, has expired or is incomplete"
		}
		w.Header().Set("WWW-Authenticate", "Basic realm="+g.options.Realm)
	}
	w.Header().Set("Cache-Control", "no-store")
	refusal(w, r, status, code, message)
}

// rejectGraphQL is the Refusal of the GraphQL API.
func rejectGraphQL(w http.ResponseWriter, _ *http.Request, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"errors": []any{map[string]any{"message": message, "extensions": map[string]any{"code": code}}},
	})
}
