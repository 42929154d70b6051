package rollout

import (
	"reflect"
	"strings"
	"testing"
)

// counted runs a script and returns what it added to the counters of the rollouts.
func counted(t *testing.T, commands string) map[byte]Counts {
	t.Helper()
	s := &script{rig: newRig(t, acceptancePolicy())}
	sum := map[byte]Counts{}
	for line := range strings.SplitSeq(commands, ";") {
		s.command(strings.TrimSpace(line))
		for _, p := range s.fx.Progress {
			sum[p.Rollout[0]] = sum[p.Rollout[0]].Plus(p.Counts)
		}
	}
	return sum
}

func TestRolloutCountsEachMachineOnce(t *testing.T) {
	updated := Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Succeeded: 1}
	for name, c := range map[string]struct {
		commands      string
		first, second Counts
	}{
		"granted":                {"check a@1.0.0", Counts{Granted: 1}, Counts{}},
		"downloading":            {"check a@1.0.0; event a@1.0.0 13/1; event a@1.0.0 13/1", Counts{Granted: 1, Downloading: 1}, Counts{}},
		"downloaded":             {"check a@1.0.0; event a@1.0.0 13/1; event a@1.0.0 14/1", Counts{Granted: 1, Downloading: 1, Downloaded: 1}, Counts{}},
		"downloaded at once":     {"check a@1.0.0; event a@1.0.0 14/1", Counts{Granted: 1, Downloading: 1, Downloaded: 1}, Counts{}},
		"installed":              {"check a@1.0.0; event a@1.0.0 13/1; event a@1.0.0 3/1", Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1}, Counts{}},
		"updated":                {"check a@1.0.0; event a@1.0.0 13/1 14/1 3/1; check a@2.0.0", updated, Counts{}},
		"updated in silence":     {"check a@1.0.0; check a@2.0.0", updated, Counts{}},
		"failed":                 {"check a@1.0.0; event a@1.0.0 13/1 3/0:10", Counts{Granted: 1, Downloading: 1, Failed: 1}, Counts{}},
		"failed twice":           {"check a@1.0.0; event a@1.0.0 13/1 14/1 3/0:10; check a@1.0.0; event a@1.0.0 13/1 3/0:10", Counts{Granted: 1, Downloading: 1, Failed: 1}, Counts{}},
		"failed, then updated":   {"check a@1.0.0; event a@1.0.0 13/1 14/1 3/1 3/0:10; check a@1.0.0; check a@2.0.0", updated, Counts{}},
		"timed out":              {"check a@1.0.0; wait 61m", Counts{Granted: 1, Failed: 1, TimedOut: 1}, Counts{}},
		"lost":                   {"check a@1.0.0; event a@1.0.0 3/1; wait 3h", Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Failed: 1, Lost: 1}, Counts{}},
		"rolled back":            {"check a@1.0.0; event a@1.0.0 3/0:44", Counts{Granted: 1, Failed: 1, RolledBack: 1}, Counts{}},
		"rolled back later":      {"check a@1.0.0; check a@2.0.0; check a@1.0.0", Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Failed: 1, RolledBack: 1}, Counts{}},
		"timed out, rolled back": {"check a@1.0.0; wait 61m; event a@1.0.0 3/0:44", Counts{Granted: 1, Failed: 1, RolledBack: 1}, Counts{}},
		"came back":              {"check a@1.0.0; wait 61m; check a@2.0.0", updated, Counts{}},
		"not running":            {"reboots off; check a@1.0.0; event a@1.0.0 3/1; check a@1.0.0", Counts{Granted: 2, Downloading: 1, Downloaded: 1, Installed: 1, Failed: 1, NotRunning: 1}, Counts{}},
		"looping":                {"policy attempts=1; check a@1.0.0; event a@1.0.0 13/1; check a@1.0.0 3/2=", Counts{Granted: 1, Downloading: 1, Failed: 1, Looping: 1}, Counts{}},
		"lost, came back":        {"check a@1.0.0; event a@1.0.0 3/1; wait 3h; check a@2.0.0", updated, Counts{}},
		"fell back, came back":   {"check a@1.0.0; event a@1.0.0 3/0:44; check a@2.0.0", updated, Counts{}},
		"looping, came back":     {"policy attempts=1; check a@1.0.0; event a@1.0.0 13/1; check a@1.0.0 3/2=; check a@2.0.0", updated, Counts{}},
		"not running, came back": {"policy attempts=1; reboots off; check a@1.0.0; event a@1.0.0 3/1; check a@1.0.0; check a@2.0.0", updated, Counts{}},
		"interrupted":            {"check a@1.0.0; event a@1.0.0 13/1; event a@1.0.0 3/2=", Counts{Granted: 1, Downloading: 1, Released: 1}, Counts{}},
		"withdrawn":              {"check a@1.0.0; pause; check a@1.0.0", Counts{Granted: 1, Released: 1}, Counts{}},

		"each rollout counts": {"check a@1.0.0; check a@2.0.0; target 3.0.0; check a@2.0.0; check a@3.0.0", updated, updated},
		"a result of the earlier rollout changes": {
			"check a@1.0.0; check a@2.0.0; target 3.0.0; check a@1.0.0",
			Counts{Granted: 1, Downloading: 1, Downloaded: 1, Installed: 1, Failed: 1, RolledBack: 1}, Counts{Granted: 1},
		},
		"a floor and its target are one success": {"target 3.0.0 floors=2.0.0; check a@1.0.0; check a@2.0.0; check a@3.0.0", Counts{}, updated},
		"the group was left":                     {"check a@1.0.0; check a@2.0.0; leave a", updated, Counts{}},
	} {
		t.Run(name, func(t *testing.T) {
			sum := counted(t, "target 2.0.0;"+c.commands)
			if sum[1] != c.first || sum[2] != c.second {
				t.Errorf("the first rollout counts %+v, want %+v\nthe second %+v, want %+v", sum[1], c.first, sum[2], c.second)
			}
		})
	}
}

// A result names the earlier one that it replaces, only in the same rollout.
func TestResultReplacesTheEarlierOneOfItsRollout(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	replaced := func(want Outcome) {
		t.Helper()
		if n := len(g.fx.Ended); n != 1 || g.fx.Ended[0].Replaces.Outcome != want {
			t.Errorf("ended %+v, want one that replaces outcome %d", g.fx.Ended, want)
		}
	}
	g.target("2.0.0")
	g.check("a", "1.0.0")
	g.event("a", "1.0.0", 3, 0, 10)
	replaced(0)
	g.check("a", "1.0.0")
	g.event("a", "1.0.0", 3, 0, 11)
	replaced(OutcomeFailed)
	g.target("3.0.0")
	g.now = g.now.Add(g.policy.PeriodInterval)
	g.want(g.check("a", "1.0.0"), ReasonGranted)
	g.event("a", "1.0.0", 3, 0, 12)
	replaced(0)
}

// The list of failing machines has those whose last result in this rollout is a failure.
func TestMachineThatComesBackIsNoLongerListedAsFailing(t *testing.T) {
	p := acceptancePolicy()
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 9, 9
	g := newRig(t, p)
	g.target("2.0.0")
	for _, id := range []string{"a", "b", "c"} {
		g.check(id, "1.0.0")
		g.event(id, "1.0.0", 3, 0, 10)
	}
	failing := func(want string) {
		t.Helper()
		if got := strings.Join(g.w.Rollout.Failing, " "); got != want {
			t.Errorf("failing: %q, want %q", got, want)
		}
	}
	failing("a b c")
	g.w.HaltRollout("ada", "", g.now, &g.fx)
	g.check("b", "2.0.0")
	failing("a c")
	if h := g.w.Rollout.Halt.Since(g.w.Rollout.Failing); h.CameBack != 1 || h.Sentence() != "the rollout is halted: stopped by ada; 1 of the failed machines came back since then" {
		t.Errorf("came back: %d, %q", h.CameBack, h.Sentence())
	}
	if h := g.w.Rollout.Halt; h.CameBack != 0 || h.Sentence() != "the rollout is halted: stopped by ada" {
		t.Errorf("the halt itself changed: %+v", h)
	}
}

// A list of 20 may not contain all failing machines, so it does not show who came back.
func TestFullListOfFailingMachinesHidesWhoCameBack(t *testing.T) {
	list := strings.Fields(strings.Repeat("x ", maxFailing))
	h := Halt{Machines: []string{"a"}}
	if h.Since(list).CameBack != 0 || h.Since(list[1:]).CameBack != 1 {
		t.Errorf("came back: %d and %d", h.Since(list).CameBack, h.Since(list[1:]).CameBack)
	}
}

// Plus and Minus treat each count alike.
func TestCountsAddAndSubtractEachField(t *testing.T) {
	var a, b, sum Counts
	for i := range reflect.TypeFor[Counts]().NumField() {
		reflect.ValueOf(&a).Elem().Field(i).SetInt(int64(100 + i))
		reflect.ValueOf(&b).Elem().Field(i).SetInt(int64(7 * (i + 1)))
		reflect.ValueOf(&sum).Elem().Field(i).SetInt(int64(100 + i + 7*(i+1)))
	}
	if got := a.Plus(b); got != sum {
		t.Errorf("%+v plus %+v is %+v", a, b, got)
	}
	if got := sum.Minus(b); got != a {
		t.Errorf("%+v minus %+v is %+v", sum, b, got)
	}
}

// A result that changes counts from now on: a machine that falls back after a resume can halt the rollout,
// whatever it reported before.
func TestResultThatChangesCountsInTheCurrentEpoch(t *testing.T) {
	p := acceptancePolicy()
	p.HaltFailureShare, p.HaltMinAttempts = 1, 1
	g := newRig(t, p)
	g.target("2.0.0")
	g.check("b", "1.0.0")
	g.check("a", "1.0.0")
	g.check("a", "2.0.0")
	g.w.ResumeUpdates("ada", "", g.now, &g.fx)
	g.check("a", "1.0.0")
	if r := g.w.Rollout; r.Evidence.Failed != 1 || r.State != RolloutHalted || r.Halt.Rule != HaltFailureShare {
		t.Errorf("%+v", r)
	}
}
