package payload

import "net/netip"

// Sources are the addresses from which files may be fetched. Without a limit a
// user could make the server read addresses that only the server reaches, such as
// those of a cloud's credentials. The zero value permits none.
type Sources struct {
	Public   bool           // addresses of the public internet
	Networks []netip.Prefix // further networks
}

// permit reports whether files may be fetched from an address.
func (s Sources) permit(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, n := range s.Networks {
		if n.Contains(a) {
			return true
		}
	}
	return s.Public && public(a)
}

// reserved are networks that IANA's registries of special addresses do not route on
// the internet, or that lead to an IPv4 address inside the IPv6 address.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // behind a provider's NAT
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, broadcast
	netip.MustParsePrefix("::/96"),           // IPv4 in IPv6, obsolete
	netip.MustParsePrefix("64:ff9b::/96"),    // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"),  // NAT64, local
	netip.MustParsePrefix("100::/64"),        // discard
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4
	netip.MustParsePrefix("fec0::/10"),       // site-local, obsolete
}

// public reports whether an address is one of the public internet.
func public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false // loopback, link-local, multicast, unspecified, private
	}
	for _, n := range reserved {
		if n.Contains(a) {
			return false
		}
	}
	return true
}
