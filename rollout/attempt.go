package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/coreroller/coreroller/rollout/phrase"
)

// maxFailing limits the ids of failing machines that a rollout stores; a few are
// enough to investigate.
const maxFailing = 20

// grant opens an attempt for the next step and records it in the ledger.
func (w *World) grant(m *Machine, step *Package, now time.Time, fx *Effects) {
	r, p := &w.Rollout, w.policy()
	m.Attempt = Attempt{
		Rollout: r.ID, Package: step.ID, Version: step.Version, Leaves: m.leaves(step),
		Wave: r.Wave, Epoch: r.Epoch, Number: 1,
		GrantedAt: now, LeaseUntil: now.Add(p.Lease()),
	}
	newcomer := w.newcomer(m)
	if newcomer {
		m.Attempt.Wave = NewcomerWave
	}
	if m.FailedVersion.Compare(step.Version) == 0 {
		m.Attempt.Number += m.Failures
	}
	m.State = StateGranted
	w.Ledger.InFlight++
	if r.Roster.Chosen == m.ID {
		r.Roster.Chosen = ""
	}
	again := m.Deferred == r.ID
	if !again {
		m.Deferred = ID{}
		w.Ledger.takeBack(m.WithdrawnAt)
		w.Ledger.spend(now, p.PeriodInterval)
	}
	m.WithdrawnAt = time.Time{}
	if leader := r.leader(newcomer); p.SafeMode && !w.proven(newcomer) && *leader == "" {
		*leader = m.ID
	}
	if r.StartedAt.IsZero() {
		r.StartedAt = now
		fx.activity(ActivityRolloutStarted, SeverityInfo, r.Version, "", fmt.Sprintf("the rollout of %s started", r.Version)+alsoFrom(r.Recalled))
	}
	if again {
		return
	}
	w.moved(now)
	w.progress(r.ID, m.Attempt.Wave, r.Epoch, Counts{Granted: 1}, fx)
	fx.entry(m, m.Attempt.Version, 0, fmt.Sprintf("attempt %d", m.Attempt.Number)+insteadOf(m.Attempt.Leaves))
}

// progress adds counts of an attempt: to its own rollout and wave, to the evidence
// if it belongs to the current epoch, and to the gate's counts if it belongs to
// the current wave. Those of newcomers have evidence of their own and no gate.
func (w *World) progress(rollout ID, wave, epoch int, c Counts, fx *Effects) {
	fx.Progress = append(fx.Progress, Progress{Rollout: rollout, Wave: wave, Counts: c})
	r := &w.Rollout
	if rollout != r.ID {
		return
	}
	current := epoch == r.Epoch
	switch {
	case current && wave == NewcomerWave:
		r.Newcomers.Evidence = r.Newcomers.Evidence.Plus(c)
	case current:
		r.Evidence = r.Evidence.Plus(c)
	}
	if wave == r.Wave {
		r.WaveCounts = r.WaveCounts.Plus(c)
		if !current {
			r.SetAside += c.Failed
		}
	}
}

// release removes the machine's attempt from the updates in flight and returns it.
func (w *World) release(m *Machine) Attempt {
	a := m.Attempt
	w.leaveFlight(m)
	m.Attempt = Attempt{}
	return a
}

// finish ends the machine's attempt. A success or a failure becomes the machine's
// last result. from is the version that the machine ran before.
func (w *World) finish(m *Machine, o Outcome, code int, from Version, now time.Time, fx *Effects) {
	if o == OutcomeWithdrawn {
		m.WithdrawnAt = m.spentAt()
	}
	w.resumeDeferred(m, fx)
	leads, stage := w.Rollout.Leader == m.ID, m.State
	a := w.release(m)
	if !a.Leaves.IsZero() {
		from = a.Leaves
	}
	if a.RebootOverdue {
		w.noteBehind(m) // newcomers did not wait for it
	}
	e := Ended{Machine: m.ID, Attempt: a, Outcome: o, Code: code, From: from}
	c := o.counts()
	if c.Released > 0 {
		fx.Ended = append(fx.Ended, e)
		w.progress(a.Rollout, a.Wave, a.Epoch, c, fx)
		m.State = StateNone
		fx.entry(m, a.Version, code, o.describe(code))
		return
	}
	if o.Success() { // events may be lost: it went through every stage
		stage = StateInstalled
		reach(&e.Attempt, stage, now, &c)
	}
	w.progress(a.Rollout, a.Wave, a.Epoch, c, fx)
	w.settle(m, &e, Result{
		Rollout: a.Rollout, Version: a.Version, From: from, Wave: a.Wave, Epoch: a.Epoch, Stage: stage, Outcome: o, Code: code,
	}, leads, now, fx)
}

// review changes the result of the last attempt if the running version disagrees
// with it. A forced check names no version and changes nothing. before is the version
// that the machine ran until now.
func (w *World) review(m *Machine, before Version, now time.Time, fx *Effects) {
	last := &m.Last
	runs := reached(m.Version, last.Version, last.leaves())
	switch {
	case m.Version.IsZero():
	case last.Outcome.Success() && !runs && (m.Version.Less(last.Version) || m.Version != before && w.next(m.Version) != nil):
		w.revise(m, OutcomeRolledBack, 0, now, fx)
	case last.Outcome.Failure() && runs:
		w.revise(m, OutcomeCameBack, last.Code, now, fx)
	}
}

// revise gives the machine's last attempt another outcome. It counts from now on:
// a failure before a resume is set aside, a later one is not.
func (w *World) revise(m *Machine, o Outcome, code int, now time.Time, fx *Effects) {
	r := m.Last
	r.Outcome, r.Code = o, code
	if r.Rollout == w.Rollout.ID {
		r.Epoch = w.Rollout.Epoch
	}
	if o.Success() {
		r.Stage = StateInstalled
	}
	if r.Rollout != (ID{}) {
		w.progress(r.Rollout, r.Wave, r.Epoch, r.counts(), fx)
	}
	e := Ended{Machine: m.ID, Outcome: o, Code: code, From: r.From, Again: true}
	w.settle(m, &e, r, true, now, fx)
}

// settle makes r the machine's last result. An earlier result in the same rollout
// does not count any more: gates, halts and safe mode count machines, not
// attempts. leads says that safe mode waits for this machine.
func (w *World) settle(m *Machine, e *Ended, r Result, leads bool, now time.Time, fx *Effects) {
	old := m.Last
	r.Proof = r.Outcome.Success()
	if old.Outcome != 0 && old.Rollout == r.Rollout {
		e.Replaces = old
		r.Proof = r.Proof || old.Proof && !e.Again
		if r.Rollout != (ID{}) {
			w.progress(old.Rollout, old.Wave, old.Epoch, Counts{}.Minus(old.counts()), fx)
		}
		w.prove(&old, -1)
		w.noteKind(&old, -1)
	}
	m.Last = r
	w.prove(&r, 1)
	w.noteKind(&r, 1)
	fx.Ended = append(fx.Ended, *e)
	if r.Rollout == w.Rollout.ID {
		w.moved(now)
	}
	if r.Outcome.Success() {
		w.succeed(m, fx)
	} else {
		w.fail(m, e.Again && e.Replaces.Outcome.Failure(), fx)
	}
	w.judge(m, leads, now, fx)
}

// prove counts a proof for safe mode, in any epoch: a resume does not require
// another one.
func (w *World) prove(r *Result, n int) {
	switch {
	case !r.Proof || r.Rollout != w.Rollout.ID:
	case r.Wave == NewcomerWave:
		w.Rollout.Newcomers.Proofs += n
	default:
		w.Rollout.Proofs += n
	}
}

func (w *World) succeed(m *Machine, fx *Effects) {
	r := &m.Last
	if !m.Attempt.Open() {
		m.State = StateComplete
	}
	m.FailedVersion, m.Failures, m.QuarantinedVersion = Version{}, 0, Version{}
	m.InterruptedVersion, m.Interruptions = Version{}, 0
	if r.Rollout == w.Rollout.ID {
		w.Rollout.Failing = without(w.Rollout.Failing, m.ID)
	}
	if r.Outcome == OutcomeSucceeded {
		fx.entry(m, r.Version, 0, "")
		return
	}
	fx.entry(m, r.Version, r.Code, r.describe(m.Version))
	fx.activity(ActivityMachineCameBack, SeveritySuccess, r.Version, m.ID, r.describe(m.Version))
}

// reach records the stages up to s in the attempt and counts those that were not
// recorded before.
func reach(a *Attempt, s State, now time.Time, c *Counts) {
	note := func(at *time.Time, n *int) {
		if at.IsZero() {
			*at = now
			*n = 1
		}
	}
	note(&a.DownloadingAt, &c.Downloading)
	if s == StateDownloaded || s == StateInstalled {
		note(&a.DownloadedAt, &c.Downloaded)
	}
	if s == StateInstalled {
		note(&a.InstalledAt, &c.Installed)
	}
}

// fail records a failure, which the machine's failures may already contain.
func (w *World) fail(m *Machine, counted bool, fx *Effects) {
	r := &m.Last
	if !m.Attempt.Open() {
		m.State = StateError
	}
	if m.FailedVersion.Compare(r.Version) != 0 {
		m.FailedVersion, m.Failures = r.Version, 0
	}
	if !counted || m.Failures == 0 { // 0: a person released the machine since
		m.Failures++
	}
	fx.entry(m, r.Version, r.Code, r.describe(m.Version))
	fx.activity(ActivityMachineFailed, SeverityError, r.Version, m.ID, r.describe(m.Version))
	fx.Activities[len(fx.Activities)-1].Code = r.Code
	m.InterruptedVersion, m.Interruptions = Version{}, 0
	if r.Outcome == OutcomeRolledBack || r.Outcome == OutcomeLooping || m.Failures >= w.policy().MaxAttempts {
		w.quarantine(m, r.Version, fx)
	}
}

// quarantine excludes a machine from a version until an operator releases it or
// another version is next. A quarantine for the next step stays.
func (w *World) quarantine(m *Machine, v Version, fx *Effects) {
	if m.QuarantinedVersion.Compare(v) == 0 || w.blocks(m) {
		return
	}
	m.QuarantinedVersion = v
	if w.blocks(m) && m.Standing == StandingActive {
		m.Standing = StandingQuarantined
	}
	fx.activity(ActivityMachineQuarantined, SeverityWarning, v, m.ID, "quarantined after "+phrase.Count(m.Failures, "failed attempt"))
}

// blocks reports whether the machine's quarantine is for its next step.
func (w *World) blocks(m *Machine) bool {
	if m.QuarantinedVersion.IsZero() {
		return false
	}
	step := w.next(m.Version)
	return step != nil && step.Version.Compare(m.QuarantinedVersion) == 0
}

// judge halts the rollout if the machine's last result triggers a halt rule.
// Results of another rollout or epoch, and of newcomers, do not count.
func (w *World) judge(m *Machine, leads bool, now time.Time, fx *Effects) {
	r, p, last := &w.Rollout, w.policy(), &m.Last
	if last.Rollout != r.ID || last.Epoch != r.Epoch || last.Wave == NewcomerWave {
		return
	}
	failed := last.Outcome.Failure()
	if failed {
		r.Failing = append(without(r.Failing, m.ID), m.ID)
		r.Failing = r.Failing[max(0, len(r.Failing)-maxFailing):]
	}
	if r.State == RolloutHalted {
		return
	}
	e := &r.Evidence
	h := Halt{At: now, Failed: e.Failed, Finished: e.Finished(), Machines: r.Failing}
	switch {
	case failed && leads && p.SafeMode && !r.Proven():
		h.Rule, h.Outcome, h.Code = HaltSafeMode, last.Outcome, last.Code
	case failed && w.isCanary(m) && m.QuarantinedVersion.Compare(last.Version) == 0:
		h.Rule, h.Outcome, h.Code = HaltCanary, last.Outcome, last.Code
	case tooManyFailed(p, e):
		most := mostCommon(r.FailureKinds)
		h.Rule, h.Share = HaltFailureShare, p.HaltFailureShare
		h.Outcome, h.Code, h.Alike = most.Outcome, most.Code, most.Machines
	default:
		return
	}
	w.halt(h, SeverityError, fx)
}

// isCanary reports whether the machine is in a wave that has opened because the policy
// names it, or by the expression of a wave without a share.
func (w *World) isCanary(m *Machine) bool {
	first, ok := w.Policy.FirstWave(m.ID)
	if !ok && w.Policy.Selects(m.SelectedWave) && w.policy().Waves[m.SelectedWave-1].Share == 0 {
		first, ok = m.SelectedWave-1, true
	}
	return ok && first <= w.wave()
}

// without returns a copy of ids without one of them.
func without(ids []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return s == id })
}

// halt stops the current rollout. A completed rollout can be halted as well,
// because machines that join later are updated under the same rules.
func (w *World) halt(h Halt, s Severity, fx *Effects) {
	h.Machines = slices.Clone(h.Machines)
	w.Rollout.State, w.Rollout.Halt = RolloutHalted, h
	fx.activity(ActivityRolloutHalted, s, w.Rollout.Version, "", "the rollout was halted: "+h.describe())
}
