package omaha

import (
	"crypto/subtle"
	"crypto/x509"
	"net/http"
	"strings"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/checkin"
)

// basePaths are the paths of the endpoint: /v1/update as in CoreUpdate and
// Nebraska, and /omaha as in CoreRoller 1.0.
func basePaths() []string { return []string{"/v1/update", "/omaha"} }

// Mount registers the handler at /v1/update and /omaha, with and without a trailing
// slash, because update_engine follows a redirect with GET instead of POST. With a
// secret the paths are /v1/update/<secret> and /omaha/<secret>. A machine secret can
// follow as a further segment. Every other path below the two is not found.
func (h *Handler) Mount(mux *http.ServeMux) {
	for _, base := range basePaths() {
		handler := h.requireSecret(base)
		mux.Handle(base, handler)
		mux.Handle(base+"/", handler)
	}
}

// requireSecret answers 404 unless the path below base is the secret.
func (h *Handler) requireSecret(base string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest := strings.TrimPrefix(r.URL.Path, base)
		rest = strings.TrimPrefix(strings.TrimSuffix(rest, "/"), "/")
		machine := ""
		if !h.guards(rest) {
			rest, machine = cutSecret(rest)
		}
		if !h.guards(rest) {
			reason := checkin.RefusedWrongPath
			if h.secret != "" {
				reason = checkin.RefusedSecretMissing
			}
			h.refuse(r, reason)
			http.NotFound(w, r)
			return
		}
		h.serve(w, r, machine)
	})
}

// guards reports whether a path is the secret of the server, or empty if it has none.
func (h *Handler) guards(path string) bool {
	return subtle.ConstantTimeCompare([]byte(path), []byte(h.secret)) == 1
}

// cutSecret returns a path without the machine secret at its end, and that.
func cutSecret(path string) (rest, secret string) {
	i := strings.LastIndexByte(path, '/')
	if !strings.HasPrefix(path[i+1:], catalog.SecretPrefix) {
		return path, ""
	}
	return path[:max(i, 0)], path[i+1:]
}

// secretOf returns the hash of the machine secret of a request: in the path, or in its
// Authorization header; zero for none. Other credentials are ignored: they are for a
// proxy.
func secretOf(r *http.Request, inPath string) catalog.SecretHash {
	if inPath != "" {
		return catalog.HashSecret(inPath)
	}
	for _, sent := range r.Header["Authorization"] {
		scheme, secret, _ := strings.Cut(sent, " ")
		if strings.EqualFold(scheme, "Bearer") && strings.HasPrefix(secret, catalog.SecretPrefix) {
			return catalog.HashSecret(secret)
		}
	}
	return catalog.SecretHash{}
}

// certificateOf returns the client certificate of a connection, nil if it has none that
// crypto/tls verified.
func certificateOf(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil
	}
	return r.TLS.VerifiedChains[0][0]
}
