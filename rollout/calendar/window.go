package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	minutesOfDay  = 24 * 60
	secondsOfDay  = 24 * 60 * 60
	secondsOfWeek = 7 * secondsOfDay
)

// Window is a weekly period on the wall clock. End at or before Start means
// that it runs over midnight; it then belongs to the day on which it begins.
// It is open exactly while the wall clock shows a time inside it: an hour that
// daylight saving repeats is open twice, a skipped hour is never open.
type Window struct {
	Days  []time.Weekday `json:"days"`  // at least one, none twice
	Start int            `json:"start"` // minutes after local midnight, 0 to 1439
	End   int            `json:"end"`   // minutes after local midnight, 1 to 1440
}

// officeHours is Monday to Friday 09:00 to 17:00.
func officeHours() Window {
	return Window{
		Days:  []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday},
		Start: 9 * 60, End: 17 * 60,
	}
}

// minutes is how long the window is open on one of its days.
func (w Window) minutes() int {
	if w.End <= w.Start {
		return w.End + minutesOfDay - w.Start
	}
	return w.End - w.Start
}

// String is the window for operators, such as "Mon to Fri 09:00 to 17:00".
func (w Window) String() string {
	days := make([]string, len(w.Days))
	for i, d := range w.Days {
		days[i] = d.String()[:3]
	}
	text := strings.Join(days, ", ")
	switch {
	case len(days) == 7:
		text = "daily"
	case text == "Mon, Tue, Wed, Thu, Fri":
		text = "Mon to Fri"
	}
	clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
	return fmt.Sprintf("%s %s to %s", text, clock(w.Start), clock(w.End))
}

// DescribeWeek returns windows and office hours with the zone for operators, ""
// when no time of the week is closed.
func (c *Calendar) DescribeWeek() string {
	if c.weekly == nil {
		return ""
	}
	windows := make([]string, len(c.rules.Windows))
	for i, w := range c.rules.Windows {
		windows[i] = w.String()
	}
	text := strings.Join(windows, " or ")
	if c.rules.OfficeHours {
		if text != "" {
			text += " and within "
		}
		text += officeHours().String()
	}
	return text + " (" + c.zone.String() + ")"
}

// String is the freeze for operators, such as
// "2026-12-20 00:00:00 UTC until 2027-01-02 00:00:00 UTC: year end".
func (f Freeze) String() string {
	text := f.From.UTC().Format(TimeLayout) + " until " + f.Until.UTC().Format(TimeLayout)
	if f.Reason != "" {
		text += ": " + f.Reason
	}
	return text
}

// weekSpan is open from a second of the local week (0 is Sunday 00:00) to
// before another.
type weekSpan struct{ from, until int }

// weekSpans returns when the wall clock of a week is inside one of the windows
// and, if required, within office hours. nil means always.
func weekSpans(r Rules) []weekSpan {
	spans := []weekSpan{{0, secondsOfWeek}}
	if len(r.Windows) > 0 {
		spans = merge(r.Windows)
	}
	if r.OfficeHours {
		spans = intersect(spans, merge([]Window{officeHours()}))
	}
	if len(spans) == 1 && spans[0] == (weekSpan{0, secondsOfWeek}) {
		return nil
	}
	return spans
}

// merge returns the union of windows as sorted spans that do not touch.
func merge(windows []Window) []weekSpan {
	var all []weekSpan
	for _, w := range windows {
		for _, day := range w.Days {
			from := int(day)*secondsOfDay + w.Start*60
			until := from + w.minutes()*60
			if until > secondsOfWeek { // from Saturday into Sunday
				all = append(all, weekSpan{0, until - secondsOfWeek})
				until = secondsOfWeek
			}
			all = append(all, weekSpan{from, until})
		}
	}
	slices.SortFunc(all, func(a, b weekSpan) int { return a.from - b.from })
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

func intersect(a, b []weekSpan) []weekSpan {
	both := []weekSpan{}
	for _, s := range a {
		for _, t := range b {
			if from, until := max(s.from, t.from), min(s.until, t.until); from < until {
				both = append(both, weekSpan{from, until})
			}
		}
	}
	return both
}
