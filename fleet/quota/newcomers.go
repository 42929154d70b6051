package quota

import (
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"
)

// maxAddresses bounds the addresses that are counted one by one, some 100 bytes
// each. Further ones in the same minute are counted as one.
const maxAddresses = 100_000

// Newcomers counts the machines that register in each minute, by address and by
// group. It is safe for concurrent use; the zero value is ready.
type Newcomers struct {
	mu        sync.Mutex
	minute    int64
	groups    map[uuid.UUID]int
	addresses map[netip.Prefix]int
}

// Admit reports whether a machine may register, and counts it if so.
func (n *Newcomers) Admit(q *Quotas, address string, group uuid.UUID, now time.Time) bool {
	from := network(address)
	n.mu.Lock()
	defer n.mu.Unlock()
	if minute := now.Unix() / 60; n.minute != minute || n.groups == nil {
		n.minute, n.groups, n.addresses = minute, map[uuid.UUID]int{}, map[netip.Prefix]int{}
	}
	if _, known := n.addresses[from]; !known && len(n.addresses) >= maxAddresses {
		from = netip.Prefix{}
	}
	if reached(n.groups[group], q.NewMachinesPerGroup) || reached(n.addresses[from], q.NewMachinesPerAddress) {
		return false
	}
	n.groups[group]++
	n.addresses[from]++
	return true
}

func reached(n, most int) bool { return most > 0 && n >= most }

// network returns the network that one client usually controls: the address in IPv4,
// its first 64 bits in IPv6. An unknown address is the zero network.
func network(address string) netip.Prefix {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // bits are valid
	return p
}
