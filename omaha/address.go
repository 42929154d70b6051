package omaha

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses of trusted reverse proxies. Forwarding headers of
// other peers are ignored.
type Proxies []netip.Prefix

// ClientAddress returns the client's IP address as text, or "" if it is
// unknown. That is the peer of the connection. If the peer is a trusted proxy,
// X-Forwarded-For is read from right to left, and the first untrusted address
// is the client. Entries further left come from the client itself and may be
// forged.
func (p Proxies) ClientAddress(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	client, ok := peer.Addr().Unmap().WithZone(""), err == nil
	if !ok {
		if client, ok = parseAddress(r.RemoteAddr); !ok {
			return "" // a Unix socket
		}
	}
	if !p.Contain(client) {
		if peer.Addr().Is4() { // the usual case: reuse the text
			return r.RemoteAddr[:strings.LastIndexByte(r.RemoteAddr, ':')]
		}
		return client.String()
	}
	values := r.Header["X-Forwarded-For"]
	for _, rest := range slices.Backward(values) {
		for rest != "" {
			if !p.Contain(client) {
				return client.String()
			}
			var entry string
			if cut := strings.LastIndexByte(rest, ','); cut >= 0 {
				rest, entry = rest[:cut], rest[cut+1:]
			} else {
				rest, entry = "", rest
			}
			next, ok := parseAddress(strings.TrimSpace(entry))
			if !ok {
				return client.String()
			}
			client = next
		}
	}
	return client.String()
}

// Forwarded reports whether the request came through a trusted proxy.
func (p Proxies) Forwarded(r *http.Request) bool {
	if len(p) == 0 {
		return false
	}
	peer, ok := parseAddress(r.RemoteAddr)
	return ok && p.Contain(peer)
}

// Contain reports whether an address is that of a trusted proxy.
func (p Proxies) Contain(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(a) })
}

// parseAddress parses an IP address with or without a port. It converts IPv4 in
// IPv6 to IPv4 and removes the zone, which has no meaning on other hosts.
func parseAddress(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}
