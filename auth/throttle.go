package auth

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// How many wrong passwords are accepted without a delay.
const (
	freeTries = 5 // of a name from one address, or from one known browser
	// freeOfAddress is for all names together, so that guesses of many names cost few
	// hashes. People behind one address share it.
	freeOfAddress = 30
	// freeOfName is for all addresses together: NIST SP 800-63B allows 100.
	freeOfName = 100
)

// TooManyTries is the error of a sign-in attempt that comes too soon after
// failures.
type TooManyTries struct{ Wait time.Duration }

func (e *TooManyTries) Error() string {
	return fmt.Sprintf("too many failed sign-in attempts: wait %d s", e.Seconds())
}

// Seconds is how long to wait, at least 1. It is the value of Retry-After.
func (e *TooManyTries) Seconds() int { return int((e.Wait + time.Second - 1) / time.Second) }

// throttle delays password guessing. Attempts from a known browser have a limit of
// their own, so that a guesser, who has none, cannot lock its user out. All others are
// limited by name and address, by address, and by name. Whether the name exists makes no
// difference.
type throttle struct {
	mu                               sync.Mutex
	devices, pairs, addresses, names limit
}

func newThrottle() *throttle {
	return &throttle{devices: newLimit(freeTries), pairs: newLimit(freeTries), addresses: newLimit(freeOfAddress), names: newLimit(freeOfName)}
}

// attempt is a sign-in attempt. device identifies the known browser that makes it, ""
// for none.
type attempt struct{ username, address, device string }

// counted is a limit with the key of an attempt.
type counted struct {
	limit limit
	key   string
	proof bool // a right password resets it
}

func (t *throttle) limits(a attempt) []counted {
	const maxName = 64 // bytes, so that long names do not use more memory
	name := strings.Clone(a.username[:min(len(a.username), maxName)])
	if a.device != "" {
		return []counted{{t.devices, name + "\x00" + a.device, true}}
	}
	address := network(a.address)
	// A right password does not reset the limit of an address: guessers may have a user
	// of their own.
	return []counted{{t.pairs, name + "\x00" + address, true}, {t.addresses, address, false}, {t.names, name, true}}
}

// network returns the part of an address that one client can choose from: a /64 in IPv6.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is6() {
		if prefix, err := ip.WithZone("").Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}

// begin counts an attempt as failed until its result is known, so that concurrent
// attempts count as well. It returns TooManyTries if the attempt comes too soon.
func (t *throttle) begin(a attempt, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var wait time.Duration
	for _, c := range t.limits(a) {
		wait = max(wait, c.limit.wait(c.key, now))
	}
	if wait > 0 {
		return &TooManyTries{Wait: wait}
	}
	for _, c := range t.limits(a) {
		c.limit.add(c.key, now)
	}
	return nil
}

// end corrects the counts after an attempt that was not a wrong password. proven says
// that the password was right.
func (t *throttle) end(a attempt, proven bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.limits(a) {
		if proven && c.proof {
			c.limit.failures.Remove(c.key)
		} else {
			c.limit.takeBack(c.key)
		}
	}
}
