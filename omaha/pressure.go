package omaha

import (
	"context"
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

	// holding is how long a client waits to hear that it has to come back. A
	// refusal costs a good part of what an answer costs, and a client that was
	// refused soon asks again, or another in its place: told at once, they keep
	// the processors from the answers. Held, at most the connections that are
	// open beyond those in work are refused in this time.
	holding = 2 * time.Second

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

// hold lets a client wait that is to be refused.
func hold(ctx context.Context) {
	t := time.NewTimer(holding)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

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
