package server

import "net/http"

// Content security policies: no resource from another host, no inline script,
// no embedding in frames. The dashboard sets styles through the DOM, which needs
// no exception.
const (
	dashboardPolicy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
	// GraphiQL uses inline style elements and fonts in data URLs.
	playgroundPolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; " +
		"frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
	// dataPolicy is for answers that are not pages: a browser that is tricked into
	// showing one runs nothing in it.
	dataPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
)

// secureFor is how long a browser that used TLS uses nothing else: one year.
const secureFor = "max-age=31536000"

// setDefaultHeaders sets the headers of every response except those to machines. Pages
// replace the policy.
func setDefaultHeaders(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", dataPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if secure {
		h.Set("Strict-Transport-Security", secureFor)
	}
}

// setSecurityHeaders sets the headers of a page or one of its files.
func setSecurityHeaders(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}
