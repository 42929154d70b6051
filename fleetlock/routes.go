package fleetlock

import (
	"net/http"
	"strings"

	"github.com/coreroller/coreroller/fleet/catalog"
)

// operation is what a path asks for.
type operation string

// The operations, by the end of their path.
const (
	preReboot   operation = "pre-reboot"
	steadyState operation = "steady-state"
)

// prefix can precede the operations, so that a proxy can route them.
const prefix = "fleetlock"

// path is the path of a request.
type path struct {
	operation     operation
	secret        string // of the server; "" for none
	machineSecret string
}

// Route serves the two operations and passes every other request to next. It looks at
// the path itself, because http.ServeMux redirects a path with doubled slashes, and
// clients do not repeat a POST there. The paths are
//
//	[/fleetlock][/<secret of the server>][/<machine secret>]/v1/pre-reboot
//
// and the same with steady-state, with any number of slashes in each place.
func (h *Handler) Route(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := parsePath(r.URL.Path, h.o.Secret)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		r.Pattern = route(p.operation)
		h.routes[p.operation].ServeHTTP(w, r)
	})
}

// route names an operation in the log and in metrics, without secrets.
func route(op operation) string { return "/v1/" + string(op) }

// parsePath reads a path; ok is false if it is not one of the endpoint. serverSecret may
// have several segments.
func parsePath(text, serverSecret string) (p path, ok bool) {
	end := strings.TrimRight(text, "/")
	if !strings.HasSuffix(end, string(preReboot)) && !strings.HasSuffix(end, string(steadyState)) {
		return p, false // most requests, at no cost
	}
	var segments []string
	for s := range strings.SplitSeq(text, "/") {
		if s != "" {
			segments = append(segments, s)
		}
	}
	n := len(segments)
	if n < 2 || segments[n-2] != "v1" {
		return p, false
	}
	if p.operation = operation(segments[n-1]); p.operation != preReboot && p.operation != steadyState {
		return p, false
	}
	segments = segments[:n-2]
	if len(segments) > 0 && segments[0] == prefix {
		segments = segments[1:]
	}
	if n := len(segments); n > 0 && strings.HasPrefix(segments[n-1], catalog.SecretPrefix) && segments[n-1] != strings.Trim(serverSecret, "/") {
		segments, p.machineSecret = segments[:n-1], segments[n-1]
	}
	p.secret = strings.Join(segments, "/")
	return p, true
}

// secretOf returns the hash of the machine secret of a request: in the path, as a bearer
// token, or as the password of the URL, which Zincati sends. Zero is none. Other
// credentials are ignored: they are for a proxy.
func secretOf(r *http.Request, inPath string) catalog.SecretHash {
	if inPath != "" {
		return catalog.HashSecret(inPath)
	}
	if _, password, ok := r.BasicAuth(); ok && strings.HasPrefix(password, catalog.SecretPrefix) {
		return catalog.HashSecret(password)
	}
	for _, sent := range r.Header["Authorization"] {
		scheme, secret, _ := strings.Cut(sent, " ")
		if strings.EqualFold(scheme, "Bearer") && strings.HasPrefix(secret, catalog.SecretPrefix) {
			return catalog.HashSecret(secret)
		}
	}
	return catalog.SecretHash{}
}
