package omaha

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

const (
	// defaultMaxInFlight limits the requests between the end of their body and
	// their response: the 4,400 that fleet's lane queues, and some hundred that
	// need no write. At 20 kB each it limits memory to 100 MB.
	defaultMaxInFlight = 5000

	// rejectDelay is how long a rejected client waits for its response. Rejecting
	// costs almost as much as answering, and rejected clients retry at once. The
	// delay limits the rejections per period to the open connections.
	rejectDelay = 2 * time.Second

	// retryAfter is the value of Retry-After: longer than a restart of the server,
	// and short compared with the usual 45 minutes between checks. update_engine
	// ignores the header and doubles its interval.
	retryAfter = 5 * time.Minute

	// defaultPollInterval is update_engine's interval without PollInterval, and
	// maxPollInterval the longest that it accepts.
	defaultPollInterval = 45 * time.Minute
	maxPollInterval     = 4 * time.Hour
)

// delayRejection blocks for rejectDelay.
func delayRejection(ctx context.Context) {
	t := time.NewTimer(rejectDelay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// reject answers 503.
func reject(w http.ResponseWriter) {
	seconds := strconv.Itoa(int(retryAfter / time.Second))
	w.Header().Set("Retry-After", seconds)
	w.Header().Set("X-Retry-After", seconds) // Google's clients read this one
	http.Error(w, "overloaded: try again later", http.StatusServiceUnavailable)
}

// slowDown doubles the poll interval of machines. It is applied while more than
// half of the allowed requests are in flight. update_engine uses the interval until
// the next response, and randomizes it by half.
func slowDown(replies []reply) {
	for i := range replies {
		if a := &replies[i].answer; replies[i].status == statusOK {
			a.PollInterval = min(2*max(a.PollInterval, defaultPollInterval), maxPollInterval)
		}
	}
}
