package rollout

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

// Changes is what differs between two policies, in words, one line for each
// field.
func Changes(from, to Policy) []string {
	var lines []string
	add := func(what, was, is string) {
		if was != is {
			lines = append(lines, what+": "+was+" → "+is)
		}
	}
	number := func(what string, was, is int) { add(what, strconv.Itoa(was), strconv.Itoa(is)) }
	add("updates", onOff(from.UpdatesEnabled), onOff(to.UpdatesEnabled))
	add("safe mode", onOff(from.SafeMode), onOff(to.SafeMode))
	number("updates in a period", from.MaxUpdatesPerPeriod, to.MaxUpdatesPerPeriod)
	add("period", lasting(from.PeriodInterval), lasting(to.PeriodInterval))
	number("updates at once", from.MaxConcurrentUpdates, to.MaxConcurrentUpdates)
	add("update timeout", lasting(from.UpdateTimeout), lasting(to.UpdateTimeout))
	add("reboot timeout", lasting(from.RebootTimeout), lasting(to.RebootTimeout))
	add("time zone", zoneName(from.Timezone), zoneName(to.Timezone))
	add("office hours only", onOff(from.OfficeHours), onOff(to.OfficeHours))
	add("windows", windowsWords(from.Windows), windowsWords(to.Windows))
	add("freezes", freezesWords(from.Freezes), freezesWords(to.Freezes))
	add("waves", wavesWords(from.Waves), wavesWords(to.Waves))
	add("halt when failed", shareWords(from.HaltFailureShare), shareWords(to.HaltFailureShare))
	number("finished attempts before a halt", from.HaltMinAttempts, to.HaltMinAttempts)
	number("failed attempts before quarantine", from.MaxAttempts, to.MaxAttempts)
	add("updates asked for at the machine", from.OnDemand.words(), to.OnDemand.words())
	add("poll interval", pollWords(from.PollInterval), pollWords(to.PollInterval))
	return lines
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func zoneName(name string) string {
	if name == "" {
		return "UTC"
	}
	return name
}

// list joins the words of entries, with other words for none.
func list[T any](entries []T, none, between string, words func(int, T) string) string {
	if len(entries) == 0 {
		return none
	}
	parts := make([]string, len(entries))
	for i, e := range entries {
		parts[i] = words(i, e)
	}
	return strings.Join(parts, between)
}

func windowsWords(windows []calendar.Window) string {
	return list(windows, "always", " or ", func(_ int, w calendar.Window) string { return w.String() })
}

func freezesWords(freezes []calendar.Freeze) string {
	return list(freezes, "none", ", ", func(_ int, f calendar.Freeze) string { return f.String() })
}

// wavesWords says of named machines who they are: that is all that may change.
func wavesWords(waves []Wave) string {
	return list(waves, "none", ", then ", func(i int, w Wave) string {
		words := w.describe()
		if n := len(w.Canaries); n > 0 && n <= 5 {
			words = strings.Replace(words, count(n, "machine")+" by name", strings.Join(w.Canaries, ", "), 1)
		} else if n > 0 {
			words = strings.Replace(words, " by name", " by name ("+w.Canaries[0]+" to "+w.Canaries[n-1]+")", 1)
		}
		if i == len(waves)-1 {
			return words
		}
		return words + w.describeGate()
	})
}

func shareWords(share float64) string {
	if share == 0 {
		return "never"
	}
	return percent(share)
}

func (o OnDemand) words() string {
	switch o {
	case OnDemandSkipsPacing:
		return "skip waves and limits"
	case OnDemandSkipsPacingAndWindows:
		return "skip waves, limits and windows"
	case OnDemandSameRules:
	}
	return "same rules"
}

func pollWords(d time.Duration) string {
	if d == 0 {
		return "left to the machines"
	}
	return lasting(d)
}

// Grows reports whether one policy lets more machines update than another, or
// the same machines sooner: what it was stopped or slowed down by before is
// gone or weaker. Both compile.
func Grows(from, to *Schedule, now time.Time) bool {
	a, b := &from.policy, &to.policy
	return !a.UpdatesEnabled && b.UpdatesEnabled ||
		a.SafeMode && !b.SafeMode ||
		b.MaxConcurrentUpdates > a.MaxConcurrentUpdates ||
		b.MaxUpdatesPerPeriod > a.MaxUpdatesPerPeriod ||
		pace(b) > pace(a) ||
		looserHalt(a, b) ||
		b.MaxAttempts > a.MaxAttempts ||
		skips(b.OnDemand) > skips(a.OnDemand) ||
		widerWaves(a.Waves, b.Waves) ||
		calendar.WeekWidens(&from.calendar, &to.calendar, now) ||
		calendar.FreezeEnds(&from.calendar, &to.calendar, now)
}

// pace is grants per second in the long run.
func pace(p *Policy) float64 { return float64(p.MaxUpdatesPerPeriod) / p.PeriodInterval.Seconds() }

func looserHalt(a, b *Policy) bool {
	switch {
	case a.HaltFailureShare == 0:
		return false
	case b.HaltFailureShare == 0:
		return true
	}
	return b.HaltFailureShare > a.HaltFailureShare || b.HaltMinAttempts > a.HaltMinAttempts
}

func skips(o OnDemand) int {
	return slices.Index([]OnDemand{OnDemandSameRules, OnDemandSkipsPacing, OnDemandSkipsPacingAndWindows}, o)
}

// widerWaves compares wave by wave: whom it reaches, and what the next one
// waits for.
func widerWaves(a, b []Wave) bool {
	switch {
	case len(a) == 0:
		return false
	case len(b) == 0:
		return true
	}
	in := map[string]bool{}
	for i, w := range b {
		was := a[min(i, len(a)-1)]
		if i < len(a) {
			for _, id := range was.Canaries {
				in[id] = true
			}
		}
		if w.Share > was.Share || slices.ContainsFunc(w.Canaries, func(id string) bool { return !in[id] }) {
			return true
		}
		if i < min(len(a), len(b))-1 && (w.Soak < was.Soak || w.MinFinished < was.MinFinished ||
			w.MinSuccessShare < was.MinSuccessShare || was.Approval && !w.Approval) {
			return true
		}
	}
	return false
}
