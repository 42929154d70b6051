package checkin

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/quota"
	"github.com/coreroller/coreroller/rollout"
)

// So many failed update checks within burstTime need attention: single ones are
// usual, because machines report a lost network as well.
const (
	burstSize = 10
	burstTime = 10 * time.Minute
)

// burst counts failed update checks that machines report close to each other.
type burst struct {
	mu    sync.Mutex
	since time.Time
	n     int64
}

// add counts n more and returns how many to report.
func (b *burst) add(n int64, now time.Time) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.since) > burstTime {
		b.since, b.n = now, 0
	}
	before := b.n
	b.n += n
	switch {
	case b.n < burstSize:
		return 0
	case before < burstSize:
		return b.n
	}
	return n
}

// noteFailedChecks counts the events of a registered machine that report a failed
// update check: the server, or something before it, did not answer.
func (s *Service) noteFailedChecks(events []rollout.Event, now time.Time) {
	n := int64(0)
	for _, e := range events {
		if e.CheckFailed() {
			n++
		}
	}
	if n > 0 {
		s.refusals.Add(quota.FailedCheck, uuid.Nil, s.failedChecks.add(n, now))
	}
}
