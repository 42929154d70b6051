package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
)

// FirstUser is the first user of a new database, whose password is documented until it is
// changed.
const FirstUser = "admin"

// ErrChangePassword refuses everything but the change of the documented password.
var ErrChangePassword = fmt.Errorf("%w: change the password of %s first; until then it works only on the server's own machine", ErrForbidden, FirstUser)

// caller identifies the caller of a request. The documented first password works on the
// server's own machine only; from another address it can only be changed. A token is not
// documented, so it works everywhere.
func (g *Guard) caller(ctx context.Context, r *http.Request) (Principal, error) {
	p, err := g.identify(ctx, r)
	p.PasswordOnly = err == nil && p.MustChangePassword && p.Name == FirstUser && p.Credential != CredentialToken && !g.local(r)
	return p, err
}

// local reports whether a request comes from this machine. One that a proxy forwards
// comes from elsewhere, also if the proxy runs here and is not trusted.
func (g *Guard) local(r *http.Request) bool {
	for _, header := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-Ip", "Via"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	text := g.options.Address(r)
	if text == "@" {
		return true // a Unix socket
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		port, err := netip.ParseAddrPort(text)
		if err != nil {
			return false
		}
		address = port.Addr()
	}
	return address.Unmap().IsLoopback()
}

// RequireSelf returns the principal for what every user may do with the own account, also
// before the documented password is changed.
func RequireSelf(ctx context.Context) (Principal, error) {
	p, ok := From(ctx)
	if !ok || p.Role < Viewer {
		return Principal{}, ErrUnauthenticated
	}
	return p, nil
}
