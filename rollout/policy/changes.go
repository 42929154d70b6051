package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/coreroller/coreroller/rollout/phrase"
)

// Changes returns the differences between two policies for operators, one line
// for each field, such as "period: 1 hour → 2 hours".
func Changes(from, to Policy) []string {
	var lines []string
	for _, f := range fields {
		if line := f.line(&from, &to); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// Grows reports whether the new policy lets more machines update, or the same
// machines sooner.
func Grows(from, to *Schedule, now time.Time) bool {
	return slices.ContainsFunc(fields[:], func(f policyField) bool { return f.grows(change{from, to, now}) })
}

// wavesText includes the ids of canaries, because they may be the only change.
func wavesText(waves []Wave) string {
	return join(waves, "none", ", then ", func(i int, w Wave) string {
		canaries := strings.Join(w.Canaries, ", ")
		if n := len(w.Canaries); n > 5 {
			canaries = phrase.Count(n, "listed machine") + " (" + w.Canaries[0] + " to " + w.Canaries[n-1] + ")"
		}
		text := w.describeWith(canaries)
		if i < len(waves)-1 {
			text += w.describeGate()
		}
		return text
	})
}

// widerWaves compares wave by wave which machines it reaches and what the next
// wave waits for.
func widerWaves(a, b []Wave) bool {
	switch {
	case len(a) == 0:
		return false
	case len(b) == 0:
		return true
	}
	in, selected := map[string]bool{}, map[string]bool{"": true}
	for i, w := range b {
		was := a[min(i, len(a)-1)]
		for _, id := range was.Canaries {
			in[id] = true
		}
		selected[was.Expression] = true
		if w.Share > was.Share || !selected[w.Expression] || slices.ContainsFunc(w.Canaries, func(id string) bool { return !in[id] }) {
			return true
		}
		if i < min(len(a), len(b))-1 && (w.Soak < was.Soak || w.MinFinished < was.MinFinished ||
			w.MinSuccessShare < was.MinSuccessShare || was.Approval && !w.Approval) {
			return true
		}
	}
	return false
}
