package policy

import (
	"fmt"
	"slices"

	"github.com/coreroller/coreroller/rollout/calendar"
)

// Problem is an error in a policy, or a warning.
type Problem struct {
	Field   string // path of the input, such as "policy.waves[1].share"
	Message string // lower case, no full stop
	Warning bool
}

const (
	// Limits that keep decisions fast.
	maxWaves    = 100
	maxCanaries = 1000 // per wave
)

// Compile checks a policy and prepares it for decisions. The schedule is nil if a
// problem is not a warning.
func Compile(p Policy) (*Schedule, []Problem) {
	c := compiler{policy: clonePolicy(p)}
	for _, f := range fields {
		f.validate(&c)
	}
	if slices.ContainsFunc(c.problems, func(p Problem) bool { return !p.Warning }) {
		return nil, c.problems
	}
	s := &Schedule{policy: c.policy, calendar: c.calendar, reboots: c.reboots, canaries: map[string]int{}}
	for i, wave := range p.Waves {
		for _, id := range wave.Canaries {
			if _, ok := s.canaries[id]; !ok {
				s.canaries[id] = i
			}
		}
	}
	return s, c.problems
}

// clonePolicy copies the slices, so that the caller may change its policy later.
func clonePolicy(p Policy) Policy {
	p.Windows, p.RebootWindows = cloneWindows(p.Windows), cloneWindows(p.RebootWindows)
	p.Freezes = slices.Clone(p.Freezes)
	p.Waves = slices.Clone(p.Waves)
	for i := range p.Waves {
		p.Waves[i].Canaries = slices.Clone(p.Waves[i].Canaries)
	}
	return p
}

func cloneWindows(windows []calendar.Window) []calendar.Window {
	windows = slices.Clone(windows)
	for i := range windows {
		windows[i].Days = slices.Clone(windows[i].Days)
	}
	return windows
}

type compiler struct {
	policy   Policy
	problems []Problem
	calendar calendar.Calendar
	reboots  calendar.Calendar
}

func (c *compiler) fail(field, format string, args ...any) {
	c.problems = append(c.problems, Problem{Field: "policy." + field, Message: fmt.Sprintf(format, args...)})
}

func (c *compiler) warn(field, format string, args ...any) {
	c.problems = append(c.problems, Problem{Field: "policy." + field, Message: fmt.Sprintf(format, args...), Warning: true})
}

// checkCalendar checks and compiles all calendar fields.
func checkCalendar(c *compiler, _ string) string {
	p := &c.policy
	var problems []calendar.Problem
	c.calendar, problems = calendar.Compile(calendar.Rules{
		Timezone: p.Timezone, OfficeHours: p.OfficeHours, Windows: p.Windows, Freezes: p.Freezes,
	})
	for _, found := range problems {
		c.problems = append(c.problems, Problem{"policy." + found.Field, found.Message, found.Warning})
	}
	return ""
}

func checkWaves(c *compiler, waves []Wave) string {
	if len(waves) > maxWaves {
		return fmt.Sprintf("at most %d waves", maxWaves)
	}
	var before float64
	for i, w := range waves {
		field := fmt.Sprintf("waves[%d]", i)
		switch {
		case !isShare(w.Share):
			c.fail(field+".share", "must be 0 to 100 %%")
		case w.Share == 0 && len(w.Canaries) == 0 && w.Expression == "":
			c.fail(field+".share", "must be above 0 unless the wave lists canaries or has an expression")
		case w.Share < before:
			c.fail(field+".share", "must not be below that of the previous wave")
		default:
			before = w.Share
		}
		c.canaries(field+".canaries", w.Canaries)
		if w.Soak < 0 {
			c.fail(field+".soak", "must not be negative")
		}
		switch {
		case w.MinFinished < 0:
			c.fail(field+".minFinished", "must not be negative")
		case w.MinFinished == 0 && w.Share == 0 && w.Expression != "" && i < len(waves)-1:
			c.fail(field+".minFinished", "must be at least 1, because the machines that an expression selects are not counted beforehand")
		}
		if w.Share == 0 && w.MinFinished > len(w.Canaries) && len(w.Canaries) > 0 && w.Expression == "" {
			c.warn(field+".minFinished", "requires more finished attempts than the wave has machines")
		}
		if !isShare(w.MinSuccessShare) {
			c.fail(field+".minSuccessShare", "must be 0 to 100 %%")
		}
	}
	if n := len(waves); n > 0 && waves[n-1].Share < 1 {
		c.warn(fmt.Sprintf("waves[%d].share", n-1), "the last wave does not reach all machines; the others are never updated")
	}
	return ""
}

func (c *compiler) canaries(field string, ids []string) {
	if len(ids) > maxCanaries {
		c.fail(field, "at most %d machines", maxCanaries)
		return
	}
	seen := make(map[string]bool, len(ids))
	for i, id := range ids {
		switch {
		case id == "":
			c.fail(fmt.Sprintf("%s[%d]", field, i), "is empty")
		case seen[id]:
			c.fail(fmt.Sprintf("%s[%d]", field, i), "%q is listed twice", id)
		}
		seen[id] = true
	}
}
