package rollout

import (
	"fmt"
	"slices"
	"time"
)

// twin is a second, naive implementation of the engine: it stores the whole
// history and computes every number by counting. Versions are small integers, n
// for "n.0.0". Windows are not part of it; package calendar tests them.
type twin struct {
	policy  Policy
	reboots bool
	now     time.Time

	target   int // 0: none
	floors   []int
	recalled []int
	rollout  int
	salt     string

	paused, halted, completed bool
	epoch, wave               int
	gateSince                 time.Time
	since                     time.Time // machines first seen later are newcomers; zero: none is
	waits                     bool      // newcomers wait, see waiting

	machines map[string]*twinMachine
	grants   []time.Time
	ended    []*twinEnd
	outages  []Outage
}

type twinMachine struct {
	running                       int
	silent, held, parked          bool // not counted: silent, overridden, quarantined
	quarantined, failed, failures int
	first, seen                   time.Time
	reason                        Reason // of the last check
	enrolled                      bool
	looped, loops                 int       // version, interruptions in a row
	deferred                      int       // rollout whose grant it put off
	withdrawn                     time.Time // of the grant it lost before it began
	open                          *twinAttempt
	last                          *twinEnd
}

type twinAttempt struct {
	rollout, epoch, wave, version int
	leaves                        int // the recalled version that it is ordered to leave, 0 for an upgrade
	granted                       time.Time
	stage                         int // 0 granted, 1 downloading, 2 downloaded, 3 installed
	lease, installed              time.Time
	extended                      time.Duration
	session                       string
	overdue                       bool // gave its slot back
	repeated                      bool // a grant that the machine put off, granted again
	first                         bool // went first in safe mode
	apart                         bool // of a newcomer
}

type twinEnd struct {
	twinAttempt
	machine  *twinMachine
	outcome  Outcome
	replaced bool // the machine has a later result in the same rollout
	proof    bool // the machine has succeeded in the rollout and not fallen back
}

func twinVersion(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d.0.0", n)
}

// step is the next version of a machine, 0 for none.
func (t *twin) step(running int) int {
	if !t.behind(running) {
		return 0
	}
	next := t.target
	for _, f := range t.floors {
		if f > running && f < next {
			next = f
		}
	}
	return next
}

// count counts ended attempts of the current rollout.
func (t *twin) count(which func(e *twinEnd) bool) (n int) {
	for _, e := range t.ended {
		if e.rollout == t.rollout && !e.replaced && which(e) {
			n++
		}
	}
	return n
}

func (t *twin) proven(apart bool) bool {
	return t.count(func(e *twinEnd) bool { return e.proof && (apart || !e.apart) }) > 0
}

func (t *twin) inFlight() (n int) {
	for _, m := range t.machines {
		if m.open != nil && !m.open.overdue {
			n++
		}
	}
	return n
}

func (t *twin) census() (c Census) {
	for _, m := range t.machines {
		switch {
		case !t.active(m) || t.target == 0 || m.reason == ReasonNone || m.reason == ReasonNotEnrolled:
		case t.behind(m.running):
			c.Behind++
		default:
			c.OnTarget++
		}
	}
	return c
}

func (t *twin) active(m *twinMachine) bool { return !m.silent && !m.held && !m.parked }

func (t *twin) gate() bool {
	w := t.policy.Waves[t.wave]
	good := t.count(func(e *twinEnd) bool { return e.wave == t.wave && !e.apart && e.outcome.Success() })
	bad := t.count(func(e *twinEnd) bool {
		return e.wave == t.wave && !e.apart && e.outcome.Failure() && e.epoch == t.epoch
	})
	need := w.MinFinished
	if w.Share == 0 && need == 0 {
		need = len(w.Canaries)
	}
	if !t.since.IsZero() && !t.waiting() {
		need = min(need, good+bad)
	}
	return good+bad >= need && (good+bad == 0 || float64(good)/float64(good+bad) >= w.MinSuccessShare)
}

// settle opens waves and completes the rollout.
func (t *twin) settle() {
	if t.target == 0 || t.paused || t.halted {
		return
	}
	for t.wave < len(t.policy.Waves)-1 {
		if !t.gate() {
			t.gateSince = time.Time{}
			break
		}
		if t.gateSince.IsZero() {
			t.gateSince = t.now
		}
		if t.now.Before(t.gateSince.Add(t.policy.Waves[t.wave].Soak)) {
			break
		}
		t.nextWave()
	}
	if c := t.census(); c.Behind == 0 && c.OnTarget > 0 {
		t.completed = true
	}
}

func (t *twin) nextWave() {
	t.wave++
	t.gateSince = time.Time{}
}

func (t *twin) end(m *twinMachine, o Outcome) {
	e := &twinEnd{twinAttempt: *m.open, machine: m, outcome: o}
	if o == OutcomeWithdrawn && !m.open.repeated {
		m.withdrawn = m.open.granted
	}
	if o != OutcomeDeferred {
		m.deferred = 0
	}
	m.open = nil
	t.ended = append(t.ended, e)
	if o.Success() || o.Failure() {
		e.proof = o.Success() || m.last != nil && m.last.rollout == e.rollout && m.last.proof
		m.last = e
		t.settled(m, e.first && !e.overdue, false)
	}
}

// revise gives the last attempt another outcome.
func (t *twin) revise(m *twinMachine, o Outcome) {
	again := m.last.outcome.Failure() && o.Failure()
	m.last.outcome, m.last.proof = o, o.Success()
	if m.last.rollout == t.rollout {
		m.last.epoch = t.epoch
	}
	t.settled(m, true, again)
}

func (t *twin) settled(m *twinMachine, first, again bool) {
	e := m.last
	for _, other := range t.ended {
		if other != e && other.machine == m && other.rollout == e.rollout && (other.outcome.Success() || other.outcome.Failure()) {
			other.replaced = true
		}
	}
	if e.outcome.Success() {
		m.failed, m.failures, m.quarantined = 0, 0, 0
		m.loops = 0
	} else {
		m.loops = 0
		if m.failed != e.version {
			m.failed, m.failures = e.version, 0
		}
		if !again || m.failures == 0 {
			m.failures++
		}
		blocked := m.quarantined > 0 && m.quarantined == t.step(m.running)
		if !blocked && (e.outcome == OutcomeRolledBack || e.outcome == OutcomeLooping || m.failures >= t.policy.MaxAttempts) {
			m.quarantined = e.version
			m.parked = m.quarantined == t.step(m.running)
		}
	}
	if e.rollout != t.rollout || e.epoch != t.epoch || t.halted || e.apart {
		return
	}
	alone := t.policy.SafeMode && first && e.outcome.Failure() && !t.proven(false)
	gone := e.outcome.Failure() && m.quarantined == e.version && t.canary(m)
	if gone || alone || t.tooMany(t.evidence(false)) {
		t.halted = true
	}
}

// refresh ends a quarantine that is not for the next step.
func (t *twin) refresh(m *twinMachine) {
	next := t.step(m.running)
	if m.quarantined > 0 && m.quarantined != next && (next > 0 || m.running >= m.quarantined) {
		if m.failed == m.quarantined {
			m.failed, m.failures = 0, 0
		}
		m.quarantined = 0
	}
	m.parked = m.quarantined > 0 && m.quarantined == next
	m.silent = false
}

func (t *twin) observe(id string, running int, asks bool) *twinMachine {
	m := t.machines[id]
	if m == nil {
		m = &twinMachine{first: t.now}
		t.machines[id] = m
	}
	before := m.running
	m.running = running
	switch {
	case m.open != nil && m.open.runs(running):
		t.end(m, OutcomeSucceeded)
	case m.open != nil && asks && running > 0 && m.open.stage == 3 && !t.reboots:
		t.end(m, OutcomeNotRunning)
	}
	t.lapse(m)
	m.seen = t.now
	switch {
	case m.last == nil || running == 0:
	case m.last.outcome.Success() && (running < m.last.version || running != before && !m.last.runs(running) && t.behind(running)):
		t.revise(m, OutcomeRolledBack)
	case m.last.outcome.Failure() && m.last.runs(running):
		t.revise(m, OutcomeCameBack)
	}
	t.refresh(m)
	t.settle()
	return m
}

func (t *twin) revoked(a *twinAttempt) bool {
	return a.rollout != t.rollout || a.epoch != t.epoch || t.paused || t.halted
}

func (t *twin) report(m *twinMachine, e Event) {
	t.expire(m)
	defer t.settle()
	if e.Type == 3 && e.Result == 0 && e.Code == 44 && m.open == nil {
		if m.last != nil && m.last.outcome.Failure() && m.last.outcome != OutcomeRolledBack {
			t.revise(m, OutcomeRolledBack)
		}
		return
	}
	if m.open == nil {
		return
	}
	switch [2]int{e.Type, e.Result} {
	case [2]int{13, 1}:
		t.reach(m, 1)
	case [2]int{14, 1}:
		t.reach(m, 2)
	case [2]int{800, 1}:
		t.reach(m, 3)
	case [2]int{3, 1}:
		t.reach(m, 3)
	case [2]int{3, 2}:
		if e.HasPrevious && e.PreviousVersion == "" && t.reboots && m.open.stage > 0 {
			t.interrupt(m)
		}
	case [2]int{3, 0}:
		switch e.Code {
		case 44:
			t.end(m, OutcomeRolledBack)
		case 9:
			t.end(m, OutcomeFailed)
		}
	case [2]int{3, 9}:
		put := m.open.stage == 0 && !t.revoked(m.open)
		if put && m.open.repeated {
			m.open = nil
			return
		}
		m.deferred = 0
		if put {
			m.deferred = m.open.rollout
		}
		t.end(m, OutcomeDeferred)
	}
}

func (t *twin) interrupt(m *twinMachine) {
	if m.looped != m.open.version {
		m.looped, m.loops = m.open.version, 0
	}
	if m.loops++; m.loops < t.policy.MaxAttempts {
		t.end(m, OutcomeInterrupted)
	} else {
		t.end(m, OutcomeLooping)
	}
}

func (t *twin) reach(m *twinMachine, stage int) {
	if stage > m.open.stage {
		m.open.stage = stage
		m.open.repeated, m.deferred = false, 0
		if stage == 3 {
			m.open.installed = t.now
		}
	}
	t.prolong(m)
}

// check returns the answer and, for a grant, the version.
func (t *twin) check(id string, m *twinMachine, c Check) (Reason, int) {
	t.expire(m)
	if a := m.open; a != nil && (a.stage == 1 || a.stage == 2) && a.session != "" && c.Session != "" && a.session != c.Session {
		t.interrupt(m)
	}
	t.settle()
	t.refresh(m)
	defer t.settle()
	reason, again := t.rule(id, m, c)
	m.reason = reason
	if m.open != nil && m.open.stage == 0 && !again {
		t.end(m, OutcomeWithdrawn)
	}
	if reason == ReasonUpToDate {
		m.withdrawn = time.Time{}
	}
	if reason != ReasonGranted {
		return reason, 0
	}
	if !again {
		m.open = &twinAttempt{
			rollout: t.rollout, epoch: t.epoch, wave: t.wave, version: t.step(m.running),
			granted: t.now, lease: t.now.Add(t.lease()), session: c.Session, first: t.policy.SafeMode && !t.proven(t.newcomer(id)), apart: t.newcomer(id), repeated: m.deferred == t.rollout,
		}
		if m.running > m.open.version {
			m.open.leaves = m.running
		}
		if !m.open.repeated {
			m.deferred = 0
			if i := slices.Index(t.grants, m.withdrawn); i >= 0 {
				t.grants = slices.Delete(t.grants, i, i+1)
			}
			t.grants = append(t.grants, t.now)
		}
		m.withdrawn = time.Time{}
	}
	return ReasonGranted, m.open.version
}

func (t *twin) rule(id string, m *twinMachine, c Check) (r Reason, again bool) {
	step := t.step(m.running)
	if t.target > 0 && step == 0 {
		return ReasonUpToDate, false
	}
	if step > 0 && c.Prefix != "" && c.Prefix != fmt.Sprint(step) && c.Prefix != fmt.Sprintf("%d.0.*", step) {
		return ReasonOutsideClientPrefix, false
	}
	if c.Disabled {
		return ReasonDisabledByClient, false
	}
	if step > 0 && m.quarantined == step {
		return ReasonQuarantined, false
	}
	if m.held {
		return ReasonHeld, false
	}
	if t.target == 0 {
		return ReasonNoPackage, false
	}
	if m.open != nil && m.open.stage > 0 {
		return ReasonUpdateInProgress, false
	}
	if t.policy.EnrolledOnly && !m.enrolled {
		return ReasonNotEnrolled, false
	}
	if m.open != nil && !t.revoked(m.open) && m.open.version == step {
		return ReasonGranted, true
	}
	if t.paused {
		return ReasonPaused, false
	}
	if t.halted {
		return ReasonHalted, false
	}
	if n := len(t.policy.Waves); n > 0 && !t.in(t.wave, id) {
		if t.wave < n-1 && t.in(t.wave+1, id) && !t.gateSince.IsZero() {
			return ReasonSoaking, false
		}
		return ReasonWaveNotReached, false
	}
	newcomer := t.newcomer(id)
	if t.policy.SafeMode && !t.proven(newcomer) {
		for other, o := range t.machines {
			if other != id && o.open != nil && o.open.apart == newcomer && !o.open.overdue && o.open.rollout == t.rollout && o.open.epoch == t.epoch {
				return ReasonSafeModeFirst, false
			}
		}
	}
	if good, bad := t.evidence(true); newcomer && (t.failing(good, bad) || t.waiting() && t.census().Behind > 0 && t.now.Sub(m.first) < t.policy.EvidenceAge) {
		return ReasonNewcomerWaits, false
	}
	others := t.inFlight()
	if m.open != nil && !m.open.overdue {
		others--
	}
	if others >= t.policy.MaxConcurrentUpdates {
		return ReasonConcurrencyLimit, false
	}
	recent, own := 0, m.withdrawn
	if m.open != nil && !m.open.repeated {
		own = m.open.granted
	}
	if own.After(t.now.Add(-t.policy.PeriodInterval)) {
		recent--
	}
	for _, g := range t.grants {
		if g.After(t.now.Add(-t.policy.PeriodInterval)) {
			recent++
		}
	}
	if m.deferred != t.rollout && recent >= t.policy.MaxUpdatesPerPeriod {
		return ReasonPeriodLimit, false
	}
	return ReasonGranted, false
}

func (t *twin) in(wave int, id string) bool {
	for i := range wave + 1 {
		if w := &t.policy.Waves[i]; slices.Contains(w.Canaries, id) || selects(w, id) {
			return true
		}
	}
	return Bucket(t.salt, id) < t.policy.Waves[wave].Share
}

func (t *twin) resume() {
	t.paused, t.halted = false, false
	if t.target > 0 {
		t.epoch++
		t.gateSince = time.Time{}
	}
	t.settle()
}
