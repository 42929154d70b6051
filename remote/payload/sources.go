package payload

import "net/netip"

// Sources are the addresses to which the server may connect for a user. Without a limit
// a user could make the server reach addresses that only the server reaches, such as
// those of a cloud's credentials. The zero value permits none.
type Sources struct {
	Public   bool           // addresses of the public internet
	Networks []netip.Prefix // further networks
}

// Permit reports whether the server may connect to an address. Link-local addresses and
// those of the metadata services of clouds are never permitted, because they give
// credentials to any program of this machine.
func (s Sources) Permit(a netip.Addr) bool {
	a = plain(a)
	if metadata(a) {
		return false
	}
	for _, n := range s.Networks {
		if n.Contains(a) {
			return true
		}
	}
	return s.Public && public(a)
}

// never are the addresses of metadata services besides the link-local ones.
var never = []netip.Prefix{
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure, a public address
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle Cloud, the old one
	netip.MustParsePrefix("fd00:ec2::/32"),      // AWS
	netip.MustParsePrefix("fd00:42::42/128"),    // Scaleway
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google Cloud
}

// metadata reports whether an address is link-local or that of a metadata service.
func metadata(a netip.Addr) bool {
	if a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() {
		return true
	}
	for _, n := range never {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// nat64 contains an IPv4 address in its last four bytes.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// plain returns an address without zone, and an IPv4 address inside an IPv6 address as
// itself.
func plain(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		all := a.As16()
		if inner := netip.AddrFrom4([4]byte(all[12:])); metadata(inner) {
			return inner
		}
	}
	return a
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
