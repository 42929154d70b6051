package omaha

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/coreroller/coreroller/fleet/checkin"
)

// basePaths are the paths of the endpoint: /v1/update as in CoreUpdate and
// Nebraska, and /omaha as in CoreRoller 1.0.
func basePaths() []string { return []string{"/v1/update", "/omaha"} }

// Mount registers the handler at /v1/update and /omaha, with and without a trailing
// slash, because update_engine follows a redirect with GET instead of POST. With a
// secret the paths are /v1/update/<secret> and /omaha/<secret>. Every other path
// below the two is not found.
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
		if subtle.ConstantTimeCompare([]byte(rest), []byte(h.secret)) != 1 {
			reason := checkin.RefusedWrongPath
			if h.secret != "" {
				reason = checkin.RefusedSecretMissing
			}
			h.refuse(r, reason)
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
