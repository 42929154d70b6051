package auth

import (
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// maxDelay is the longest delay between two attempts. It allows about 1,400
	// guesses a day.
	maxDelay = time.Minute
	// failuresExpireAfter resets a count if no attempt was made for this long.
	failuresExpireAfter = 15 * time.Minute
	// maxThrottled caps the keys that one limit counts, about 1 MB of memory.
	maxThrottled = 8192
)

// limit delays attempts of one key after too many failures of it. It is not safe for
// concurrent use.
type limit struct {
	free     int // failures without a delay
	failures *simplelru.LRU[string, failures]
}

type failures struct {
	count int
	last  time.Time
	next  time.Time // earlier attempts are rejected
}

func newLimit(free int) limit {
	return limit{free: free, failures: newLRU[string, failures](maxThrottled)}
}

// wait returns how long an attempt must wait.
func (l limit) wait(key string, now time.Time) time.Duration {
	f, _ := l.failures.Get(key)
	if wait := f.next.Sub(now); wait <= maxDelay { // longer: the clock was set back
		return wait
	}
	return 0
}

// add counts an attempt as failed.
func (l limit) add(key string, now time.Time) {
	f, _ := l.failures.Get(key)
	if now.Sub(f.last) > failuresExpireAfter {
		f = failures{}
	}
	f.count++
	f.last = now
	if over := f.count - l.free; over >= 0 {
		f.next = now.Add(min(maxDelay, time.Second<<min(over, 10)))
	}
	l.failures.Add(key, f)
}

// takeBack uncounts an attempt that was not a wrong password.
func (l limit) takeBack(key string) {
	f, ok := l.failures.Peek(key)
	if !ok {
		return
	}
	if f.count--; f.count <= 0 {
		l.failures.Remove(key)
		return
	}
	if f.count < l.free {
		f.next = time.Time{}
	}
	l.failures.Add(key, f)
}
