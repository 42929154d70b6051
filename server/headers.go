package server

import "net/http"

// Content security policies: nothing from another host, no inline script, no
// frames around us. The charts and components of the dashboard style elements
// through the DOM, which needs no exception.
const (
	dashboardPolicy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
	// GraphiQL brings style elements and fonts as data.
	playgroundPolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; " +
		"frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)

// secured sets the headers of a page or one of its files.
func secured(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}
