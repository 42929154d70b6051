package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

// heldBy returns slots that clients took some time before start, the oldest first.
func heldBy(clients ...string) (all []RebootSlot) {
	for i, c := range clients {
		all = append(all, RebootSlot{Client: c, TakenAt: start.Add(time.Duration(i-len(clients)) * time.Minute)})
	}
	return all
}

func TestDecideReboot(t *testing.T) {
	monday := func(from, until int) []calendar.Window {
		return []calendar.Window{{Days: []time.Weekday{time.Monday}, Start: from * 60, End: until * 60}}
	}
	for name, c := range map[string]struct {
		change func(p *Policy, w *World)
		held   []RebootSlot
		lost   int
		client string
		want   RebootReason
		detail string
		until  time.Time
	}{
		"first":           {want: RebootGranted, detail: "reboot slot 1 of 2 is granted"},
		"second":          {held: heldBy("a"), want: RebootGranted, detail: "reboot slot 2 of 2 is granted"},
		"full":            {held: heldBy("a", "b"), want: RebootSlotsFull, detail: "2 of 2 reboot slots are held: a since 2026-03-02 09:58:00 UTC, b since 2026-03-02 09:59:00 UTC"},
		"holder":          {held: heldBy("me", "b"), want: RebootHeld, detail: "holds a reboot slot since 2026-03-02 09:58:00 UTC"},
		"fewer than held": {change: func(p *Policy, _ *World) { p.RebootSlots = 1 }, held: heldBy("a", "b"), want: RebootSlotsFull, detail: "2 of 1 reboot slot is held"},
		"off":             {change: func(p *Policy, _ *World) { p.RebootSlots = 0 }, want: RebootNotCoordinated, detail: "set rebootSlots"},
		"paused":          {change: func(p *Policy, w *World) { p.UpdatesEnabled, w.Pause = false, Pause{By: "ana", Reason: "audit"} }, want: RebootPaused, detail: "updates are paused by ana: audit"},
		"halted": {change: func(_ *Policy, w *World) {
			w.Rollout.State, w.Rollout.Halt = RolloutHalted, Halt{Rule: HaltByPerson, By: "ana", Reason: "smoke"}
		}, want: RebootHalted, detail: "stopped by ana: smoke"},
		"outside the update window": {change: func(p *Policy, _ *World) { p.Windows = monday(12, 14) }, want: RebootOutsideWindow, detail: "opens at 2026-03-02 12:00:00 UTC", until: start.Add(2 * time.Hour)},
		"a window of its own":       {change: func(p *Policy, _ *World) { p.Windows, p.RebootWindows = monday(12, 14), monday(9, 11) }, want: RebootGranted},
		"outside its own window":    {change: func(p *Policy, _ *World) { p.RebootWindows = monday(11, 12) }, want: RebootOutsideWindow, until: start.Add(time.Hour)},
		"the window closes":         {change: func(p *Policy, _ *World) { p.RebootWindows = monday(9, 10) }, want: RebootOutsideWindow, until: start.Add(7*24*time.Hour - time.Hour)},
		"holder outside the window": {change: func(p *Policy, _ *World) { p.RebootWindows = monday(9, 10) }, held: heldBy("me"), want: RebootHeld},
		"frozen": {change: func(p *Policy, _ *World) {
			p.RebootWindows = monday(9, 11)
			p.Freezes = []calendar.Freeze{{From: start, Until: start.Add(time.Hour), Reason: "year end"}}
		}, want: RebootFrozen, detail: "reboots are frozen: year end until", until: start.Add(7*24*time.Hour - time.Hour)},
		"overdue": {
			held: []RebootSlot{{Client: "a", Name: "web-1", TakenAt: start.Add(-time.Hour)}}, want: RebootOverdueHolder,
			detail: "1 reboot slot overdue: web-1 since 2026-03-02 09:00:00 UTC; at 1 no further slot",
		},
		"not yet overdue":  {held: []RebootSlot{{Client: "a", TakenAt: start.Add(-time.Hour + 1)}}, want: RebootGranted},
		"overdue itself":   {held: []RebootSlot{{Client: "me", TakenAt: start.Add(-time.Hour)}}, want: RebootHeld},
		"below the limit":  {change: func(p *Policy, _ *World) { p.RebootOverdueLimit = 2 }, held: []RebootSlot{{Client: "a", TakenAt: start.Add(-time.Hour)}}, want: RebootGranted},
		"lost":             {lost: 1, want: RebootOverdueHolder, detail: "1 machine did not come back"},
		"lost and overdue": {change: func(p *Policy, _ *World) { p.RebootOverdueLimit = 2 }, held: []RebootSlot{{Client: "a", TakenAt: start.Add(-time.Hour)}}, lost: 1, want: RebootOverdueHolder, detail: "; 1 machine did"},
		"during the outage": {change: func(_ *Policy, w *World) {
			w.Outages = []Outage{{start.Add(-30 * time.Minute), start.Add(-20 * time.Minute)}}
		}, held: []RebootSlot{{Client: "a", TakenAt: start.Add(-time.Hour)}}, want: RebootGranted},
	} {
		t.Run(name, func(t *testing.T) {
			p, w := acceptancePolicy(), World{}
			p.RebootSlots = 2
			if c.change != nil {
				c.change(&p, &w)
			}
			w.Policy = compile(t, p)
			d := w.DecideReboot(&Reboots{Held: c.held, Lost: c.lost}, "me", start)
			if d.Reason != c.want || !strings.Contains(d.Detail(), c.detail) || d.Detail() == "" || !d.Until.Equal(c.until) {
				t.Errorf("%s until %v: %s", d.Reason, d.Until, d.Detail())
			}
		})
	}
}

func TestRebootReleasedByThePolicy(t *testing.T) {
	p := acceptancePolicy()
	p.RebootOverdueAfter, p.RebootOverdueLimit = time.Hour, 2
	taken := start.Add(-3 * time.Hour)
	for after, want := range map[time.Duration]bool{0: false, 2 * time.Hour: true, 2*time.Hour + 1: false} {
		p.RebootReleaseAfter = after
		w := World{Policy: compile(t, p)}
		if got := w.RebootReleased(taken, start); got != want {
			t.Errorf("released after %v: %v", after, got)
		}
	}
}

func TestHoldersAreBounded(t *testing.T) {
	text := holders(heldBy("a", "b", "c", "d", "e", "f", "g"))
	if strings.Count(text, " since ") != MostHolders || !strings.HasSuffix(text, ", 2 more") {
		t.Error(text)
	}
}
