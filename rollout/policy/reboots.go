package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// maxRebootSlots bounds the holders that a decision reads.
const maxRebootSlots = 10_000

// RebootCalendar has the times in which a machine may get a reboot slot: the reboot
// windows, or those of updates if there are none, and the freezes.
func (s *Schedule) RebootCalendar() *calendar.Calendar { return &s.reboots }

func checkRebootSlots(_ *compiler, n int) string {
	return either(n >= 0 && n <= maxRebootSlots, "", fmt.Sprintf("must be 0 to %d; with 0 no machine gets a slot", maxRebootSlots))
}

// checkRebootWindows comes after the calendar of updates was compiled. Zone and freezes
// were checked with that. Clients of FleetLock ask every few minutes, so a short window
// is no mistake.
func checkRebootWindows(c *compiler, windows []calendar.Window) string {
	c.reboots = c.calendar
	if len(windows) == 0 {
		return ""
	}
	p := &c.policy
	compiled, problems := calendar.Compile(calendar.Rules{Timezone: p.Timezone, Windows: windows, Freezes: p.Freezes})
	for _, found := range problems {
		if rest, ok := strings.CutPrefix(found.Field, "windows"); ok && !found.Warning {
			c.fail("rebootWindows"+rest, "%s", found.Message)
		}
	}
	c.reboots = compiled
	return ""
}

func checkRebootRelease(c *compiler, d time.Duration) string {
	if d > 0 && c.policy.RebootOverdueLimit == 1 {
		c.warn("rebootReleaseAfter", "has no effect while one overdue machine stops all reboots: raise rebootOverdueLimit")
	}
	return either(d >= 0, "", "must not be negative; 0 means that a person releases")
}

// soonerRelease reports whether overdue slots are released earlier.
func soonerRelease(_ change, was, is time.Duration) bool { return is > 0 && (was == 0 || is < was) }

func widerRebootWeek(c change, _, _ []calendar.Window) bool {
	return calendar.WeekWidens(&c.from.reboots, &c.to.reboots, c.now)
}

func rebootWindowsText(windows []calendar.Window) string {
	return join(windows, "those of updates", " or ", func(_ int, w calendar.Window) string { return w.String() })
}

func describeReboots(s *Schedule, slots int) string {
	if slots == 0 {
		return ""
	}
	text := "at most " + phrase.Count(slots, "reboot") + " at once"
	if week := s.reboots.DescribeWeek(); week != "" && len(s.policy.RebootWindows) > 0 {
		text += ", " + week
	}
	return text
}
