package main

import (
	"math"
	"strings"
	"testing"
)

func TestVersionsAreSpreadExactly(t *testing.T) {
	shares, err := parseVersions("1.0.0:60, 1.1.0:39,1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for i := range 200 {
		counts[spread(shares, i, 200)]++
	}
	if counts["1.0.0"] != 120 || counts["1.1.0"] != 78 || counts["1.2.0"] != 2 {
		t.Errorf("spread %v", counts)
	}
}

func TestVersionsAndSharesThatAreRefused(t *testing.T) {
	for _, text := range []string{"", "1.0", "1.0.0:0", "1.0.0:x", "1.0.0:-1", "1.0.0:60,", "v1.0.0"} {
		if _, err := parseVersions(text); err == nil && text != "1.0" { // a shorthand semver accepts
			t.Errorf("versions %q are accepted", text)
		}
	}
	for _, text := range []string{"1.0.0", "1.0.0:2", "1.0.0:-1", "x:0.5"} {
		if _, err := parseBad(text); err == nil {
			t.Errorf("bad %q is accepted", text)
		}
	}
}

func TestStoriesAreDrawnByTheirShares(t *testing.T) {
	h := defaultHabits()
	h.Failure, h.Rollback, h.Silence, h.Deferral, h.Interruption = 0.2, 0.1, 0.05, 0.05, 0.05
	h.Bad = map[string]float64{"6.6.6": 1}
	m := newMachine(&h, identity{App: testApp}, false, "1.0.0", 3, 0)
	got := map[storyKind]float64{}
	const n = 20000
	for range n {
		got[drawStory(m).kind] += 1.0 / n
	}
	for kind, want := range map[storyKind]float64{
		storyUpdates: 0.55, storyTransferFails: 0.1, storyInstallFails: 0.1, storyRollsBack: 0.1, storySilent: 0.05,
		storyDefers: 0.05, storyKilled: 0.05,
	} {
		if math.Abs(got[kind]-want) > 0.015 {
			t.Errorf("story %d: share %.3f instead of %.3f", kind, got[kind], want)
		}
	}
	m.offer.Version = "6.6.6"
	for range 100 {
		if k := drawStory(m).kind; k != storyTransferFails && k != storyInstallFails {
			t.Fatalf("a version that is all bad came to story %d", k)
		}
	}
}

func TestHabitsThatMakeNoSense(t *testing.T) {
	for name, change := range map[string]func(*habits){
		"negative share": func(h *habits) { h.Failure = -0.1 },
		"above one":      func(h *habits) { h.Failure, h.Silence = 0.6, 0.6 },
		"no interval":    func(h *habits) { h.Interval = 0 },
	} {
		h := defaultHabits()
		change(&h)
		if h.validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestSimulateNamesTheFlagThatIsWrong(t *testing.T) {
	good := simulateOptions{URL: "http://localhost:1", App: "a", Kind: "daemon", Machines: 1, Senders: 1, Speed: 1,
		Versions: "1.0.0", Habits: defaultHabits()}
	for flag, change := range map[string]func(*simulateOptions){
		"--url":         func(o *simulateOptions) { o.URL = "" },
		"--app":         func(o *simulateOptions) { o.App = "" },
		"--kind":        func(o *simulateOptions) { o.Kind = "toaster" },
		"--machines":    func(o *simulateOptions) { o.Machines = 0 },
		"--connections": func(o *simulateOptions) { o.Senders = 0 },
		"--speed":       func(o *simulateOptions) { o.Speed = math.NaN() },
		"--versions":    func(o *simulateOptions) { o.Versions = "one" },
		"--bad":         func(o *simulateOptions) { o.Bad = "1.0.0" },
	} {
		o := good
		change(&o)
		if err := simulate(t.Context(), o, &strings.Builder{}, nil); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: error is %v", flag, err)
		}
	}
	for _, bad := range []string{"localhost:8000", "ftp://x", "http://", "://"} {
		if _, err := omahaURL(bad); err == nil {
			t.Errorf("address %q is accepted", bad)
		}
	}
}
