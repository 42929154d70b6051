package rollout

import (
	"slices"
	"testing"
	"time"

	"github.com/coreroller/coreroller/rollout/policy"

	"pgregory.net/rapid"
)

// history plays one random history on the engine and its twin.
type history struct {
	rt *rapid.T
	*rig
	twin *twin
}

// TestRandomHistoriesAgreeWithTwin draws thousands of histories of checks,
// events, losses, silence and operators' actions, and compares every answer and
// every number with a twin that recounts everything.
func TestRandomHistoriesAgreeWithTwin(t *testing.T) {
	const rounds = 10 // times -rapid.checks, which is 100 by default
	for range rounds {
		rapid.Check(t, func(rt *rapid.T) {
			h := newHistory(t, rt)
			for range rapid.SampledFrom([]int{5, 20, 60, 150}).Draw(rt, "steps") {
				h.step()
				h.compare()
			}
			h.exit()
		})
	}
}

func newHistory(t *testing.T, rt *rapid.T) *history {
	p := policy.Default()
	p.SafeMode = rapid.Bool().Draw(rt, "safe mode")
	p.MaxUpdatesPerPeriod = rapid.IntRange(1, 4).Draw(rt, "max per period")
	p.MaxConcurrentUpdates = rapid.IntRange(1, 4).Draw(rt, "max at once")
	p.PeriodInterval = time.Duration(rapid.IntRange(1, 120).Draw(rt, "period")) * time.Minute
	p.UpdateTimeout = time.Duration(rapid.IntRange(1, 90).Draw(rt, "lease")) * time.Minute
	p.RebootTimeout = time.Duration(rapid.IntRange(1, 200).Draw(rt, "reboot")) * time.Minute
	p.PollInterval = time.Duration(rapid.SampledFrom([]int{0, 0, 2, 40}).Draw(rt, "poll")) * time.Minute
	p.LostAfter = time.Duration(rapid.SampledFrom([]int{0, 0, 7, 300}).Draw(rt, "lost")) * time.Minute
	p.EvidenceAge = time.Duration(rapid.SampledFrom([]int{0, 30, 1440}).Draw(rt, "evidence age")) * time.Minute
	p.HaltFailureShare = rapid.SampledFrom([]float64{0, 0.2, 0.5}).Draw(rt, "halt share")
	p.HaltMinAttempts = rapid.IntRange(0, 4).Draw(rt, "halt attempts")
	p.EnrolledOnly = rapid.SampledFrom([]bool{false, false, true}).Draw(rt, "enrolled only")
	p.MaxAttempts = rapid.IntRange(1, 3).Draw(rt, "attempts")
	p.Waves = rapid.SampledFrom([][]Wave{
		nil,
		{{Share: 0.5, Soak: 30 * time.Minute}, {Share: 1}},
		{{Canaries: []string{"a"}}, {Share: 0.4, MinFinished: 1, MinSuccessShare: 0.6, Soak: 10 * time.Minute}, {Share: 1}},
		{{Share: 0.3, MinFinished: 2, MinSuccessShare: 0.5}, {Share: 0.6, Soak: time.Hour}, {Share: 1}},
		{{Expression: "machine in ['b', 'c']", MinFinished: 1}, {Share: 0.3, Expression: "machine in ['d']", MinFinished: 2}, {Share: 1}},
	}).Draw(rt, "waves")
	h := &history{rt: rt, rig: newRig(t, p)}
	h.rig.w.Reboots = rapid.Bool().Draw(rt, "reboots")
	h.twin = &twin{policy: p, reboots: h.rig.w.Reboots, now: h.rig.now, machines: map[string]*twinMachine{}}
	return h
}

func (h *history) step() {
	rt := h.rt
	id := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "machine")
	switch rapid.SampledFrom([]string{
		"check", "check", "check", "check", "event", "event", "event", "progress", "progress", "progress",
		"ping", "ping", "wait", "wait", "wait", "outage", "tick", "retarget", "pause", "resume", "resume", "halt", "hold", "release", "enroll", "wave", "caps",
	}).Draw(rt, "what") {
	case "check":
		h.check(id, request{version: h.version(id), ping: true, check: true, demands: h.demands()})
	case "event":
		h.check(id, request{version: h.version(id), events: h.events(), check: rapid.Bool().Draw(rt, "and check")})
	case "progress":
		m := h.twin.machines[id]
		if m == nil {
			return
		}
		e := Event{Type: rapid.SampledFrom([]int{13, 14, 3, 3}).Draw(rt, "progress"), Result: 1}
		h.check(id, request{version: twinVersion(m.running), events: []Event{e}})
	case "ping":
		h.check(id, request{version: h.version(id), ping: true})
	case "wait":
		d := time.Duration(rapid.SampledFrom([]int{1, 2, 5, 15, 60, 400, 1500}).Draw(rt, "minutes")) * time.Minute
		h.rig.now, h.twin.now = h.rig.now.Add(d), h.twin.now.Add(d)
	case "outage":
		d := time.Duration(rapid.SampledFrom([]int{1, 15, 100}).Draw(rt, "minutes")) * time.Minute
		o := Outage{From: h.rig.now, To: h.rig.now.Add(d)}
		h.rig.w.Outages, h.twin.outages = append(slices.Clone(h.rig.w.Outages), o), append(h.twin.outages, o)
		h.rig.now, h.twin.now = o.To, o.To
	case "tick":
		h.tick()
	case "retarget":
		h.retarget(rapid.IntRange(0, 5).Draw(rt, "target"), rapid.SliceOfN(rapid.IntRange(1, 5), 0, 2).Draw(rt, "floors"),
			rapid.SliceOfN(rapid.IntRange(2, 5), 0, 2).Draw(rt, "recalled"))
	default:
		h.operate(id)
	}
}

func (h *history) operate(id string) {
	rt, g, t := h.rt, h.rig, h.twin
	m := g.machines[id]
	switch rapid.SampledFrom([]string{"pause", "resume", "resume", "halt", "hold", "release", "enroll", "wave", "caps"}).Draw(rt, "operator") {
	case "pause":
		g.policy.UpdatesEnabled = false
		g.w.Policy = compile(g.t, g.policy)
		g.w.PauseUpdates(Pause{By: "ada", At: g.now}, &g.fx)
		t.paused = true
	case "resume":
		h.resume()
	case "halt":
		g.w.HaltRollout("ada", "", g.now, &g.fx)
		t.halted = t.halted || t.target > 0
	case "hold":
		if m != nil {
			g.w.Hold(m, Override{Kind: OverrideHold}, g.now, &g.fx)
			silent := t.machines[id].silent
			t.machines[id].held = true
			t.refresh(t.machines[id])
			t.machines[id].silent = silent
			t.settle()
		}
	case "release":
		h.release(id)
	case "enroll":
		h.enroll(id)
	case "wave":
		if g.w.NextWave("ada", "", g.now, &g.fx) {
			t.nextWave()
			t.settle()
		}
	case "caps":
		g.policy.MaxUpdatesPerPeriod = rapid.IntRange(1, 4).Draw(rt, "max per period")
		g.policy.MaxConcurrentUpdates = rapid.IntRange(1, 4).Draw(rt, "max at once")
		g.policy.PeriodInterval = time.Duration(rapid.IntRange(1, 120).Draw(rt, "period")) * time.Minute
		g.policy.EnrolledOnly = rapid.Bool().Draw(rt, "enrolled only")
		g.setPolicy(g.policy)
		enabled := t.policy.UpdatesEnabled
		t.policy = g.policy
		t.policy.UpdatesEnabled = enabled
		t.settle()
	}
}

func (h *history) resume() {
	h.rig.policy.UpdatesEnabled = true
	h.rig.w.Policy = compile(h.rig.t, h.rig.policy)
	h.rig.w.ResumeUpdates("ada", "", h.rig.now, &h.rig.fx)
	h.twin.resume()
}

func (h *history) release(id string) {
	m, t := h.twin.machines[id], h.twin
	if m == nil {
		return
	}
	h.rig.w.Release(h.rig.machines[id], "ada", h.rig.now, &h.rig.fx)
	m.held, m.parked, m.quarantined, m.failed, m.failures, m.loops = false, false, 0, 0, 0, 0
	t.settle()
}

func (h *history) enroll(id string) {
	if m := h.twin.machines[id]; m != nil {
		h.rig.w.Enroll(h.rig.machines[id], "ada", "", &h.rig.fx)
		m.enrolled = true
	}
}

// version returns what a machine reports to run: usually its version, sometimes
// the offered one, occasionally any.
func (h *history) version(id string) string {
	m := h.twin.machines[id]
	if m == nil {
		return twinVersion(rapid.IntRange(0, 2).Draw(h.rt, "first version"))
	}
	switch rapid.IntRange(0, 9).Draw(h.rt, "which version") {
	case 0, 1, 2:
		if m.open != nil {
			return twinVersion(m.open.version)
		}
	case 3:
		return twinVersion(rapid.IntRange(0, 5).Draw(h.rt, "version"))
	}
	return twinVersion(m.running)
}

// demands returns what an update check demands: usually nothing.
func (h *history) demands() (c Check) {
	switch rapid.IntRange(0, 9).Draw(h.rt, "demand") {
	case 0:
		c.Disabled = true
	case 1, 2:
		c.Prefix = rapid.SampledFrom([]string{"1", "2", "3.0.*", "4", "5.0.*"}).Draw(h.rt, "prefix")
	}
	c.Session = rapid.SampledFrom([]string{"", "x", "x", "x", "y"}).Draw(h.rt, "session")
	return c
}

func (h *history) events() []Event {
	all := []Event{
		{Type: 13, Result: 1}, {Type: 14, Result: 1}, {Type: 800, Result: 1}, {Type: 3, Result: 1},
		{Type: 3, Result: 2, HasPrevious: true}, {Type: 3, Result: 2}, {Type: 3, Code: 9}, {Type: 3, Code: 44}, {Type: 3, Code: 2503}, {Type: 3, Code: 37},
		{Type: 3, Result: 9}, {Type: 3, Result: 1000}, {Type: 1000, Result: 1},
	}
	return rapid.SliceOfN(rapid.SampledFrom(all), 1, 3).Draw(h.rt, "events")
}

// check sends the request to both and compares the answers.
func (h *history) check(id string, r request) {
	running := 0
	if r.version != "" {
		running = int(r.version[0] - '0')
	}
	want, offered := ReasonNone, 0
	m := h.twin.observe(id, running, r.check)
	for _, e := range r.events {
		h.twin.report(m, e)
	}
	if r.ping {
		h.twin.ping(m)
	}
	if r.check {
		want, offered = h.twin.check(id, m, r.demands)
	}
	d := h.rig.request(id, r)
	if d.Reason != want {
		h.rt.Fatalf("%s at %q: engine answers %q (%s), twin %q", id, r.version, d.Reason, d.Detail(), want)
	}
	if d.Offer != nil && d.Offer.Version.String() != twinVersion(offered) {
		h.rt.Fatalf("%s is offered %s, twin offers %d", id, d.Offer.Version, offered)
	}
	if d.Offer != nil && d.Offer.Version.String() <= r.version && !slices.Contains(h.twin.recalled, running) {
		h.rt.Fatalf("%s runs %s and is offered %s", id, r.version, d.Offer.Version)
	}
	h.note()
}

// note records after each step whether newcomers wait for known machines.
func (h *history) note() {
	h.twin.waits = h.twin.knownWaits()
	if h.rig.w.Rollout.Newcomers.Wait {
		h.rig.w.NoteKnown(h.twin.waits, h.rig.now, &h.rig.fx)
		h.twin.settle()
	}
}

// tick runs the worker on both sides, with the machines in the same order.
func (h *history) tick() {
	g := h.rig
	g.tick()
	for _, id := range g.order {
		m := h.twin.machines[id]
		h.twin.expire(m)
		if !m.silent && g.now.Sub(g.seen[id]) >= 24*time.Hour {
			m.silent = true
			h.twin.settle()
		}
	}
	h.note()
	h.twin.settle()
}

func (h *history) retarget(target int, floors, recalled []int) {
	texts := make([]string, len(floors))
	for i, f := range floors {
		texts[i] = twinVersion(f)
	}
	if h.twin.sameRollout(target, recalled) {
		h.rig.rollouts--
	}
	aim := h.rig.aim(twinVersion(target), texts...)
	for _, v := range recalled {
		aim.Recalled = append(aim.Recalled, mustVersion(h.rig.t, twinVersion(v)))
	}
	h.rig.retarget(aim)
	h.twin.retarget(target, floors, recalled)
}

func (h *history) compare() {
	g, t := h.rig, h.twin
	h.note()
	g.sound()
	if got, want := g.w.Census, t.census(); t.target > 0 && got != want {
		h.rt.Fatalf("census is %+v, twin counts %+v", got, want)
	}
	if got, want := g.w.Ledger.InFlight, t.inFlight(); got != want {
		h.rt.Fatalf("%d in flight, twin counts %d", got, want)
	}
	if t.target == 0 {
		return
	}
	for apart, e := range map[bool]Counts{false: g.w.Rollout.Evidence, true: g.w.Rollout.Newcomers.Evidence} {
		if good, bad := t.evidence(apart); e.Succeeded != good || e.Failed != bad {
			h.rt.Fatalf("evidence is %+v (of newcomers: %v), twin counts %d succeeded and %d failed", e, apart, good, bad)
		}
	}
	alike := 0
	for _, k := range g.w.Rollout.FailureKinds {
		alike += k.Machines
	}
	if failed := g.w.Rollout.Evidence.Failed; alike != failed {
		h.rt.Fatalf("the kinds of failure %+v are %d machines, %d failed", g.w.Rollout.FailureKinds, alike, failed)
	}
	for _, apart := range []bool{false, true} {
		if got, want := g.w.proven(apart), t.proven(apart); got != want {
			h.rt.Fatalf("proven is %v (for newcomers: %v), twin says %v", got, apart, want)
		}
	}
	want := RolloutActive
	switch {
	case t.halted:
		want = RolloutHalted
	case t.paused:
		want = RolloutPaused
	case t.completed:
		want = RolloutCompleted
	}
	if got := g.w.Rollout.State; got != want {
		h.rt.Fatalf("rollout is in state %d, twin says %d", got, want)
	}
	if len(t.policy.Waves) > 0 && g.w.wave() != t.wave {
		h.rt.Fatalf("wave %d, twin says %d", g.w.wave(), t.wave)
	}
}

// exit shows that every hold ends: after any history, once operators resume and
// release, all machines that update reach the target.
func (h *history) exit() {
	if h.twin.target == 0 {
		return
	}
	for round := range 200 {
		h.rig.now = h.rig.now.Add(h.rig.policy.PeriodInterval)
		h.twin.now = h.rig.now
		h.tick()
		if good, bad := h.twin.evidence(true); h.twin.halted || round == 0 || h.twin.failing(good, bad) {
			h.resume()
		}
		for h.rig.w.NextWave("ada", "", h.rig.now, &h.rig.fx) {
			h.twin.nextWave()
			h.twin.settle()
		}
		for _, id := range slices.Clone(h.rig.order) {
			m := h.twin.machines[id]
			h.enroll(id)
			if m.held || m.quarantined > 0 {
				h.release(id)
				h.note()
			}
			h.check(id, request{version: twinVersion(m.running), check: true})
			if m.open != nil { // it installs the update
				h.check(id, request{version: twinVersion(m.open.version), check: true})
			}
		}
		if h.twin.census().Behind == 0 {
			h.compare()
			return
		}
	}
	h.rt.Fatalf("machines are still waiting: census %+v, rollout %+v", h.rig.w.Census, h.rig.w.Rollout)
}
