package simulate

import (
	"math"
	"strings"
	"testing"
)

func TestVersionsAreDistributedExactly(t *testing.T) {
	shares, err := parseVersions("1.0.0:60, 1.1.0:39,1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for i := range 200 {
		counts[versionOf(shares, i, 200)]++
	}
	if counts["1.0.0"] != 120 || counts["1.1.0"] != 78 || counts["1.2.0"] != 2 {
		t.Errorf("machines per version: %v", counts)
	}
}

func TestInvalidVersionsAndSharesAreRejected(t *testing.T) {
	for _, text := range []string{"", "1.0", "1.0.0:0", "1.0.0:x", "1.0.0:-1", "1.0.0:60,", "v1.0.0"} {
		if _, err := parseVersions(text); err == nil && text != "1.0" { // valid for package semver
			t.Errorf("versions %q are accepted", text)
		}
	}
	for _, text := range []string{"1.0.0", "1.0.0:2", "1.0.0:-1", "x:0.5"} {
		if _, err := parseBad(text); err == nil {
			t.Errorf("bad %q is accepted", text)
		}
	}
}

func TestScenariosFollowTheirShares(t *testing.T) {
	b := DefaultBehavior()
	b.Failure, b.Rollback, b.Silence, b.Deferral, b.Interruption = 0.2, 0.1, 0.05, 0.05, 0.05
	b.Bad = map[string]float64{"6.6.6": 1}
	m := newMachine(&b, Identity{App: testApp}, false, "1.0.0", 3, 0)
	got := map[scenarioKind]float64{}
	const n = 20000
	for range n {
		got[randomScenario(m).kind] += 1.0 / n
	}
	for kind, want := range map[scenarioKind]float64{
		succeeds: 0.55, transferFails: 0.1, installFails: 0.1, rollsBack: 0.1, goesSilent: 0.05,
		defers: 0.05, restarts: 0.05,
	} {
		if math.Abs(got[kind]-want) > 0.015 {
			t.Errorf("scenario %d: share %.3f, want %.3f", kind, got[kind], want)
		}
	}
	m.attempt.offer.Version = "6.6.6"
	for range 100 {
		if k := randomScenario(m).kind; k != transferFails && k != installFails {
			t.Fatalf("a version with failure share 1 got scenario %d", k)
		}
	}
}

func TestInvalidBehaviorIsRejected(t *testing.T) {
	for name, change := range map[string]func(*Behavior){
		"negative share": func(b *Behavior) { b.Failure = -0.1 },
		"above one":      func(b *Behavior) { b.Failure, b.Silence = 0.6, 0.6 },
		"no interval":    func(b *Behavior) { b.Interval = 0 },
	} {
		b := DefaultBehavior()
		change(&b)
		if b.validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestErrorsNameTheInvalidFlag(t *testing.T) {
	valid := Options{URL: "http://localhost:1", Connections: 1, Speed: 1,
		Fleet: Fleet{App: "a", Kind: KindDaemon, Machines: 1, Versions: "1.0.0", Behavior: DefaultBehavior()}}
	for flag, change := range map[string]func(*Options){
		"--url":         func(o *Options) { o.URL = "" },
		"--app":         func(o *Options) { o.Fleet.App = "" },
		"--kind":        func(o *Options) { o.Fleet.Kind = "toaster" },
		"--machines":    func(o *Options) { o.Fleet.Machines = 0 },
		"--connections": func(o *Options) { o.Connections = 0 },
		"--speed":       func(o *Options) { o.Speed = math.NaN() },
		"--versions":    func(o *Options) { o.Fleet.Versions = "one" },
		"--bad":         func(o *Options) { o.Fleet.Bad = "1.0.0" },
	} {
		o := valid
		change(&o)
		if err := Run(t.Context(), o, &strings.Builder{}, nil); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: error %v", flag, err)
		}
	}
	for _, bad := range []string{"localhost:8000", "ftp://x", "http://", "://"} {
		if _, err := updateURL(bad); err == nil {
			t.Errorf("URL %q is accepted", bad)
		}
	}
}
