package rollout

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

func TestCompileNamesWhatIsWrong(t *testing.T) {
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
		p := DefaultPolicy()
		c.change(&p)
		s, problems := Compile(p)
		if len(problems) != 1 || problems[0].Field != c.field || problems[0].Warning != c.warning || problems[0].Message == "" {
			t.Errorf("%s: %+v", c.field, problems)
		}
		if (s != nil) != c.warning {
			t.Errorf("%s: schedule %v", c.field, s != nil)
		}
	}
}

func TestCompileAcceptsTheDefault(t *testing.T) {
	p := DefaultPolicy()
	s, problems := Compile(p)
	if s == nil || len(problems) != 0 || !reflect.DeepEqual(*s.Policy(), p) {
		t.Fatalf("%+v", problems)
	}
}

// A schedule is shared between goroutines: whoever compiled it may go on
// changing his policy.
func TestScheduleKeepsItsOwnPolicy(t *testing.T) {
	p := DefaultPolicy()
	p.Windows = []calendar.Window{{Days: []time.Weekday{1}, Start: 0, End: 600}}
	p.Waves = []Wave{{Canaries: []string{"a"}}, {Share: 1}}
	p.Freezes = []calendar.Freeze{{From: start, Until: start.Add(time.Hour)}}
	s := compile(t, p)
	want, err := json.Marshal(s.Policy())
	if err != nil {
		t.Fatal(err)
	}
	p.Windows[0].Days[0], p.Waves[0].Canaries[0], p.Freezes[0].Reason, p.Waves[1].Share = 5, "b", "x", 0
	if got, _ := json.Marshal(s.Policy()); string(got) != string(want) {
		t.Errorf("the schedule changed to %s", got)
	}
	var back Policy
	if err := json.Unmarshal(want, &back); err != nil || !reflect.DeepEqual(back, *s.Policy()) {
		t.Errorf("policy does not survive JSON: %+v, %v", back, err)
	}
}

func TestDescribe(t *testing.T) {
	p := DefaultPolicy()
	p.Timezone, p.UpdatesEnabled = "Europe/Berlin", false
	p.MaxUpdatesPerPeriod, p.PeriodInterval, p.MaxConcurrentUpdates = 20, 90*time.Second, 5
	p.Windows = []calendar.Window{{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, Start: 22 * 60, End: 4*60 + 30}}
	p.Freezes = []calendar.Freeze{{From: start, Until: start.Add(time.Hour)}}
	p.Waves = []Wave{
		{Canaries: []string{"a", "b"}},
		{Share: 0.1, Canaries: []string{"c"}, MinFinished: 10, MinSuccessShare: 0.95, Soak: 48 * time.Hour, Approval: true},
		{Share: 1},
	}
	p.OnDemand = OnDemandSkipsPacingAndWindows
	want := "Updates are switched off; when on, at most 20 machines per 90 seconds and 5 at once, daily 22:00 to 04:30 (Europe/Berlin), " +
		"not during 1 freeze, the first machine alone, in 3 waves (2 machines by name until all of them done, then " +
		"1 machine by name and 10 % of the machines until 10 machines done, 95 % of them well, 2 days of soaking, a person's approval, " +
		"then 100 % of the machines), halted when 20 % of at least 5 finished attempts failed, a machine is given up after 3 failed attempts, " +
		"updates asked for at the machine skip waves, limits and windows."
	if got := compile(t, p).Describe(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
