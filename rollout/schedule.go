package rollout

import (
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

// Schedule is a compiled policy. It never changes and may be shared between
// goroutines. See Compile.
type Schedule struct {
	policy   Policy
	calendar calendar.Calendar
	canaries map[string]int // machine id to the first wave that names it
}

// Policy is what the schedule was compiled from. It must not be changed.
func (s *Schedule) Policy() *Policy { return &s.policy }

// lastWave is the index of the last wave, -1 when there are none.
func (s *Schedule) lastWave() int { return len(s.policy.Waves) - 1 }

// Opening reports whether windows, office hours and freezes all allow a grant
// now. If not, reason is ReasonFrozen (with the freeze's own reason) or
// ReasonOutsideWindow, and next is the first time at which all of them do.
func (s *Schedule) Opening(now time.Time) (open bool, reason Reason, next time.Time, freezeReason string) {
	open, freeze, next := s.calendar.Opening(now)
	switch {
	case open:
		return true, ReasonNone, time.Time{}, ""
	case freeze != nil:
		return false, ReasonFrozen, next, freeze.Reason
	}
	return false, ReasonOutsideWindow, next, ""
}

// NextWindows returns the first n spans from now on in which updates may be
// granted, at most 100. The first one begins now if the calendar is open. A span
// without an end is the last.
func (s *Schedule) NextWindows(now time.Time, n int) []calendar.Span {
	return s.calendar.Next(now, n)
}
