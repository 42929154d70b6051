package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones for machines without a zone database

	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/rollout/version"
)

// start is when tests begin: a Monday, 10:00 UTC.
var start = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)

// rig is a group with its machines and a clock. It calls the engine as fleet and
// store do: observe, events, ping, check; leases and silence in the background.
type rig struct {
	t        testing.TB
	w        World
	policy   Policy
	now      time.Time
	machines map[string]*Machine
	seen     map[string]time.Time
	order    []string // of machines, by their first appearance
	fx       Effects  // of the last call
	rollouts int
}

// acceptancePolicy is the setup of the acceptance cases: 2 per 15 minutes,
// lease 60 minutes, no safe mode, no waves, no halt rule.
func acceptancePolicy() Policy {
	p := policy.Default()
	p.SafeMode, p.HaltFailureShare = false, 0
	p.MaxUpdatesPerPeriod, p.MaxConcurrentUpdates, p.PeriodInterval = 2, 2, 15*time.Minute
	return p
}

func newRig(t testing.TB, p Policy) *rig {
	t.Helper()
	g := &rig{t: t, now: start, machines: map[string]*Machine{}, seen: map[string]time.Time{}}
	g.w.Reboots = true
	g.setPolicy(p)
	return g
}

func compile(t testing.TB, p Policy) *Schedule {
	t.Helper()
	s, problems := policy.Compile(p)
	if s == nil {
		t.Fatalf("policy does not compile: %+v", problems)
	}
	return s
}

func mustVersion(t testing.TB, text string) Version {
	t.Helper()
	v, ok := ParseVersion(text)
	if !ok && text != "" {
		t.Fatalf("%q is not a version", text)
	}
	return v
}

func (g *rig) setPolicy(p Policy) {
	g.t.Helper()
	g.policy, g.fx = p, Effects{}
	g.w.Policy = compile(g.t, p)
	for id, m := range g.machines {
		m.SelectedWave = selectedWave(p, id)
	}
	g.w.Advance(g.now, &g.fx)
}

// selects reports whether the expression of a wave is true for a machine. In these tests
// it has the form machine in ['a', 'b'].
func selects(w *Wave, id string) bool { return strings.Contains(w.Expression, "'"+id+"'") }

func selectedWave(p Policy, id string) int {
	return 1 + slices.IndexFunc(p.Waves, func(w Wave) bool { return selects(&w, id) })
}

func pack(t testing.TB, text string) *Package {
	t.Helper()
	p := &Package{Version: mustVersion(t, text)}
	copy(p.ID[:], text)
	return p
}

// target points the group to a version ("" for none) with these floors.
func (g *rig) target(text string, floors ...string) Rollout {
	g.t.Helper()
	return g.retarget(g.aim(text, floors...))
}

func (g *rig) aim(text string, floors ...string) (a Aim) {
	g.t.Helper()
	if text != "" {
		a.Target = pack(g.t, text)
	}
	for _, f := range floors {
		a.Floors = append(a.Floors, pack(g.t, f))
	}
	return a
}

// retarget also does what the store does: it ends quarantines and recounts the
// machines.
func (g *rig) retarget(a Aim) Rollout {
	g.fx = Effects{}
	census := Census{}
	changes := a.Target == nil || g.w.Rollout.Package != a.Target.ID || !slices.Equal(a.Recalled, g.w.Rollout.Recalled)
	counting := World{Aim: a}
	for _, m := range g.machines {
		if changes && m.Standing == StandingQuarantined {
			m.Standing = StandingActive
		}
		census.Add(counting.place(m), 1)
	}
	g.rollouts++
	return g.w.Retarget(a, ID{byte(g.rollouts)}, fmt.Sprint("salt-", g.rollouts), census, g.known(), g.now, &g.fx)
}

// known reports whether an active machine is known in a rollout that begins now.
func (g *rig) known() bool {
	for _, m := range g.machines {
		if m.Standing == StandingActive && !m.KnownSince().After(g.w.policy().KnownBefore(g.now)) {
			return true
		}
	}
	return false
}

// knownBehind is what the store counts for NoteKnown.
func (g *rig) knownBehind() bool {
	for _, m := range g.machines {
		if g.w.place(m) == version.Behind && !m.Attempt.RebootOverdue && !g.w.newcomer(m) && !slices.Contains(g.w.NeverUpdates(), m.Reason) {
			return true
		}
	}
	return false
}

// machine returns the machine with this id; a new one is registered at a version.
func (g *rig) machine(id string, v Version) *Machine {
	m := g.machines[id]
	if m == nil {
		m = &Machine{ID: id, Version: v, FirstSeenAt: g.now, SelectedWave: selectedWave(g.policy, id)}
		g.machines[id] = m
		g.order = append(g.order, id)
		g.w.Join(m)
	}
	return m
}

// request is one request of a machine.
type request struct {
	version string
	events  []Event
	ping    bool
	check   bool
	demands Check
}

func (g *rig) request(id string, r request) Decision {
	g.t.Helper()
	g.fx = Effects{}
	running := mustVersion(g.t, r.version)
	m := g.machine(id, running)
	g.seen[id] = g.now
	g.w.Observe(m, running, r.check, g.now, &g.fx)
	for _, e := range r.events {
		g.w.Report(m, e, g.now, &g.fx)
	}
	if r.ping {
		g.w.Ping(m, g.now)
	}
	if !r.check {
		return Decision{}
	}
	c := r.demands
	want, steps := Decide(&g.w, m, c, g.now), Explain(&g.w, m, c, g.now)
	got := g.w.Check(m, c, g.now, &g.fx)
	if got != want {
		g.t.Fatalf("%s: Decide returned %+v and Check %+v", id, want, got)
	}
	if at := decidedStep(g.t, steps); at.Reason != got.Reason {
		g.t.Fatalf("%s: Explain settled at %s and Check answered %s", id, at.Reason, got.Reason)
	}
	return got
}

func decidedStep(t testing.TB, steps []RuleStep) RuleStep {
	t.Helper()
	i := slices.IndexFunc(steps, func(r RuleStep) bool { return r.Settled })
	if i < 0 || slices.ContainsFunc(steps[i+1:], func(r RuleStep) bool { return r.Settled }) {
		t.Fatalf("not exactly one step settled: %+v", steps)
	}
	return steps[i]
}

func (g *rig) check(id, version string) Decision {
	g.t.Helper()
	return g.request(id, request{version: version, ping: true, check: true})
}

// event reports type, result and code, such as event("m", "1.0.0", 13, 1, 0).
func (g *rig) event(id, version string, kind, result, code int) {
	g.t.Helper()
	g.request(id, request{version: version, events: []Event{{Type: kind, Result: result, Code: code}}})
}

// update plays a complete update and returns the last check.
func (g *rig) update(id, from, to string) Decision {
	g.t.Helper()
	if d := g.check(id, from); d.Reason != ReasonGranted {
		g.t.Fatalf("%s was not granted: %s", id, d.Detail())
	}
	g.event(id, from, 13, 1, 0)
	g.event(id, from, 14, 1, 0)
	g.event(id, from, 3, 1, 0)
	return g.check(id, to)
}

// wait advances the clock and then does the work of the background worker.
func (g *rig) wait(d time.Duration) {
	g.now = g.now.Add(d)
	g.tick()
}

func (g *rig) tick() {
	g.fx = Effects{}
	for _, id := range g.order {
		m := g.machines[id]
		g.w.Expire(m, g.now, &g.fx)
		if m.Standing != StandingSilent && g.now.Sub(g.seen[id]) >= 24*time.Hour {
			g.w.Silence(m, g.now, &g.fx)
		}
	}
	if g.w.KnownDue(g.now) {
		g.w.NoteKnown(g.knownBehind(), g.now, &g.fx)
	}
	g.w.Advance(g.now, &g.fx)
}

// want fails unless the decision has this reason.
func (g *rig) want(d Decision, r Reason) {
	g.t.Helper()
	if d.Reason != r {
		g.t.Fatalf("answered %q (%s), want %q", d.Reason, d.Detail(), r)
	}
}

// sound fails unless the maintained counts equal a recount.
func (g *rig) sound() {
	g.t.Helper()
	var census Census
	inFlight, overdue := 0, 0
	for _, m := range g.machines {
		census.Add(g.w.place(m), 1)
		if m.Attempt.Open() {
			if m.Attempt.RebootOverdue {
				overdue++
			} else {
				inFlight++
			}
			if !m.State.InFlight() {
				g.t.Fatalf("%s has an attempt in state %d", m.ID, m.State)
			}
		} else if m.State.InFlight() {
			g.t.Fatalf("%s is in state %d without an attempt", m.ID, m.State)
		}
	}
	if census != g.w.Census {
		g.t.Fatalf("census is %+v, a recount gives %+v", g.w.Census, census)
	}
	if l := &g.w.Ledger; inFlight != l.InFlight || overdue != l.RebootOverdue {
		g.t.Fatalf("%d in flight and %d overdue, a recount gives %d and %d", l.InFlight, l.RebootOverdue, inFlight, overdue)
	}
}

// activities returns those of one kind from the last call.
func (g *rig) activities(k ActivityKind) (list []Activity) {
	for _, a := range g.fx.Activities {
		if a.Kind == k {
			list = append(list, a)
		}
	}
	return list
}
