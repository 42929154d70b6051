package omaha

import (
	"net/http"
	"strconv"
	"time"
)

const (
	// inWork is how many requests may be under way, from the end of their body
	// to their answer: all that may wait for the disk (fleet's lane takes some
	// 4,400) and a few hundred that need none of it. With some 20 kB each it
	// bounds the memory they take.
	inWork = 5000

	// retryAfter is what a client is asked to wait when the server is
	// overloaded: long enough for a restart, short against the usual 45 minutes
	// between polls. The OS daemon looks at neither header and doubles its
	// interval by itself.
	retryAfter = 5 * time.Minute

	// usualPoll is how often the OS daemon asks when it is told nothing, and
	// longestPoll the most it can be told.
	usualPoll   = 45 * time.Minute
	longestPoll = 4 * time.Hour
)

// unavailable tells a client to come back later.
func unavailable(w http.ResponseWriter) {
	seconds := strconv.Itoa(int(retryAfter / time.Second))
	w.Header().Set("Retry-After", seconds)
	w.Header().Set("X-Retry-After", seconds) // Google's clients read this one
	http.Error(w, "try again later", http.StatusServiceUnavailable)
}

// slowDown asks machines to poll half as often from now on: while more than
// half of what may be in work is. The OS daemon forgets it with the next answer
// that says something else, and spreads its polls by half by itself.
func slowDown(replies []reply) {
	for i := range replies {
		if a := &replies[i].answer; replies[i].status == statusOK {
			a.PollInterval = min(2*max(a.PollInterval, usualPoll), longestPoll)
		}
	}
}
