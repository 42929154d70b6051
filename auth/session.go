package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// SessionCookie is the name of the cookie that holds the session token.
const SessionCookie = "coreroller_session"

// TokenPrefix begins the secret of every token, so that scanners of source code find it.
const TokenPrefix = "crt_"

// ErrNoCookie is returned for a sign-in over a websocket or an event stream,
// whose response headers were already sent.
var ErrNoCookie = errors.New("this connection cannot set a cookie: sign in with an HTTP request")

// requestInfo is what signing in needs of the HTTP request.
type requestInfo struct {
	w       http.ResponseWriter
	r       *http.Request
	address string // of the client
	secure  bool   // the client uses TLS
}

type requestKey struct{}

func withRequest(ctx context.Context, info requestInfo) context.Context {
	return context.WithValue(ctx, requestKey{}, info)
}

// Detach keeps the principal and removes the HTTP request. Use it for work that
// outlives the request because others wait for it.
func Detach(ctx context.Context) context.Context { return withRequest(ctx, requestInfo{}) }

func requestOf(ctx context.Context) requestInfo {
	info, _ := ctx.Value(requestKey{}).(requestInfo)
	return info
}

// Client returns the address of the request's client and the name that it gives itself,
// "" without a request.
func Client(ctx context.Context) (address, userAgent string) {
	info := requestOf(ctx)
	if info.r == nil {
		return "", ""
	}
	return info.address, info.r.UserAgent()
}

// cookieWriter returns the response writer if a cookie set on it reaches the
// client.
func (i requestInfo) cookieWriter() (http.ResponseWriter, error) {
	if i.w == nil || i.r.Header.Get("Upgrade") != "" || strings.Contains(i.r.Header.Get("Accept"), "text/event-stream") {
		return nil, ErrNoCookie
	}
	return i.w, nil
}

// CanSetSession returns ErrNoCookie if SetSession would fail. Call it before
// creating a session.
func CanSetSession(ctx context.Context) error {
	_, err := requestOf(ctx).cookieWriter()
	return err
}

// SetSession sends a session token to the client in a cookie. Scripts cannot
// read the cookie, and forms of other sites do not send it. If this request
// came over TLS, the client sends it over TLS only.
func SetSession(ctx context.Context, token string, expires time.Time) error {
	return setCookie(ctx, &http.Cookie{Value: token, Expires: expires}) //nolint:gosec // G124: setCookie sets the attributes
}

// ClearSession deletes the cookie.
func ClearSession(ctx context.Context) error {
	return setCookie(ctx, &http.Cookie{MaxAge: -1}) //nolint:gosec // G124: setCookie sets the attributes
}

func setCookie(ctx context.Context, c *http.Cookie) error { //nolint:gosec // G124: Secure over TLS, which the server may not have
	info := requestOf(ctx)
	w, err := info.cookieWriter()
	if err != nil {
		return err
	}
	c.Name, c.Path, c.HttpOnly, c.SameSite, c.Secure = SessionCookie, "/", true, http.SameSiteLaxMode, info.secure
	http.SetCookie(w, c)
	return nil
}

// SessionToken returns the token in the request's cookie, or "".
func SessionToken(ctx context.Context) string {
	if info := requestOf(ctx); info.r != nil {
		return sessionToken(info.r)
	}
	return ""
}

func sessionToken(r *http.Request) string {
	c, err := r.Cookie(SessionCookie)
	if err != nil {
		return ""
	}
	return c.Value
}
