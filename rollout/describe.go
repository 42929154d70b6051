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

// describe returns the machines that the wave contains.
func (w Wave) describe() string { return w.describeWith(count(len(w.Canaries), "listed machine")) }

// describeWith uses a text of its own for the canaries.
func (w Wave) describeWith(canaries string) string {
	var parts []string
	if len(w.Canaries) > 0 {
		parts = append(parts, canaries)
	}
	if w.Share > 0 {
		parts = append(parts, percent(w.Share)+" of the machines")
	}
	return strings.Join(parts, " and ")
}

// describeGate returns what must happen before the next wave, "" for nothing.
func (w Wave) describeGate() string {
	var parts []string
	switch {
	case w.MinFinished > 0:
		parts = append(parts, count(w.MinFinished, "update")+" finished")
	case w.Share == 0:
		parts = append(parts, "all of them finished")
	}
	if w.MinSuccessShare > 0 {
		parts = append(parts, percent(w.MinSuccessShare)+" of them successful")
	}
	if w.Soak > 0 {
		parts = append(parts, lasting(w.Soak)+" of soak")
	}
	if w.Approval {
		parts = append(parts, "an approval")
	}
	if len(parts) == 0 {
		return ""
	}
	return " until " + strings.Join(parts, ", ")
}

// lasting returns a duration in the largest unit that divides it, such as
// "90 minutes".
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

// every returns a duration to be used after "per": "hour", but "2 hours".
func every(d time.Duration) string { return strings.TrimPrefix(lasting(d), "1 ") }
