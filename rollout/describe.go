package rollout

import (
	"strings"
	"time"
)

// Describe returns the policy as one sentence for operators.
func (s *Schedule) Describe() string {
	var parts []string
	for _, f := range fields {
		if part := f.describe(s); part != "" {
			parts = append(parts, part)
		}
	}
	text := strings.Join(parts, ", ")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// describeWaves returns "" when there are none.
func describeWaves(waves []Wave) string {
	if len(waves) == 0 {
		return ""
	}
	return "in " + count(len(waves), "wave") + " (" + join(waves, "", ", then ", func(i int, w Wave) string {
		if i == len(waves)-1 {
			return w.describe()
		}
		return w.describe() + w.describeGate()
	}) + ")"
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
