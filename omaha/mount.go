package omaha

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// bases are the paths of the endpoint: that of CoreUpdate, Nebraska and the
// clients made for them, and that of CoreRoller 1.0.
func bases() []string { return []string{"/v1/update", "/omaha"} }

// Mount puts the handler on its paths: /v1/update and /omaha, with and without
// a slash at the end (a redirect would turn the OS daemon's POST into a GET).
// With a secret they are /v1/update/<secret> and /omaha/<secret>, again with or
// without a slash, and everything else below the two is not found.
func (h *Handler) Mount(mux *http.ServeMux) {
	for _, base := range bases() {
		guarded := h.guard(base)
		mux.Handle(base, guarded)
		mux.Handle(base+"/", guarded)
	}
}

// guard lets a request through whose path ends with the secret.
func (h *Handler) guard(base string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest := strings.TrimPrefix(r.URL.Path, base)
		rest = strings.TrimPrefix(strings.TrimSuffix(rest, "/"), "/")
		if subtle.ConstantTimeCompare([]byte(rest), []byte(h.secret)) != 1 {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func trimSlashes(s string) string { return strings.Trim(s, "/") }
