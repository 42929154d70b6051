package policy

import (
	"reflect"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
)

func TestCompileAcceptsTheDefault(t *testing.T) {
	p := Default()
	s, problems := Compile(p)
	if s == nil || len(problems) != 0 || !reflect.DeepEqual(*s.Policy(), p) {
		t.Fatalf("%+v", problems)
	}
}

// A schedule is shared between goroutines, so it must not share slices with the
// policy it was compiled from.
func TestScheduleSharesNoSliceWithItsPolicy(t *testing.T) {
	p := otherPolicy()
	p.Waves[0].Canaries = []string{"a"}
	s := compile(t, p)
	if !reflect.DeepEqual(p, *s.Policy()) {
		t.Fatalf("compiled as %+v", s.Policy())
	}
	var walk func(path string, a, b reflect.Value)
	walk = func(path string, a, b reflect.Value) {
		switch a.Kind() {
		case reflect.Slice:
			if a.Len() > 0 && a.Pointer() == b.Pointer() {
				t.Errorf("%s is shared", path)
			}
			for i := range a.Len() {
				walk(path+"[]", a.Index(i), b.Index(i))
			}
		case reflect.Struct:
			for i := range a.NumField() {
				walk(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
			}
		case reflect.Map, reflect.Pointer:
			if a.Type() != reflect.TypeFor[*time.Location]() {
				t.Errorf("%s: clonePolicy does not copy a %s", path, a.Kind())
			}
		default:
		}
	}
	walk("policy", reflect.ValueOf(p), reflect.ValueOf(*s.Policy()))
}

func TestDescribe(t *testing.T) {
	p := Default()
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
		"except during 1 freeze, one machine first, in 3 waves (2 listed machines until all of them finished, then " +
		"1 listed machine and 10 % of the machines until 10 updates finished, 95 % of them successful, 2 days of soak, an approval, " +
		"then 100 % of the machines), halted when 20 % of at least 5 finished attempts failed, a machine is quarantined after 3 failed attempts, " +
		"updates requested at the machine skip waves, limits and windows."
	if got := compile(t, p).Describe(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
