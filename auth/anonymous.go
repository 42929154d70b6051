package auth

import "net/http"

// Anonymous passes a request to next without identifying the caller, for pages that sign in: next
// can set the session cookie, and wrong credentials are ignored.
func (g *Guard) Anonymous(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := requestInfo{w: w, r: r, address: g.options.Address(r), secure: g.options.Secure(r)}
		next.ServeHTTP(w, r.WithContext(withRequest(r.Context(), info)))
	})
}
