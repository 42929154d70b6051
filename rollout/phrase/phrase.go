// Package phrase writes numbers and durations for operators.
package phrase

import (
	"fmt"
	"strings"
	"time"
)

// Count returns a number with its noun, such as "1 machine" or "2 machines".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// maxListed is how many items a list names, so that a sentence stays readable.
const maxListed = 5

// List joins the first items of a list and counts the others.
func List(all []string, separator string) string {
	if n := len(all) - maxListed; n > 0 {
		return fmt.Sprintf("%s%sand %d more", strings.Join(all[:maxListed], separator), separator, n)
	}
	return strings.Join(all, separator)
}

// Percent rounds to four digits, which hides binary rounding errors.
func Percent(share float64) string { return fmt.Sprintf("%.4g %%", share*100) }

// Lasting returns a duration in the largest unit that divides it, such as
// "90 minutes".
func Lasting(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		noun string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= u.unit && d%u.unit == 0 {
			return Count(int(d/u.unit), u.noun)
		}
	}
	return d.String()
}

// Every returns a duration to be used after "per": "hour", but "2 hours".
func Every(d time.Duration) string { return strings.TrimPrefix(Lasting(d), "1 ") }

// Change returns a change of a setting as one line: "setting: before → after". The
// dashboard shows the three parts in columns.
func Change(setting, was, is string) string { return setting + ": " + was + " → " + is }
