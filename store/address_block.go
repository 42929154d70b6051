package store

import "net/netip"

// AddressBlock returns the block of an address: the first 24 bits in IPv4, the
// first 48 in IPv6. Most sites have no more than one. It is "" when the text is no
// address.
func AddressBlock(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	a = a.Unmap()
	bits := 24
	if a.Is6() {
		bits = 48
	}
	block, _ := a.Prefix(bits) // bits are valid
	return block.String()
}
