package server

import (
	"net/http"
	"sync"

	"github.com/coreroller/coreroller/auth"
)

// clients counts what each address has open, and refuses more than a limit.
type clients struct {
	limit int

	mu   sync.Mutex
	open map[string]int // by address; in IPv6 by network
}

func newClients(limit int) *clients { return &clients{limit: limit, open: map[string]int{}} }

// enter counts one more. leave must be called once when it ends; ok is false above the
// limit.
func (c *clients) enter(address string) (leave func(), ok bool) {
	key := auth.AddressBlock(address)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[key] >= c.limit {
		return nil, false
	}
	c.open[key]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.open[key]--; c.open[key] == 0 {
			delete(c.open, key)
		}
	}, true
}

// limitForwarded limits the requests in progress of each client behind a trusted proxy.
// Other clients have a connection for each request, which Connections limits.
func (c *clients) limitForwarded(v *resolver, next http.Handler) http.Handler {
	if len(v.proxies) == 0 || c.limit == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.proxies.Forwarded(r) {
			leave, ok := c.enter(v.address(r))
			if !ok {
				w.Header().Set("Retry-After", "5")
				http.Error(w, "too many requests of this address are in progress", http.StatusTooManyRequests)
				return
			}
			defer leave()
		}
		next.ServeHTTP(w, r)
	})
}
