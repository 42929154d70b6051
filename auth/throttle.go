package auth

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// freeTries is how many wrong passwords are accepted without a delay.
	freeTries = 5
	// maxDelay is the longest delay between two attempts. It allows about 1,400
	// guesses a day.
	maxDelay = time.Minute
	// failuresExpireAfter resets the count if no attempt was made for this long.
	failuresExpireAfter = 15 * time.Minute
	// maxThrottled caps the counted name and address pairs, about 1 MB of memory.
	maxThrottled = 8192
)

// TooManyTries is the error of a sign-in attempt that comes too soon after
// failures.
type TooManyTries struct{ Wait time.Duration }

func (e *TooManyTries) Error() string {
	return fmt.Sprintf("too many failed sign-in attempts: wait %d s", e.Seconds())
}

// Seconds is how long to wait, at least 1. It is the value of Retry-After.
func (e *TooManyTries) Seconds() int { return int((e.Wait + time.Second - 1) / time.Second) }

// throttle delays password guessing. It counts failures per pair of name and
// client address. A guesser at another address cannot lock a user out, and one
// user cannot lock out others behind the same address.
type throttle struct {
	mu       sync.Mutex
	failures *simplelru.LRU[string, failures]
}

type failures struct {
	count int
	last  time.Time
	next  time.Time // earlier attempts are rejected
}

func newThrottle() *throttle {
	return &throttle{failures: newLRU[string, failures](maxThrottled)}
}

// begin counts an attempt as failed until its result is known, so that
// concurrent attempts count as well. It returns the count from before, or
// TooManyTries if the attempt comes too soon.
func (t *throttle) begin(username, address string, now time.Time) (before failures, err error) {
	key := throttleKey(username, address)
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.failures.Get(key)
	if ok && now.Sub(f.last) > failuresExpireAfter {
		f = failures{}
	}
	if wait := f.next.Sub(now); wait > 0 && wait <= maxDelay { // longer: the clock was set back
		return f, &TooManyTries{Wait: wait}
	}
	before = f
	f.count++
	f.last = now
	if over := f.count - freeTries; over >= 0 {
		f.next = now.Add(min(maxDelay, time.Second<<min(over, 10)))
	}
	t.failures.Add(key, f)
	return before, nil
}

// set overwrites the count after an attempt that was not a wrong password.
func (t *throttle) set(username, address string, f failures) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f == (failures{}) {
		t.failures.Remove(throttleKey(username, address))
		return
	}
	t.failures.Add(throttleKey(username, address), f)
}

// throttleKey truncates the name, so that long names do not use more memory.
func throttleKey(username, address string) string {
	const maxName = 64 // bytes
	if len(username) > maxName {
		username = username[:maxName]
	}
	return strings.Clone(username) + "\x00" + address
}
