package rollout

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

// Every field of a policy has its line: a field that is added and forgotten
// here would be changed without a word.
func TestEveryFieldOfAPolicyIsNamedWhenItChanges(t *testing.T) {
	other := Policy{
		UpdatesEnabled: false, SafeMode: false, MaxUpdatesPerPeriod: 7, PeriodInterval: 2 * time.Hour, MaxConcurrentUpdates: 8,
		UpdateTimeout: 90 * time.Minute, RebootTimeout: time.Hour, Timezone: "Europe/Lisbon", OfficeHours: true,
		Windows: []calendar.Window{{Days: []time.Weekday{time.Monday}, Start: 60, End: 120}},
		Freezes: []calendar.Freeze{{From: start, Until: start.Add(time.Hour), Reason: "audit"}},
		Waves:   []Wave{{Share: 0.1}, {Share: 1}}, HaltFailureShare: 0.5, HaltMinAttempts: 9, MaxAttempts: 4,
		OnDemand: OnDemandSkipsPacing, PollInterval: 10 * time.Minute,
	}
	was := DefaultPolicy()
	for i := range reflect.TypeFor[Policy]().NumField() {
		is := was
		reflect.ValueOf(&is).Elem().Field(i).Set(reflect.ValueOf(other).Field(i))
		if lines := Changes(was, is); len(lines) != 1 {
			t.Errorf("%s: %q", reflect.TypeFor[Policy]().Field(i).Name, lines)
		}
	}
	if lines := Changes(other, other); lines != nil {
		t.Errorf("no change: %q", lines)
	}
	got := Changes(was, other)
	want := []string{
		"updates: on → off", "safe mode: on → off", "updates in a period: 1 → 7", "period: 1 hour → 2 hours", "updates at once: 1 → 8",
		"update timeout: 1 hour → 90 minutes", "reboot timeout: 1 day → 1 hour", "time zone: UTC → Europe/Lisbon", "office hours only: off → on",
		"windows: always → Mon 01:00 to 02:00", "freezes: none → 2026-03-02 10:00:00 UTC until 2026-03-02 11:00:00 UTC: audit",
		"waves: none → 10 % of the machines, then 100 % of the machines", "halt when failed: 20 % → 50 %",
		"finished attempts before a halt: 5 → 9", "failed attempts before quarantine: 3 → 4",
		"updates asked for at the machine: same rules → skip waves and limits", "poll interval: left to the machines → 10 minutes",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// Named machines that are exchanged are a change, too.
	a, b := was, was
	a.Waves, b.Waves = []Wave{{Canaries: []string{"x"}}, {Share: 1}}, []Wave{{Canaries: []string{"y"}}, {Share: 1}}
	if lines := Changes(a, b); len(lines) != 1 {
		t.Errorf("other canaries: %q", lines)
	}
}

func TestWhatGrowsTheReachOfAPolicy(t *testing.T) {
	night := func(from, until int) []calendar.Window {
		return []calendar.Window{{Days: []time.Weekday{time.Monday, time.Tuesday}, Start: from * 60, End: until * 60}}
	}
	freeze := func(from, until time.Duration) []calendar.Freeze {
		return []calendar.Freeze{{From: start.Add(from), Until: start.Add(until)}}
	}
	waves := func(w ...Wave) []Wave { return append(w, Wave{Share: 1}) }
	for name, c := range map[string]struct {
		from, to func(p *Policy)
		grows    bool // from → to; the way back must be the opposite unless both is set
		both     bool
	}{
		"resumed":        {func(p *Policy) { p.UpdatesEnabled = false }, func(*Policy) {}, true, false},
		"no safe mode":   {func(*Policy) {}, func(p *Policy) { p.SafeMode = false }, true, false},
		"more at once":   {func(*Policy) {}, func(p *Policy) { p.MaxConcurrentUpdates = 2 }, true, false},
		"shorter period": {func(*Policy) {}, func(p *Policy) { p.PeriodInterval = time.Minute }, true, false},
		"more patience":  {func(*Policy) {}, func(p *Policy) { p.HaltFailureShare = 0.3 }, true, false},
		"never halted":   {func(*Policy) {}, func(p *Policy) { p.HaltFailureShare = 0 }, true, false},
		"tried again":    {func(*Policy) {}, func(p *Policy) { p.MaxAttempts = 4 }, true, false},
		"on demand":      {func(*Policy) {}, func(p *Policy) { p.OnDemand = OnDemandSkipsPacing }, true, false},
		"no waves":       {func(p *Policy) { p.Waves = waves(Wave{Share: 0.1}) }, func(*Policy) {}, true, false},
		"larger wave": {
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.1}) },
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.2}) }, true, false,
		},
		"one more canary": {
			func(p *Policy) { p.Waves = waves(Wave{Canaries: []string{"a"}}) },
			func(p *Policy) { p.Waves = waves(Wave{Canaries: []string{"a", "b"}}) }, true, false,
		},
		"less soaking": {
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.1, Soak: time.Hour}) },
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.1}) }, true, false,
		},
		"no approval": {
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.1, Approval: true}) },
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.1}) }, true, false,
		},
		"last wave reaches further": {
			func(p *Policy) { p.Waves = []Wave{{Share: 0.1}} },
			func(p *Policy) { p.Waves = []Wave{{Share: 0.1}, {Share: 0.5}} }, true, false,
		},
		"no windows":    {func(p *Policy) { p.Windows = night(1, 3) }, func(*Policy) {}, true, false},
		"longer window": {func(p *Policy) { p.Windows = night(1, 3) }, func(p *Policy) { p.Windows = night(1, 4) }, true, false},
		"other window":  {func(p *Policy) { p.Windows = night(1, 3) }, func(p *Policy) { p.Windows = night(4, 5) }, true, true},
		"other zone": {
			func(p *Policy) { p.Windows = night(1, 3) },
			func(p *Policy) { p.Windows, p.Timezone = night(1, 3), "Asia/Tokyo" }, true, true,
		},
		"no freeze":        {func(p *Policy) { p.Freezes = freeze(0, time.Hour) }, func(*Policy) {}, true, false},
		"shorter freeze":   {func(p *Policy) { p.Freezes = freeze(0, time.Hour) }, func(p *Policy) { p.Freezes = freeze(0, time.Minute) }, true, false},
		"freeze of before": {func(p *Policy) { p.Freezes = freeze(-2*time.Hour, -time.Hour) }, func(*Policy) {}, false, true},
		"timeouts":         {func(*Policy) {}, func(p *Policy) { p.UpdateTimeout, p.RebootTimeout = time.Minute, time.Minute }, false, true},
		"nothing":          {func(*Policy) {}, func(*Policy) {}, false, true},
	} {
		from, to := DefaultPolicy(), DefaultPolicy()
		c.from(&from)
		c.to(&to)
		a, b := compile(t, from), compile(t, to)
		if got := Grows(a, b, start); got != c.grows {
			t.Errorf("%s: %v", name, got)
		}
		if got := Grows(b, a, start); got != (c.grows == c.both) {
			t.Errorf("%s, the way back: %v", name, got)
		}
	}
}
