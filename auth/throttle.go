package auth

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// freeTries is how often a password may be mistyped before it costs time.
	freeTries = 5
	// maxPause is the longest wait between two tries: about 1,400 guesses a day.
	maxPause = time.Minute
	// forgetTries is after how long without a try failures are forgotten.
	forgetTries = 15 * time.Minute
	// maxTries bounds the memory: about 1 MB.
	maxTries = 8192
)

// TooManyTries is the answer to a sign-in that comes too early after failures.
type TooManyTries struct{ Wait time.Duration }

func (e *TooManyTries) Error() string {
	return fmt.Sprintf("too many failed attempts to sign in: wait %d seconds", e.Seconds())
}

// Seconds is how long to wait, at least 1; for Retry-After.
func (e *TooManyTries) Seconds() int { return int((e.Wait + time.Second - 1) / time.Second) }

// throttle slows down guessing. It counts per name and address together:
// an attacker elsewhere cannot lock a user out, and a user cannot lock out the
// others behind the same address.
type throttle struct {
	mu    sync.Mutex
	tries *bounded[string, tries]
}

type tries struct {
	failed int
	last   time.Time
	next   time.Time // no try before
}

func newThrottle() *throttle {
	return &throttle{tries: newBounded[string, tries](maxTries)}
}

// begin counts a try as failed until it is found to be otherwise, so that many
// tries at the same time count as well. It returns what was counted before, or
// TooManyTries when it comes too early.
func (t *throttle) begin(username, address string, now time.Time) (before tries, err error) {
	key := throttleKey(username, address)
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.tries.get(key)
	if ok && now.Sub(v.last) > forgetTries {
		v = tries{}
	}
	if wait := v.next.Sub(now); wait > 0 {
		return v, &TooManyTries{Wait: wait}
	}
	before = v
	v.failed++
	v.last = now
	if over := v.failed - freeTries; over >= 0 {
		v.next = now.Add(min(maxPause, time.Second<<min(over, 10)))
	}
	t.tries.set(key, v)
	return before, nil
}

// settle puts the count to what it is after a try that was not a failure.
func (t *throttle) settle(username, address string, v tries) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v == (tries{}) {
		t.tries.remove(throttleKey(username, address))
		return
	}
	t.tries.set(throttleKey(username, address), v)
}

// throttleKey is cut so that a long name costs no more memory than a short one.
func throttleKey(username, address string) string {
	const longest = 64
	if len(username) > longest {
		username = username[:longest]
	}
	return strings.Clone(username) + "\x00" + address
}
