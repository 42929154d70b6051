package rollout

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/policy"
)

// FuzzCompile reads a policy: compiling never panics, and returns a schedule
// that describes itself or the problems.
func FuzzCompile(f *testing.F) {
	for _, policy := range []string{
		`{}`,
		`{"officeHours":true,"timezone":"Europe/Berlin","onDemand":"skips_pacing"}`,
		`{"waves":[{"share":0,"canaries":["a","b"]},{"share":0.5,"soak":3600000000000},{"share":1}]}`,
		`{"timezone":"../etc/passwd","windows":[{"days":[9],"start":-1,"end":1441}]}`,
	} {
		f.Add([]byte(policy))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p := policy.Default()
		if json.Unmarshal(text, &p) != nil {
			return
		}
		switch s, problems := policy.Compile(p); {
		case s == nil && len(problems) == 0:
			t.Fatal("refused without a problem")
		case s != nil && s.Describe() == "":
			t.Fatal("no description")
		}
	})
}

// FuzzReport sends events of a machine in any order and at any time: nothing
// panics, the counts stay right, and every attempt ends.
func FuzzReport(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, "268435469", "1.0.0")
	f.Add([]byte{0, 1, 250, 0, 3, 200, 0, 4, 0}, "-1879048147", "")
	f.Add([]byte{11, 0, 1, 12, 0, 5, 13, 0}, "", "0.0.0.0")
	f.Fuzz(func(t *testing.T, script []byte, code, previous string) {
		if len(script) > 200 { // longer scripts take more time and find nothing more
			return
		}
		p := acceptancePolicy()
		p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates = 1000, 1000
		g := newRig(t, p)
		g.target("2.0.0")
		reduced := ReduceCode(code)
		if reduced < 0 || reduced > codeMask {
			t.Fatalf("code %q is reduced to %d", code, reduced)
		}
		for _, b := range script {
			event := func(kind, result int) {
				g.request("m", request{version: "1.0.0", events: []Event{{
					Type: kind, Result: result, Code: reduced, PreviousVersion: previous, HasPrevious: b%2 == 0,
				}}})
			}
			switch b % 16 {
			case 0:
				g.check("m", "1.0.0")
			case 1:
				event(13, 1)
			case 2:
				event(14, 1)
			case 3:
				event(800, 1)
			case 4:
				event(3, 1)
			case 5:
				event(3, 2)
			case 6:
				event(3, 0)
			case 7:
				event(3, 9)
			case 8:
				event(int(b), reduced)
			case 9:
				g.check("m", "2.0.0")
			case 10:
				g.request("m", request{version: "1.0.0", ping: true})
			case 11:
				g.w.PauseUpdates(Pause{}, &g.fx)
			case 12:
				g.w.ResumeUpdates("", "", g.now, &g.fx)
			case 13:
				g.w.Reboots = !g.w.Reboots
			default:
				g.now = g.now.Add(time.Duration(b) * time.Minute)
			}
			g.sound()
		}
		// From here on the machine is silent: its attempt ends with the lease.
		g.wait(p.UpdateTimeout + p.RebootTimeout)
		if m := g.machines["m"]; m != nil && m.Attempt.Open() {
			t.Fatalf("the attempt is still open in state %d", m.State)
		}
		g.sound()
	})
}
