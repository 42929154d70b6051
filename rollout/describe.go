package rollout

import (
	"fmt"
	"strings"
	"time"
)

// Describe is the policy in one sentence.
func (s *Schedule) Describe() string {
	p := &s.policy
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if !p.UpdatesEnabled {
		add("updates are switched off; when on")
	}
	add("at most %s per %s and %d at once", count(p.MaxUpdatesPerPeriod, "machine"), every(p.PeriodInterval), p.MaxConcurrentUpdates)
	if hours := s.calendar.DescribeWeek(); hours != "" {
		add("%s", hours)
	}
	if n := len(p.Freezes); n > 0 {
		add("not during %s", count(n, "freeze"))
	}
	if p.SafeMode {
		add("the first machine alone")
	}
	if n := len(p.Waves); n > 0 {
		waves := make([]string, n)
		for i, w := range p.Waves {
			waves[i] = w.describe()
			if i < n-1 {
				waves[i] += w.describeGate()
			}
		}
		add("in %s (%s)", count(n, "wave"), strings.Join(waves, ", then "))
	}
	if p.HaltFailureShare > 0 {
		add("halted when %s of at least %s failed", percent(p.HaltFailureShare), count(max(1, p.HaltMinAttempts), "finished attempt"))
	}
	add("a machine is given up after %s", count(p.MaxAttempts, "failed attempt"))
	switch p.OnDemand {
	case OnDemandSkipsPacing:
		add("updates asked for at the machine skip waves and limits")
	case OnDemandSkipsPacingAndWindows:
		add("updates asked for at the machine skip waves, limits and windows")
	case OnDemandSameRules:
	}
	text := strings.Join(parts, ", ")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// describe is whom the wave reaches.
func (w Wave) describe() string {
	var parts []string
	if n := len(w.Canaries); n > 0 {
		parts = append(parts, count(n, "machine")+" by name")
	}
	if w.Share > 0 {
		parts = append(parts, percent(w.Share)+" of the machines")
	}
	return strings.Join(parts, " and ")
}

// describeGate is what the wave waits for before the next one, "" for nothing.
func (w Wave) describeGate() string {
	var parts []string
	switch {
	case w.MinFinished > 0:
		parts = append(parts, count(w.MinFinished, "machine")+" done")
	case w.Share == 0:
		parts = append(parts, "all of them done")
	}
	if w.MinSuccessShare > 0 {
		parts = append(parts, percent(w.MinSuccessShare)+" of them well")
	}
	if w.Soak > 0 {
		parts = append(parts, lasting(w.Soak)+" of soaking")
	}
	if w.Approval {
		parts = append(parts, "a person's approval")
	}
	if len(parts) == 0 {
		return ""
	}
	return " until " + strings.Join(parts, ", ")
}

// lasting is a duration in the largest unit that divides it.
func lasting(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		noun string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= u.unit && d%u.unit == 0 {
			return count(int(d/u.unit), u.noun)
		}
	}
	return d.String()
}

// every is lasting after "per": "hour", but "2 hours".
func every(d time.Duration) string { return strings.TrimPrefix(lasting(d), "1 ") }
