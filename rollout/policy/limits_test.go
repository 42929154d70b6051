package policy

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// canaries returns n machine ids.
func canaries(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprint("m", i))
	}
	return ids
}

// Values at a limit are valid, without a warning.
func TestCompileAcceptsValuesAtTheLimits(t *testing.T) {
	for name, change := range map[string]func(p *Policy){
		"100 waves":                 func(p *Policy) { p.Waves = slices.Repeat([]Wave{{Share: 1}}, 100) },
		"1,000 canaries":            func(p *Policy) { p.Waves = []Wave{{Canaries: canaries(1000)}, {Share: 1}} },
		"as many finished as named": func(p *Policy) { p.Waves = []Wave{{Canaries: canaries(2), MinFinished: 2}, {Share: 1}} },
		"more finished in a share":  func(p *Policy) { p.Waves = []Wave{{Share: 0.1, Canaries: canaries(2), MinFinished: 3}, {Share: 1}} },
		"equal shares":              func(p *Policy) { p.Waves = []Wave{{Share: 1}, {Share: 1, MinSuccessShare: 1}} },
		"every failure halts":       func(p *Policy) { p.HaltFailureShare, p.HaltMinAttempts = 1, 0 },
		"all machines count":        func(p *Policy) { p.EvidenceAge = 0 },
		"lost after 3 polls":        func(p *Policy) { p.LostAfter = 150 * time.Minute },
		"timeout of one poll":       func(p *Policy) { p.PollInterval, p.UpdateTimeout = 40*time.Minute, time.Hour },
		"shortest times":            func(p *Policy) { p.PeriodInterval, p.UpdateTimeout, p.RebootTimeout = 1, 1, 1 },
	} {
		p := Default()
		change(&p)
		if s, problems := Compile(p); s == nil || len(problems) != 0 {
			t.Errorf("%s: %+v", name, problems)
		}
	}
}

// One mistake causes one problem, not a warning on top of it.
func TestCompileReportsAMistakeOnce(t *testing.T) {
	for name, change := range map[string]func(p *Policy){
		"a wave without machines": func(p *Policy) { p.Waves = []Wave{{MinFinished: 1}, {Share: 1}} },
		"no timeout":              func(p *Policy) { p.PollInterval, p.UpdateTimeout = time.Minute, 0 },
	} {
		p := Default()
		change(&p)
		if s, problems := Compile(p); s != nil || len(problems) != 1 {
			t.Errorf("%s: %+v", name, problems)
		}
	}
}

func TestChangesOfWavesNameTheirMachinesAndGates(t *testing.T) {
	waves := func(w ...Wave) Policy {
		p := Default()
		p.Waves = w
		return p
	}
	for _, c := range []struct {
		waves []Wave
		want  string
	}{
		{[]Wave{{Canaries: canaries(5)}, {Share: 1}}, "m0, m1, m2, m3, m4 until all of them finished, then 100 % of the machines"},
		{[]Wave{{Canaries: canaries(6)}, {Share: 1}}, "6 listed machines (m0 to m5) until all of them finished, then 100 % of the machines"},
		{[]Wave{{Share: 0.5, Soak: time.Hour}, {Share: 1, Soak: time.Hour}}, "50 % of the machines until 1 hour of soak, then 100 % of the machines"},
	} {
		if got := Changes(waves(), waves(c.waves...)); len(got) != 1 || got[0] != "waves: none → "+c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// The gate of the last wave opens nothing, so it makes no policy wider.
func TestChangesThatReachNoMachineSoonerDoNotGrow(t *testing.T) {
	for name, c := range map[string]struct{ from, to func(p *Policy) }{
		"gate of the last wave": {
			func(p *Policy) { p.Waves = []Wave{{Share: 0.1, Soak: time.Hour}, {Share: 1, Soak: time.Hour}} },
			func(p *Policy) { p.Waves = []Wave{{Share: 0.1, Soak: time.Hour}, {Share: 1}} },
		},
		"gate of a wave that becomes the last": {
			func(p *Policy) { p.Waves = []Wave{{Share: 0.1, Soak: time.Hour}, {Share: 1}} },
			func(p *Policy) { p.Waves = []Wave{{Share: 0.1}} },
		},
		"a canary of the last wave stays": {
			func(p *Policy) { p.Waves = []Wave{{Share: 0.1, Canaries: canaries(1)}} },
			func(p *Policy) {
				p.Waves = []Wave{{Share: 0.1, Canaries: canaries(1)}, {Share: 0.1, Canaries: canaries(1)}}
			},
		},
	} {
		from, to := Default(), Default()
		c.from(&from)
		c.to(&to)
		if Grows(compile(t, from), compile(t, to), start) {
			t.Errorf("%s: grows", name)
		}
	}
}

// Each condition of a gate alone makes the next wave open sooner when it becomes weaker.
func TestWeakerGateGrows(t *testing.T) {
	strict := Wave{Share: 0.1, MinFinished: 2, MinSuccessShare: 0.5, Soak: time.Hour, Approval: true}
	for name, weaker := range map[string]func(w *Wave){
		"fewer finished":  func(w *Wave) { w.MinFinished = 1 },
		"fewer succeeded": func(w *Wave) { w.MinSuccessShare = 0.4 },
		"shorter soak":    func(w *Wave) { w.Soak = time.Minute },
		"no approval":     func(w *Wave) { w.Approval = false },
	} {
		from, to := Default(), Default()
		wave := strict
		weaker(&wave)
		from.Waves, to.Waves = []Wave{strict, {Share: 1}}, []Wave{wave, {Share: 1}}
		if a, b := compile(t, from), compile(t, to); !Grows(a, b, start) || Grows(b, a, start) {
			t.Errorf("%s: grows %v, reversed %v", name, Grows(a, b, start), Grows(b, a, start))
		}
	}
}
