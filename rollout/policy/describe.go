package policy

import (
	"strings"

	"github.com/coreroller/coreroller/rollout/phrase"
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
	return "in " + phrase.Count(len(waves), "wave") + " (" + join(waves, "", ", then ", func(i int, w Wave) string {
		if i == len(waves)-1 {
			return w.Describe()
		}
		return w.Describe() + w.describeGate()
	}) + ")"
}

// Describe returns the machines that the wave contains.
func (w Wave) Describe() string {
	return w.describeWith(phrase.Count(len(w.Canaries), "listed machine"))
}

// describeWith uses a text of its own for the canaries.
func (w Wave) describeWith(canaries string) string {
	var parts []string
	if len(w.Canaries) > 0 {
		parts = append(parts, canaries)
	}
	if w.Expression != "" {
		parts = append(parts, "the machines where "+shortened(w.Expression))
	}
	if w.Share > 0 {
		parts = append(parts, phrase.Percent(w.Share)+" of the machines")
	}
	return strings.Join(parts, " and ")
}

// shortened cuts an expression for a sentence.
func shortened(expression string) string {
	const longest = 100
	text := []rune(strings.Join(strings.Fields(expression), " "))
	if len(text) <= longest {
		return string(text)
	}
	return string(text[:longest]) + " …"
}

// describeGate returns what must happen before the next wave, "" for nothing.
func (w Wave) describeGate() string {
	var parts []string
	switch {
	case w.MinFinished > 0:
		parts = append(parts, phrase.Count(w.MinFinished, "update")+" finished")
	case w.Share == 0:
		parts = append(parts, "all of them finished")
	}
	if w.MinSuccessShare > 0 {
		parts = append(parts, phrase.Percent(w.MinSuccessShare)+" of them successful")
	}
	if w.Soak > 0 {
		parts = append(parts, phrase.Lasting(w.Soak)+" of soak")
	}
	if w.Approval {
		parts = append(parts, "an approval")
	}
	if len(parts) == 0 {
		return ""
	}
	return " until " + strings.Join(parts, ", ")
}
