package policy

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

// otherPolicy differs from Default in every field.
func otherPolicy() Policy {
	return Policy{
		UpdatesEnabled: false, SafeMode: false, MaxUpdatesPerPeriod: 7, PeriodInterval: 2 * time.Hour, MaxConcurrentUpdates: 8,
		UpdateTimeout: 90 * time.Minute, RebootTimeout: time.Hour, LostAfter: 5 * time.Hour, EnrolledOnly: true, Timezone: "Europe/Lisbon", OfficeHours: true,
		Windows: []calendar.Window{{Days: []time.Weekday{time.Monday}, Start: 9 * 60, End: 11 * 60}},
		Freezes: []calendar.Freeze{{From: start, Until: start.Add(time.Hour), Reason: "audit"}},
		Waves:   []Wave{{Share: 0.1}, {Share: 1}}, HaltFailureShare: 0.5, HaltMinAttempts: 9, MaxAttempts: 4,
		OnDemand: OnDemandSkipsPacing, PollInterval: 10 * time.Minute,
		RebootSlots: 3, RebootWindows: []calendar.Window{{Days: []time.Weekday{time.Sunday}, Start: 60, End: 180}},
		RebootOverdueAfter: 2 * time.Hour, RebootReleaseAfter: 4 * time.Hour, RebootOverdueLimit: 2,
	}
}

// The table of fields and the struct Policy agree: names, types and places.
func TestFieldsMatchPolicy(t *testing.T) {
	policy := reflect.TypeFor[Policy]()
	rows := map[string]reflect.Value{}
	for i, f := range Fields() {
		rows[f.Name] = reflect.ValueOf(fields[i])
	}
	if len(rows) != policy.NumField() || len(fields) != policy.NumField() {
		t.Errorf("%d rows with %d names for %d fields of Policy", len(fields), len(rows), policy.NumField())
	}
	for f := range policy.Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		row, found := rows[key]
		if !found {
			t.Errorf("Policy.%s has no row named %q", f.Name, key)
			continue
		}
		for j := range row.NumField() {
			if cell := row.Field(j); cell.Kind() == reflect.Func && cell.IsNil() || cell.Kind() == reflect.String && j < 2 && cell.String() == "" {
				t.Errorf("%s has no %s", key, row.Type().Field(j).Name)
			}
		}
	}
}

// Each row reads and writes the field of its name, so every field has a line in
// Changes, a value in Default and a key in the stored JSON.
func TestEveryFieldIsRead(t *testing.T) {
	was, other := Default(), otherPolicy()
	policy := reflect.TypeFor[Policy]()
	for i := range policy.NumField() {
		key, _, _ := strings.Cut(policy.Field(i).Tag.Get("json"), ",")
		is := was
		reflect.ValueOf(&is).Elem().Field(i).Set(reflect.ValueOf(other).Field(i))
		if reflect.DeepEqual(was, is) {
			t.Errorf("%s: otherPolicy has the value of Default", key)
		}
		if lines := Changes(was, is); len(lines) != 1 {
			t.Errorf("%s changes and Changes returns %q", key, lines)
		}
		if j := slices.IndexFunc(fields[:], func(f policyField) bool { return f.describeField().Name == key }); j >= 0 {
			if fields[j].reset(&is); !reflect.DeepEqual(was, is) {
				t.Errorf("%s: reset changes another field", key)
			}
		}
		text, _ := json.Marshal(other)
		var keys map[string]any
		if err := json.Unmarshal(text, &keys); err != nil || keys[key] == nil {
			t.Errorf("%s is not stored: %s", key, text)
		}
	}
	text, _ := json.Marshal(other)
	var back Policy
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, other) {
		t.Errorf("the policy is stored as %s and read as %+v, %v", text, back, err)
	}
}

func TestChanges(t *testing.T) {
	other := otherPolicy()
	if lines := Changes(other, other); lines != nil {
		t.Errorf("no change: %q", lines)
	}
	got := Changes(Default(), other)
	want := []string{
		"updates: on → off", "updates per period: 1 → 7", "period: 1 hour → 2 hours", "updates at once: 1 → 8",
		"update timeout: 1 hour → 90 minutes", "reboot timeout: 1 day → 1 hour", "lost after: 3 polls → 5 hours", "machines count when known for: 1 day → always", "enrolled machines only: off → on", "time zone: UTC → Europe/Lisbon", "office hours only: off → on",
		"windows: always → Mon 09:00 to 11:00", "freezes: none → 2026-03-02 10:00:00 UTC until 2026-03-02 11:00:00 UTC: audit",
		"safe mode: on → off", "waves: none → 10 % of the machines, then 100 % of the machines", "halt at failed share: 20 % → 50 %",
		"finished attempts before a halt: 5 → 9", "failed attempts before quarantine: 3 → 4",
		"updates requested at the machine: same rules → skip waves and limits", "poll interval: not set → 10 minutes",
		"reboot slots: none → 3", "reboot windows: those of updates → Sun 01:00 to 03:00", "reboot slot overdue after: 1 hour → 2 hours",
		"overdue reboot slots released after: never → 4 hours", "overdue machines that stop reboots: 1 → 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// Replacing canaries counts as a change even if their number is the same.
	a, b := Default(), Default()
	a.Waves, b.Waves = []Wave{{Canaries: []string{"x"}}, {Share: 1}}, []Wave{{Canaries: []string{"y"}}, {Share: 1}}
	if lines := Changes(a, b); len(lines) != 1 {
		t.Errorf("other canaries: %q", lines)
	}
}

func TestGrows(t *testing.T) {
	night := func(from, until int) []calendar.Window {
		return []calendar.Window{{Days: []time.Weekday{time.Monday, time.Tuesday}, Start: from * 60, End: until * 60}}
	}
	freeze := func(from, until time.Duration) []calendar.Freeze {
		return []calendar.Freeze{{From: start.Add(from), Until: start.Add(until)}}
	}
	waves := func(w ...Wave) []Wave { return append(w, Wave{Share: 1}) }
	covered := map[string]bool{}
	for name, c := range map[string]struct {
		fields   string // the fields that this case covers
		from, to func(p *Policy)
		grows    bool // from → to; to → from must be the opposite unless both is set
		both     bool
	}{
		"resumed":              {"updatesEnabled", func(p *Policy) { p.UpdatesEnabled = false }, func(*Policy) {}, true, false},
		"no safe mode":         {"safeMode", func(*Policy) {}, func(p *Policy) { p.SafeMode = false }, true, false},
		"more in flight":       {"maxConcurrentUpdates", func(*Policy) {}, func(p *Policy) { p.MaxConcurrentUpdates = 2 }, true, false},
		"shorter period":       {"periodInterval", func(*Policy) {}, func(p *Policy) { p.PeriodInterval = time.Minute }, true, false},
		"higher failure share": {"haltFailureShare", func(*Policy) {}, func(p *Policy) { p.HaltFailureShare = 0.3 }, true, false},
		"never halted":         {"haltFailureShare", func(*Policy) {}, func(p *Policy) { p.HaltFailureShare = 0 }, true, false},
		"more attempts":        {"maxAttempts", func(*Policy) {}, func(p *Policy) { p.MaxAttempts = 4 }, true, false},
		"on demand":            {"onDemand", func(*Policy) {}, func(p *Policy) { p.OnDemand = OnDemandSkipsPacing }, true, false},
		"more reboots":         {"rebootSlots", func(*Policy) {}, func(p *Policy) { p.RebootSlots = 1 }, true, false},
		"longer reboots":       {"rebootOverdueAfter", func(*Policy) {}, func(p *Policy) { p.RebootOverdueAfter *= 2 }, true, false},
		"released by policy":   {"rebootReleaseAfter", func(*Policy) {}, func(p *Policy) { p.RebootReleaseAfter = time.Hour }, true, false},
		"released sooner":      {"rebootReleaseAfter", func(p *Policy) { p.RebootReleaseAfter = 2 * time.Hour }, func(p *Policy) { p.RebootReleaseAfter = time.Hour }, true, false},
		"more overdue":         {"rebootOverdueLimit", func(*Policy) {}, func(p *Policy) { p.RebootOverdueLimit = 2 }, true, false},
		"reboots at any time":  {"rebootWindows", func(p *Policy) { p.RebootWindows = night(1, 3) }, func(*Policy) {}, true, false},
		"no waves":             {"waves", func(p *Policy) { p.Waves = waves(Wave{Share: 0.1}) }, func(*Policy) {}, true, false},
		"larger wave": {
			"waves",
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.1}) },
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.2}) }, true, false,
		},
		"one more canary": {
			"waves",
			func(p *Policy) { p.Waves = waves(Wave{Canaries: []string{"a"}}) },
			func(p *Policy) { p.Waves = waves(Wave{Canaries: []string{"a", "b"}}) }, true, false,
		},
		"less soaking": {
			"waves",
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.1, Soak: time.Hour}) },
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.1}) }, true, false,
		},
		"no approval": {
			"waves",
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.1, Approval: true}) },
			func(p *Policy) { p.Waves = waves(Wave{Share: 0.1}) }, true, false,
		},
		"last wave reaches further": {
			"waves",
			func(p *Policy) { p.Waves = []Wave{{Share: 0.1}} },
			func(p *Policy) { p.Waves = []Wave{{Share: 0.1}, {Share: 0.5}} }, true, false,
		},
		"larger steps":    {"", func(*Policy) {}, func(p *Policy) { p.MaxUpdatesPerPeriod, p.PeriodInterval = 2, 2*time.Hour }, true, false},
		"more per period": {"maxUpdatesPerPeriod", func(*Policy) {}, func(p *Policy) { p.MaxUpdatesPerPeriod = 2 }, true, false},
		"halt later":      {"haltMinAttempts", func(*Policy) {}, func(p *Policy) { p.HaltMinAttempts = 9 }, true, false},
		"no office hours": {"officeHours", func(p *Policy) { p.OfficeHours = true }, func(*Policy) {}, true, false},
		"poll interval":   {"pollInterval", func(*Policy) {}, func(p *Policy) { p.PollInterval = time.Minute }, false, true},
		"no windows":      {"windows", func(p *Policy) { p.Windows = night(1, 3) }, func(*Policy) {}, true, false},
		"longer window":   {"windows", func(p *Policy) { p.Windows = night(1, 3) }, func(p *Policy) { p.Windows = night(1, 4) }, true, false},
		"other window":    {"windows", func(p *Policy) { p.Windows = night(1, 3) }, func(p *Policy) { p.Windows = night(4, 5) }, true, true},
		"other zone": {
			"timezone",
			func(p *Policy) { p.Windows = night(1, 3) },
			func(p *Policy) { p.Windows, p.Timezone = night(1, 3), "Asia/Tokyo" }, true, true,
		},
		"longer reboot window": {"rebootWindows", func(p *Policy) { p.RebootWindows = night(1, 3) }, func(p *Policy) { p.RebootWindows = night(1, 4) }, true, false},
		"no freeze":            {"freezes", func(p *Policy) { p.Freezes = freeze(0, time.Hour) }, func(*Policy) {}, true, false},
		"shorter freeze":       {"freezes", func(p *Policy) { p.Freezes = freeze(0, time.Hour) }, func(p *Policy) { p.Freezes = freeze(0, time.Minute) }, true, false},
		"past freeze":          {"freezes", func(p *Policy) { p.Freezes = freeze(-2*time.Hour, -time.Hour) }, func(*Policy) {}, false, true},
		"timeouts never count": {"updateTimeout rebootTimeout lostAfter", func(*Policy) {}, func(p *Policy) { p.UpdateTimeout, p.RebootTimeout, p.LostAfter = time.Minute, time.Minute, time.Hour }, false, true},
		"newcomers":            {"evidenceAge", func(*Policy) {}, func(p *Policy) { p.EvidenceAge = time.Hour }, true, false},
		"not enrolled":         {"enrolledOnly", func(p *Policy) { p.EnrolledOnly = true }, func(*Policy) {}, true, false},
		"no change":            {"", func(*Policy) {}, func(*Policy) {}, false, true},
	} {
		for f := range strings.FieldsSeq(c.fields) {
			covered[f] = true
		}
		from, to := Default(), Default()
		c.from(&from)
		c.to(&to)
		a, b := compile(t, from), compile(t, to)
		if got := Grows(a, b, start); got != c.grows {
			t.Errorf("%s: %v", name, got)
		}
		if got := Grows(b, a, start); got != (c.grows == c.both) {
			t.Errorf("%s, reversed: %v", name, got)
		}
	}
	for _, f := range Fields() {
		if !covered[f.Name] {
			t.Errorf("no case for %s", f.Name)
		}
	}
}

func TestCompileNamesTheInvalidField(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range []struct {
		field   string
		change  func(p *Policy)
		warning bool
	}{
		{"policy.maxUpdatesPerPeriod", func(p *Policy) { p.MaxUpdatesPerPeriod = 0 }, false},
		{"policy.maxConcurrentUpdates", func(p *Policy) { p.MaxConcurrentUpdates = -1 }, false},
		{"policy.maxAttempts", func(p *Policy) { p.MaxAttempts = 0 }, false},
		{"policy.periodInterval", func(p *Policy) { p.PeriodInterval = 0 }, false},
		{"policy.updateTimeout", func(p *Policy) { p.UpdateTimeout = -time.Second }, false},
		{"policy.rebootTimeout", func(p *Policy) { p.RebootTimeout = 0 }, false},
		{"policy.lostAfter", func(p *Policy) { p.LostAfter = -time.Second }, false},
		{"policy.lostAfter", func(p *Policy) { p.LostAfter = time.Hour }, true},
		{"policy.evidenceAge", func(p *Policy) { p.EvidenceAge = -time.Second }, false},
		{"policy.updateTimeout", func(p *Policy) { p.PollInterval = time.Hour }, true},
		{"policy.timezone", func(p *Policy) { p.Timezone = "Europe/Atlantis" }, false},
		{"policy.officeHours", func(p *Policy) {
			p.OfficeHours = true
			p.Windows = []calendar.Window{{Days: []time.Weekday{time.Monday}, Start: 17 * 60, End: 18 * 60}}
		}, false},
		{"policy.windows[0].days", func(p *Policy) { p.Windows = []calendar.Window{{Start: 0, End: 60}} }, false},
		{"policy.freezes[0].until", func(p *Policy) { p.Freezes = []calendar.Freeze{{From: start, Until: start}} }, false},
		{"policy.haltFailureShare", func(p *Policy) { p.HaltFailureShare = 1.01 }, false},
		{"policy.haltFailureShare", func(p *Policy) { p.HaltFailureShare = math.NaN() }, false},
		{"policy.haltMinAttempts", func(p *Policy) { p.HaltMinAttempts = -1 }, false},
		{"policy.onDemand", func(p *Policy) { p.OnDemand = "everything" }, false},
		{"policy.pollInterval", func(p *Policy) { p.PollInterval = -time.Second }, false},
		{"policy.pollInterval", func(p *Policy) { p.PollInterval = 1500 * time.Millisecond }, false},
		{"policy.rebootSlots", func(p *Policy) { p.RebootSlots = -1 }, false},
		{"policy.rebootSlots", func(p *Policy) { p.RebootSlots = 10_001 }, false},
		{"policy.rebootWindows[0].days", func(p *Policy) { p.RebootWindows = []calendar.Window{{Start: 0, End: 60}} }, false},
		{"policy.rebootWindows", func(p *Policy) {
			p.RebootWindows = slices.Repeat([]calendar.Window{{Days: []time.Weekday{1}, End: 60}}, 101)
		}, false},
		{"policy.rebootOverdueAfter", func(p *Policy) { p.RebootOverdueAfter = 0 }, false},
		{"policy.rebootReleaseAfter", func(p *Policy) { p.RebootReleaseAfter = -1 }, false},
		{"policy.rebootReleaseAfter", func(p *Policy) { p.RebootReleaseAfter = 1 }, true},
		{"policy.rebootOverdueLimit", func(p *Policy) { p.RebootOverdueLimit = 0 }, false},
		{"policy.waves", func(p *Policy) { p.Waves = slices.Repeat([]Wave{{Share: 1}}, 101) }, false},
		{"policy.waves[0].share", func(p *Policy) { p.Waves = []Wave{{Share: 0}, {Share: 1}} }, false},
		{"policy.waves[0].share", func(p *Policy) { p.Waves = []Wave{{Share: 1.5}} }, false},
		{"policy.waves[0].share", func(p *Policy) { p.Waves = []Wave{{Share: math.Inf(1)}} }, false},
		{"policy.waves[0].share", func(p *Policy) { p.Waves = []Wave{{Share: 0.5}} }, true},
		{"policy.waves[1].share", func(p *Policy) { p.Waves = []Wave{{Share: 0.5}, {Share: 0.4}, {Share: 1}} }, false},
		{"policy.waves[0].soak", func(p *Policy) { p.Waves = []Wave{{Share: 0.5, Soak: -1}, {Share: 1}} }, false},
		{"policy.waves[0].minFinished", func(p *Policy) { p.Waves = []Wave{{Share: 0.5, MinFinished: -1}, {Share: 1}} }, false},
		{"policy.waves[0].minFinished", func(p *Policy) { p.Waves = []Wave{{Canaries: []string{"a"}, MinFinished: 2}, {Share: 1}} }, true},
		{"policy.waves[0].minSuccessShare", func(p *Policy) { p.Waves = []Wave{{Share: 0.5, MinSuccessShare: math.NaN()}, {Share: 1}} }, false},
		{"policy.waves[0].canaries[0]", func(p *Policy) { p.Waves = []Wave{{Canaries: []string{""}}, {Share: 1}} }, false},
		{"policy.waves[0].canaries[1]", func(p *Policy) { p.Waves = []Wave{{Canaries: []string{"a", "a"}}, {Share: 1}} }, false},
		{"policy.waves[0].canaries", func(p *Policy) { p.Waves = []Wave{{Canaries: make([]string, 1001)}, {Share: 1}} }, false},
	} {
		name, _, _ := strings.Cut(strings.TrimPrefix(c.field, "policy."), ".")
		name, _, _ = strings.Cut(name, "[")
		covered[name] = true
		p := Default()
		c.change(&p)
		s, problems := Compile(p)
		if len(problems) != 1 || problems[0].Field != c.field || problems[0].Warning != c.warning || problems[0].Message == "" {
			t.Errorf("%s: %+v", c.field, problems)
		}
		if (s != nil) != c.warning {
			t.Errorf("%s: schedule %v", c.field, s != nil)
		}
	}
	for _, f := range Fields() {
		if valid := f.Type.Kind() == reflect.Bool; !covered[f.Name] && !valid {
			t.Errorf("no case for %s", f.Name)
		}
	}
}
