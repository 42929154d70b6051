package omaha

import (
	"net/http"
	"net/netip"
	"testing"
)

// Acceptance case 49.
func TestClientAddressUsesForwardedForOfTrustedProxiesOnly(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct {
		name      string
		peer      string
		forwarded []string
		want      string
	}{
		{"no header", "192.0.2.1:4000", nil, "192.0.2.1"},
		{"peer is not trusted", "192.0.2.1:4000", []string{"198.51.100.7"}, "192.0.2.1"},
		{"one proxy", "10.1.1.1:4000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"proxy without header", "10.1.1.1:4000", nil, "10.1.1.1"},
		{"two proxies", "10.1.1.1:4000", []string{"198.51.100.7, 10.2.2.2"}, "198.51.100.7"},
		{"forged entry", "10.1.1.1:4000", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		{"forged entries, one of them trusted", "10.1.1.1:4000", []string{"203.0.113.9, 10.9.9.9, 198.51.100.7, 10.2.2.2"}, "198.51.100.7"},
		{"several headers", "10.1.1.1:4000", []string{"203.0.113.9", "198.51.100.7", "10.2.2.2"}, "198.51.100.7"},
		{"all trusted", "10.1.1.1:4000", []string{"10.3.3.3,10.2.2.2"}, "10.3.3.3"},
		{"an invalid entry ends the search", "10.1.1.1:4000", []string{"198.51.100.7, unknown, 10.2.2.2"}, "10.2.2.2"},
		{"empty entries", "10.1.1.1:4000", []string{"198.51.100.7, ,"}, "10.1.1.1"},
		{"port", "10.1.1.1:4000", []string{"198.51.100.7:55555"}, "198.51.100.7"},
		{"IPv6", "[fd00::1]:4000", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 with port", "[fd00::1]:4000", []string{"[2001:db8::7]:55555"}, "2001:db8::7"},
		{"IPv6 in brackets", "[fd00::1]:4000", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv4 in IPv6", "[::ffff:10.1.1.1]:4000", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"zone", "[fe80::1%eth0]:4000", nil, "fe80::1"},
		{"trusted with zone", "[fd00::1%eth0]:4000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"Unix socket", "@", []string{"198.51.100.7"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: test.peer, Header: http.Header{"X-Forwarded-For": test.forwarded}}
			if got := Proxies(proxies).ClientAddress(r); got != test.want {
				t.Errorf("address %q, want %q", got, test.want)
			}
		})
	}
}
