package rollout

import (
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/rollout/phrase"
	"github.com/coreroller/coreroller/rollout/policy"
)

// explained fails unless the rule with this reason has this text for the machine.
func (g *rig) explained(id string, c Check, r Reason, want string) {
	g.t.Helper()
	for _, step := range Explain(&g.w, g.machines[id], c, g.now) {
		if step.Reason == r {
			if step.Text != want {
				g.t.Errorf("%s: %q, want %q", r, step.Text, want)
			}
			return
		}
	}
	g.t.Errorf("no step %s", r)
}

func TestExplainNamesTheOverride(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.check("m", "1.0.0")
	m := g.machines["m"]
	g.explained("m", Check{}, ReasonHeld, "no override")
	g.w.Hold(m, Override{Kind: OverridePin, Version: mustVersion(t, "2.0.0"), By: "ada", Reason: "tested"}, g.now, &g.fx)
	g.explained("m", Check{}, ReasonHeld, "pinned to 2.0.0 by ada: tested")
	g.w.Hold(m, Override{Kind: OverrideHold, By: "ada"}, g.now, &g.fx)
	g.explained("m", Check{}, ReasonHeld, "held by ada; the machine is held by ada")
}

func TestExplainNamesTheFailures(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.check("m", "1.0.0")
	g.explained("m", Check{}, ReasonQuarantined, "not quarantined")
	g.event("m", "1.0.0", 3, 0, 10)
	g.explained("m", Check{}, ReasonQuarantined, "1 of 3 failed attempts at 2.0.0")
}

func TestExplainNamesTheAttempt(t *testing.T) {
	p := acceptancePolicy()
	p.RebootTimeout = 2 * time.Hour
	g := newRig(t, p)
	g.target("2.0.0")
	g.check("m", "1.0.0")
	g.event("m", "1.0.0", 13, 1, 0)
	const begin, decision = "attempt 1 at 2.0.0, granted at 2026-03-02 10:00:00 UTC", "; an update is in progress; its lease expires at "
	g.explained("m", Check{}, ReasonUpdateInProgress, begin+decision+"2026-03-02 11:00:00 UTC")
	g.now = start.Add(time.Hour)
	g.w.Outages = []Outage{{start.Add(30 * time.Minute), start.Add(50 * time.Minute)}}
	g.w.Expire(g.machines["m"], g.now, &g.fx)
	// The outage, and the poll after it: update_engine doubles its longest poll of 50 minutes.
	g.explained("m", Check{}, ReasonUpdateInProgress, begin+", lease extended by 2 hours after an outage"+decision+"2026-03-02 13:00:00 UTC")
	g.event("m", "1.0.0", 3, 1, 0)
	g.w.Outages = nil
	for range 4 {
		g.wait(40 * time.Minute)
		g.request("m", request{version: "1.0.0", ping: true})
	}
	g.explained("m", Check{}, ReasonUpdateInProgress, begin+", reboot overdue: it no longer counts as in flight; the update is installed; the machine waits for its reboot since 2026-03-02 11:00:00 UTC")
}

func TestExplainNamesWindowsAndFreezes(t *testing.T) {
	p := acceptancePolicy()
	g := newRig(t, p)
	g.target("2.0.0")
	g.check("m", "1.0.0")
	g.explained("m", Check{}, ReasonOutsideWindow, "no windows and no freezes")
	p.Windows = hours(8, 18)
	g.setPolicy(p)
	g.explained("m", Check{}, ReasonOutsideWindow, "windows: daily 08:00 to 18:00 (UTC)")
	p.Freezes = []calendar.Freeze{{From: start.Add(time.Hour), Until: start.Add(2 * time.Hour)}}
	g.setPolicy(p)
	g.explained("m", Check{}, ReasonOutsideWindow, "windows: daily 08:00 to 18:00 (UTC), 1 freeze")
	p.Windows = nil
	g.setPolicy(p)
	g.explained("m", Check{}, ReasonOutsideWindow, "windows: always, 1 freeze")
}

func TestExplainNamesTheWave(t *testing.T) {
	p := acceptancePolicy()
	g := newRig(t, p)
	g.target("2.0.0")
	g.check("m", "1.0.0")
	g.explained("m", Check{}, ReasonWaveNotReached, "no waves")
	p.Waves = []Wave{{Canaries: []string{"m"}}}
	g.setPolicy(p)
	g.explained("m", Check{}, ReasonWaveNotReached, "wave 1 of 1: 1 listed machine; this machine is at "+phrase.Percent(Bucket("salt-1", "m")))
	p.OnDemand = policy.OnDemandSkipsPacing
	g.setPolicy(p)
	g.explained("m", Check{OnDemand: true}, ReasonWaveNotReached, "skipped: requested at the machine")
}

// The sentence of a stop says all there is to say, so it is not preceded by the state.
func TestExplainNamesAStopOnce(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0")
	g.check("m", "1.0.0")
	g.explained("m", Check{}, ReasonPaused, "the rollout is active")
	g.w.HaltRollout("ada", "smoke", g.now, &g.fx)
	g.explained("m", Check{}, ReasonHalted, "the rollout is halted: stopped by ada: smoke")
	g.w.ResumeUpdates("ada", "", g.now, &g.fx)
	g.w.PauseUpdates(Pause{By: "ada", Reason: "db"}, &g.fx)
	g.explained("m", Check{}, ReasonPaused, "updates are paused by ada: db")
}

func TestExplainNamesTheNextStep(t *testing.T) {
	g := newRig(t, acceptancePolicy())
	g.target("2.0.0", "1.5.0")
	g.check("m", "1.0.0")
	g.explained("m", Check{}, ReasonBlacklisted, "next step 1.5.0, which no machine may skip on the way to 2.0.0")
	g.check("n", "1.5.0")
	g.explained("n", Check{}, ReasonBlacklisted, "next step 2.0.0")
	g.check("o", "2.0.0")
	g.explained("o", Check{}, ReasonBlacklisted, "no next step")
}

// The gate of the last wave opens nothing, so the sentence leaves it out.
func TestDescribeOmitsTheGateOfTheLastWave(t *testing.T) {
	p := acceptancePolicy()
	p.Waves = []Wave{{Share: 0.5, Soak: time.Hour}, {Share: 1, Soak: time.Hour}}
	want := "At most 2 machines per 15 minutes and 2 at once, in 2 waves (50 % of the machines until 1 hour of soak, then 100 % of the machines), a machine is quarantined after 3 failed attempts."
	if got := compile(t, p).Describe(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
