package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/coreroller/coreroller/omaha"
)

// visitor finds out what a request says about its client, through trusted
// proxies only.
type visitor struct {
	trusted []netip.Prefix
	secret  string // of the update URL
	prefix  string // of request ids: tells processes and their restarts apart
	count   atomic.Uint64
}

func newVisitor(trusted []netip.Prefix, secret string) *visitor {
	var b [4]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return &visitor{trusted: trusted, secret: secret, prefix: hex.EncodeToString(b[:]) + "-"}
}

// visit is one request, for whoever has its context.
type visit struct {
	visitor *visitor
	request *http.Request
	id      string
}

type visitKey struct{}

const requestIDHeader = "X-Request-Id"

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// handler gives each request an id, in the answer: that of a trusted proxy,
// else a new one.
func (v *visitor) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := ""
		if given := r.Header.Get(requestIDHeader); given != "" && v.behindProxy(r) && requestIDPattern.MatchString(given) {
			id = given
		} else {
			id = v.prefix + strconv.FormatUint(v.count.Add(1), 36)
		}
		w.Header().Set(requestIDHeader, id)
		next.ServeHTTP(w, r)
	})
}

// known puts what is known of a request into its context. Machines, whose
// requests are by far the most, do without.
func (v *visitor) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), visitKey{}, &visit{visitor: v, request: r, id: idOf(w)})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// idOf is the id of the request that is being answered.
func idOf(w http.ResponseWriter) string { return w.Header().Get(requestIDHeader) }

func requestID(ctx context.Context) string {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v.id
	}
	return ""
}

func updateURL(ctx context.Context) string {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v.visitor.updateURL(v.request)
	}
	return ""
}

// updateURL is where machines send their requests, by the name this client uses
// for the server.
func (v *visitor) updateURL(r *http.Request) string {
	scheme := "http://"
	if v.secure(r) {
		scheme = "https://"
	}
	return scheme + r.Host + "/v1/update/" + v.secret
}

// secure reports whether the client speaks TLS, with this server or with a
// trusted proxy.
func (v *visitor) secure(r *http.Request) bool {
	return r.TLS != nil || v.behindProxy(r) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func (v *visitor) behindProxy(r *http.Request) bool {
	return len(v.trusted) > 0 && v.trusts(peer(r.RemoteAddr))
}

func (v *visitor) trusts(a netip.Addr) bool {
	for _, p := range v.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// address is that of the client, by the same rule as for machines.
func (v *visitor) address(r *http.Request) string {
	if client := omaha.ClientAddress(r, v.trusted); client != "" {
		return client
	}
	return r.RemoteAddr // a Unix socket
}

// peer reads an address with or without a port; the zero address for neither.
func peer(text string) netip.Addr {
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
