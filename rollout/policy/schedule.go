package policy

import (
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

// Schedule is a compiled policy. It never changes and may be shared between
// goroutines. See Compile.
type Schedule struct {
	policy   Policy
	calendar calendar.Calendar
	reboots  calendar.Calendar // see RebootCalendar
	canaries map[string]int    // machine id to the first wave that names it
}

// Policy is what the schedule was compiled from. It must not be changed.
func (s *Schedule) Policy() *Policy { return &s.policy }

// Calendar has the windows, office hours and freezes.
func (s *Schedule) Calendar() *calendar.Calendar { return &s.calendar }

// LastWave is the index of the last wave, -1 when there are none.
func (s *Schedule) LastWave() int { return len(s.policy.Waves) - 1 }

// FirstWave returns the index of the first wave that names a machine; ok is false if
// none does.
func (s *Schedule) FirstWave(machine string) (wave int, ok bool) {
	wave, ok = s.canaries[machine]
	return wave, ok
}

// Selects reports whether a wave has an expression that selects machines of this number,
// see rollout.Machine.SelectedWave.
func (s *Schedule) Selects(selected int) bool {
	return selected > 0 && selected <= len(s.policy.Waves) && s.policy.Waves[selected-1].Expression != ""
}

// NextWindows returns the first n spans from now on in which updates may be
// granted, at most 100. The first one begins now if the calendar is open. A span
// without an end is the last.
func (s *Schedule) NextWindows(now time.Time, n int) []calendar.Span {
	return s.calendar.Next(now, n)
}
