package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// SessionCookie is the name of the cookie that holds a session's token.
const SessionCookie = "coreroller_session"

// ErrNoCookie is the answer to a sign-in over a connection that cannot carry a
// cookie any more: a websocket or an event stream.
var ErrNoCookie = errors.New("sign in by an HTTP request: this connection cannot set a cookie")

// visit is the request a call came with, as far as signing in needs it.
type visit struct {
	w       http.ResponseWriter
	r       *http.Request
	address string
	secure  bool
}

type visitKey struct{}

func withVisit(ctx context.Context, v visit) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}

// Detach keeps who asks and lets go of the request they asked with: for work
// that goes on for others when that request is over.
func Detach(ctx context.Context) context.Context { return withVisit(ctx, visit{}) }

func visitOf(ctx context.Context) visit {
	v, _ := ctx.Value(visitKey{}).(visit)
	return v
}

// cookies returns the writer when a cookie set on it will arrive.
func (v visit) cookies() (http.ResponseWriter, error) {
	if v.w == nil || v.r.Header.Get("Upgrade") != "" || strings.Contains(v.r.Header.Get("Accept"), "text/event-stream") {
		return nil, ErrNoCookie
	}
	return v.w, nil
}

// CanSetSession reports, with ErrNoCookie, whether SetSession would work, so
// that no session is made in vain.
func CanSetSession(ctx context.Context) error {
	_, err := visitOf(ctx).cookies()
	return err
}

// SetSession gives the caller a session's token in a cookie: not readable by
// scripts, not sent along by other sites' forms, only over TLS when this
// request came over TLS.
func SetSession(ctx context.Context, token string, expires time.Time) error {
	return setCookie(ctx, &http.Cookie{Value: token, Expires: expires})
}

// ClearSession takes the cookie away.
func ClearSession(ctx context.Context) error { return setCookie(ctx, &http.Cookie{MaxAge: -1}) }

func setCookie(ctx context.Context, c *http.Cookie) error {
	v := visitOf(ctx)
	w, err := v.cookies()
	if err != nil {
		return err
	}
	c.Name, c.Path, c.HttpOnly, c.SameSite, c.Secure = SessionCookie, "/", true, http.SameSiteLaxMode, v.secure
	http.SetCookie(w, c)
	return nil
}

// SessionToken is the token the caller's request carried, "" for none.
func SessionToken(ctx context.Context) string {
	if v := visitOf(ctx); v.r != nil {
		return sessionToken(v.r)
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
