package rollout

import (
	"slices"
	"time"
)

const (
	minutesOfDay  = 24 * 60
	secondsOfDay  = 24 * 60 * 60
	secondsOfWeek = 7 * secondsOfDay
)

// officeHours is Monday to Friday 09:00 to 17:00.
func officeHours() Window {
	return Window{
		Days:  []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday},
		Start: 9 * 60, End: 17 * 60,
	}
}

// span is open from a second of the local week (0 is Sunday 00:00) to before
// another.
type span struct{ from, until int }

// minutes is how long the window is open on one of its days.
func (w Window) minutes() int {
	if w.End <= w.Start {
		return w.End + minutesOfDay - w.Start
	}
	return w.End - w.Start
}

// weeklySpans is when the policy is open in a week on the wall clock: within
// one of the windows and within office hours. nil means always.
func weeklySpans(p Policy) []span {
	spans := []span{{0, secondsOfWeek}}
	if len(p.Windows) > 0 {
		spans = merge(p.Windows)
	}
	if p.OfficeHours {
		spans = intersect(spans, merge([]Window{officeHours()}))
	}
	if len(spans) == 1 && spans[0] == (span{0, secondsOfWeek}) {
		return nil
	}
	return spans
}

// merge is the union of windows as sorted spans that do not touch.
func merge(windows []Window) []span {
	var all []span
	for _, w := range windows {
		for _, day := range w.Days {
			from := int(day)*secondsOfDay + w.Start*60
			until := from + w.minutes()*60
			if until > secondsOfWeek { // Saturday's runs into Sunday
				all = append(all, span{0, until - secondsOfWeek})
				until = secondsOfWeek
			}
			all = append(all, span{from, until})
		}
	}
	slices.SortFunc(all, func(a, b span) int { return a.from - b.from })
	merged := all[:0]
	for _, s := range all {
		if n := len(merged); n > 0 && s.from <= merged[n-1].until {
			merged[n-1].until = max(merged[n-1].until, s.until)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

func intersect(a, b []span) []span {
	both := []span{}
	for _, s := range a {
		for _, t := range b {
			if from, until := max(s.from, t.from), min(s.until, t.until); from < until {
				both = append(both, span{from, until})
			}
		}
	}
	return both
}

// weeklyAt reports whether the wall clock is inside a span at t, and the next
// moment at which that can change; zero when it never does.
func (s *Schedule) weeklyAt(t time.Time) (open bool, edge time.Time) {
	if s.weekly == nil {
		return true, time.Time{}
	}
	local := t.In(s.zone)
	_, offset := local.Zone()
	// 1970-01-01 was a Thursday, four days into the week.
	second := int((t.Unix() + int64(offset) + 4*secondsOfDay) % secondsOfWeek)
	if second < 0 {
		second += secondsOfWeek
	}
	at := s.weekly[0].from + secondsOfWeek
	for _, w := range s.weekly {
		if second < w.from {
			at = w.from
			break
		}
		if second < w.until {
			open, at = true, w.until
			break
		}
	}
	edge = time.Unix(t.Unix()+int64(at-second), 0).UTC()
	// Within one offset the wall clock runs straight; look again where the
	// offset changes.
	if _, end := local.ZoneBounds(); !end.IsZero() && end.Before(edge) {
		edge = end.UTC()
	}
	return open, edge
}

// freezeAt is the freeze in force at t, nil if there is none.
func (s *Schedule) freezeAt(t time.Time) *Freeze {
	for i := range s.freezes {
		f := &s.freezes[i]
		if f.From.After(t) {
			return nil
		}
		if t.Before(f.Until) {
			return f
		}
	}
	return nil
}
