// Package calendar decides when updates may be granted: weekly windows and
// office hours on the wall clock of a time zone, and freezes. It is pure: the
// current time is a parameter, and the same input always gives the same result.
package calendar

import (
	"fmt"
	"slices"
	"time"
)

// Rules are the part of a policy that concerns the calendar. The zero value
// allows grants at any time. Compile checks it.
type Rules struct {
	Timezone    string // IANA name in which Windows and OfficeHours are read, "" = UTC
	OfficeHours bool   // also require Monday to Friday 09:00 to 17:00
	Windows     []Window
	Freezes     []Freeze
}

// Freeze is a period in which nothing is granted.
type Freeze struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"` // exclusive, after From
	Reason string    `json:"reason"`
}

// Span is a period in which updates may be granted.
type Span struct {
	From  time.Time
	Until time.Time // exclusive; zero: no end
}

// Calendar is compiled from Rules. It never changes and may be shared between
// goroutines. The zero value is always open.
type Calendar struct {
	rules   Rules
	zone    *time.Location
	weekly  []weekSpan // when the week is open, merged and sorted; nil: always
	freezes []Freeze   // sorted by From
}

// Problem is an error in Rules or, with Warning, a setting that is probably a
// mistake.
type Problem struct {
	Field   string // path in the policy, such as "windows[1].start"
	Message string // lower case, no full stop
	Warning bool
}

const (
	// A shorter window causes a warning: machines poll every 45 ± 5 minutes, so
	// some may never poll while it is open.
	shortWindow = 50 // minutes

	// Limits that keep decisions fast.
	maxWindows = 100
	maxFreezes = 500
	maxReason  = 500 // bytes

	// maxSpans bounds the result of Next.
	maxSpans = 100
)

// TimeLayout is how times are written in texts for operators. Times must be in
// UTC.
const TimeLayout = "2006-01-02 15:04:05 UTC"

// Compile checks rules and prepares them. The calendar must not be used if a
// problem is not a warning. It keeps r: the slices must not be changed later.
func Compile(r Rules) (Calendar, []Problem) {
	c := checker{}
	zone, err := time.LoadLocation(r.Timezone) // "" is UTC
	if err != nil || r.Timezone == "Local" {   // the result must not depend on the server's zone
		c.fail("timezone", "%q is not a time zone of the IANA list", r.Timezone)
	}
	valid := c.windows(r.Windows)
	c.freezes(r.Freezes)
	out := Calendar{rules: r, zone: zone}
	out.freezes = slices.SortedFunc(slices.Values(r.Freezes), func(a, b Freeze) int { return a.From.Compare(b.From) })
	if !valid {
		return out, c.problems
	}
	if out.weekly = weekSpans(r); out.weekly != nil && len(out.weekly) == 0 {
		c.fail("officeHours", "no window lies within office hours, so nothing would ever be granted")
	}
	return out, c.problems
}

// checker collects problems.
type checker struct{ problems []Problem }

func (c *checker) fail(field, format string, args ...any) {
	c.problems = append(c.problems, Problem{Field: field, Message: fmt.Sprintf(format, args...)})
}

// windows reports whether the windows can be merged into a week.
func (c *checker) windows(windows []Window) bool {
	valid := len(windows) <= maxWindows
	if !valid {
		c.fail("windows", "at most %d windows", maxWindows)
	}
	for i, w := range windows {
		valid = c.window(fmt.Sprintf("windows[%d]", i), w) && valid
	}
	return valid
}

func (c *checker) window(field string, w Window) bool {
	before := len(c.problems)
	if len(w.Days) == 0 {
		c.fail(field+".days", "at least one day")
	}
	var seen [7]bool
	for i, d := range w.Days {
		switch {
		case d < time.Sunday || d > time.Saturday:
			c.fail(fmt.Sprintf("%s.days[%d]", field, i), "must be 0 (Sunday) to 6 (Saturday)")
		case seen[d]:
			c.fail(fmt.Sprintf("%s.days[%d]", field, i), "%s is listed twice", d)
		default:
			seen[d] = true
		}
	}
	if w.Start < 0 || w.Start >= minutesOfDay {
		c.fail(field+".start", "must be 0 to 1439 minutes after midnight")
	}
	if w.End < 1 || w.End > minutesOfDay {
		c.fail(field+".end", "must be 1 to 1440 minutes after midnight")
	}
	if len(c.problems) > before {
		return false
	}
	if length := w.minutes(); length < shortWindow {
		c.fail(field, "is open for only %d min; machines poll every 45 ± 5 min and may miss it", length)
		c.problems[before].Warning = true
	}
	return true
}

func (c *checker) freezes(freezes []Freeze) {
	if len(freezes) > maxFreezes {
		c.fail("freezes", "at most %d freezes", maxFreezes)
	}
	for i, f := range freezes {
		field := fmt.Sprintf("freezes[%d]", i)
		if f.From.IsZero() {
			c.fail(field+".from", "is missing")
		} else if !f.Until.After(f.From) {
			c.fail(field+".until", "must be after from")
		}
		if len(f.Reason) > maxReason {
			c.fail(field+".reason", "at most %d bytes", maxReason)
		}
	}
}
