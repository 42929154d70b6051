package omaha

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress is the address of the machine as text, "" when it cannot be
// told. That is the peer of the connection, unless the peer is a trusted proxy:
// then X-Forwarded-For is read from the right, past all trusted proxies, and
// the first other address is the client. What stands further left was written
// by the client itself and proves nothing.
func ClientAddress(r *http.Request, trusted []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	client, ok := peer.Addr().Unmap().WithZone(""), err == nil
	if !ok {
		if client, ok = parseHop(r.RemoteAddr); !ok {
			return "" // a Unix socket
		}
	}
	if !contains(trusted, client) {
		if peer.Addr().Is4() { // nearly all: it is there as text already
			return r.RemoteAddr[:strings.LastIndexByte(r.RemoteAddr, ':')]
		}
		return client.String()
	}
	values := r.Header["X-Forwarded-For"]
	for _, rest := range slices.Backward(values) {
		for rest != "" {
			if !contains(trusted, client) {
				return client.String()
			}
			var hop string
			if cut := strings.LastIndexByte(rest, ','); cut >= 0 {
				rest, hop = rest[:cut], rest[cut+1:]
			} else {
				rest, hop = "", rest
			}
			next, ok := parseHop(strings.TrimSpace(hop))
			if !ok {
				return client.String()
			}
			client = next
		}
	}
	return client.String()
}

// parseHop reads an address with or without a port. IPv4 in IPv6 is IPv4, and
// a zone is dropped: it means something on this host only.
func parseHop(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
