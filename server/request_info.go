package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coreroller/coreroller/omaha"
)

// resolver derives the id of a request, the client's address and scheme, and
// the update URL. It uses headers of trusted proxies only.
type resolver struct {
	proxies omaha.Proxies
	secret  string // of the update URL
	prefix  string // of request ids: distinguishes processes and their restarts
	count   atomic.Uint64

	machinesPort string // of the update URL; "" is that of the page
	log          *slog.Logger
	warned       sync.Once
}

func newResolver(proxies omaha.Proxies, secret string) *resolver {
	var b [4]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return &resolver{proxies: proxies, secret: secret, prefix: hex.EncodeToString(b[:]) + "-", log: slog.New(slog.DiscardHandler)}
}

// requestInfo is what the context of a request carries.
type requestInfo struct {
	resolver *resolver
	request  *http.Request
	id       string
}

type requestInfoKey struct{}

const requestIDHeader = "X-Request-Id"

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// withID sets the request id as a response header: the one of a trusted proxy,
// else a new one.
func (v *resolver) withID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if id == "" || !v.proxies.Forwarded(r) || !requestIDPattern.MatchString(id) {
			id = v.prefix + strconv.FormatUint(v.count.Add(1), 36)
		}
		w.Header().Set(requestIDHeader, id)
		next.ServeHTTP(w, r)
	})
}

// withInfo adds a requestInfo to the context and the headers of every response. The Omaha endpoint works without
// it, which saves an allocation for most requests.
func (v *resolver) withInfo(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setDefaultHeaders(w.Header(), v.secure(r))
		v.warnOfProxy(r)
		ctx := context.WithValue(r.Context(), requestInfoKey{}, &requestInfo{resolver: v, request: r, id: idOf(w)})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// warnOfProxy logs once that a proxy forwards requests that is not trusted: cookies would
// then lack Secure, and all clients have the proxy's address.
func (v *resolver) warnOfProxy(r *http.Request) {
	if !forwarded(r) || v.proxies.Forwarded(r) {
		return
	}
	v.warned.Do(func() {
		v.log.Warn("a request was forwarded by an address that is not trusted: if it is your proxy, list it in --trusted-proxies; "+
			"until then session cookies lack Secure, and all clients have the proxy's address", "peer", r.RemoteAddr)
	})
}

// forwarded reports whether a proxy says that it forwards the request.
func forwarded(r *http.Request) bool {
	return r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("X-Forwarded-Proto") != "" || r.Header.Get("Forwarded") != ""
}

// idOf returns the id of the request that w responds to.
func idOf(w http.ResponseWriter) string { return w.Header().Get(requestIDHeader) }

func requestID(ctx context.Context) string {
	if info, ok := ctx.Value(requestInfoKey{}).(*requestInfo); ok {
		return info.id
	}
	return ""
}

func updateURL(ctx context.Context) string {
	if info, ok := ctx.Value(requestInfoKey{}).(*requestInfo); ok {
		return info.resolver.updateURL(info.request)
	}
	return ""
}

// MachinesURL returns the URL of this server for machines, without a path, with the host name
// that the caller of a context uses; "" without a request.
func MachinesURL(ctx context.Context) string {
	if info, ok := ctx.Value(requestInfoKey{}).(*requestInfo); ok {
		return info.resolver.machinesURL(info.request)
	}
	return ""
}

// updateURL is the URL of the Omaha endpoint, with the host name that this client uses.
func (v *resolver) updateURL(r *http.Request) string {
	return v.machinesURL(r) + "/v1/update/" + v.secret
}

func (v *resolver) machinesURL(r *http.Request) string {
	origin := v.origin(r)
	if v.machinesPort != "" {
		u := url.URL{Host: r.Host}
		origin = strings.TrimSuffix(origin, r.Host) + net.JoinHostPort(u.Hostname(), v.machinesPort)
	}
	return origin
}

// origin is the URL of this server without a path, with the host name that this client uses.
func (v *resolver) origin(r *http.Request) string {
	if v.secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// secure reports whether the client uses TLS, to this server or to a trusted
// proxy.
func (v *resolver) secure(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") && v.proxies.Forwarded(r)
}

// address is the client's address, by the same rule as for machines.
func (v *resolver) address(r *http.Request) string {
	if client := v.proxies.ClientAddress(r); client != "" {
		return client
	}
	return r.RemoteAddr // a Unix socket
}
