package store_test

import (
	"testing"

	"github.com/coreroller/coreroller/store"
)

func TestAddressBlock(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.0":             "192.0.2.0/24",
		"192.0.2.255":           "192.0.2.0/24",
		"192.0.3.1":             "192.0.3.0/24",
		"::ffff:192.0.2.7":      "192.0.2.0/24",
		"2001:db8:1::1":         "2001:db8:1::/48",
		"2001:db8:1:ffff::1":    "2001:db8:1::/48",
		"2001:DB8:2:0::":        "2001:db8:2::/48",
		"fe80::1%eth0":          "fe80::/48",
		"::1":                   "::/48",
		"":                      "",
		"192.0.2.1:80":          "",
		"192.0.2.0/24":          "",
		"machine.example":       "",
		"2001:db8:1::1, 10.0.0": "",
	} {
		if got := store.AddressBlock(address); got != want {
			t.Errorf("the block of %q is %q, want %q", address, got, want)
		}
	}
}
