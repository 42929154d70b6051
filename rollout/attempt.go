package rollout

import (
	"fmt"
	"slices"
	"time"
)

// maxFailing bounds the failing machines a rollout remembers by name.
const maxFailing = 20

// grant gives the machine its next step and spends from the ledger.
func (w *World) grant(m *Machine, step *Package, now time.Time, fx *Effects) {
	r, p := &w.Rollout, &w.Policy.policy
	m.Attempt = Attempt{
		Rollout: r.ID, Package: step.ID, Version: step.Version,
		Wave: r.Wave, Epoch: r.Epoch, Number: 1,
		GrantedAt: now, LeaseUntil: now.Add(p.UpdateTimeout),
	}
	if m.FailedVersion.Compare(step.Version) == 0 {
		m.Attempt.Number += m.Failures
	}
	m.State = StateGranted
	w.Ledger.InFlight++
	w.Ledger.spend(now, p.PeriodInterval)
	if p.SafeMode && !r.Proven && r.Leader == "" {
		r.Leader = m.ID
	}
	if r.StartedAt.IsZero() {
		r.StartedAt = now
		fx.activity(ActivityRolloutStarted, SeverityInfo, r.Version, "", fmt.Sprintf("the rollout of %s started", r.Version))
	}
	w.progress(&m.Attempt, Counts{Granted: 1}, fx)
	fx.entry(m, m.Attempt.Version, 0, fmt.Sprintf("attempt %d", m.Attempt.Number))
}

// progress counts how an attempt came along: for its own rollout and wave, in
// the evidence when it belongs to the current epoch, and for the gate when it
// belongs to the current wave.
func (w *World) progress(a *Attempt, c Counts, fx *Effects) {
	fx.Progress = append(fx.Progress, Progress{Rollout: a.Rollout, Wave: a.Wave, Counts: c})
	r := &w.Rollout
	if a.Rollout != r.ID {
		return
	}
	current := a.Epoch == r.Epoch
	if current {
		r.Evidence = r.Evidence.Plus(c)
	}
	if a.Wave == r.Wave {
		r.WaveCounts = r.WaveCounts.Plus(c)
		if !current {
			r.SetAside += c.Failed
		}
	}
}

// release frees the slot of the machine's attempt and, if it goes first in
// safe mode, lets another one go first. It returns the attempt.
func (w *World) release(m *Machine) Attempt {
	a := m.Attempt
	m.Attempt = Attempt{}
	w.Ledger.InFlight = max(0, w.Ledger.InFlight-1)
	if w.Rollout.Leader == m.ID {
		w.Rollout.Leader = ""
	}
	return a
}

// finish ends the machine's attempt: counts the outcome, remembers failures,
// quarantines and halts. from is what the machine ran until now.
func (w *World) finish(m *Machine, o Outcome, code int, from Version, now time.Time, fx *Effects) {
	leads := w.Rollout.Leader == m.ID
	a := w.release(m)
	fx.Ended = append(fx.Ended, Ended{Machine: m.ID, Attempt: a, Outcome: o, Code: code, From: from})
	switch {
	case o == OutcomeSucceeded:
		w.succeed(m, &a, now, fx)
	case o.Failure():
		w.fail(m, &a, o, code, fx)
	default:
		w.progress(&a, Counts{Released: 1}, fx)
		m.State = StateNone
		fx.entry(m, a.Version, code, o.words(code))
		return
	}
	w.judge(m, &a, o, leads, now, fx)
}

func (w *World) succeed(m *Machine, a *Attempt, now time.Time, fx *Effects) {
	// Reports get lost; whoever succeeded went through every stage.
	c := Counts{Succeeded: 1}
	reach(a, StateInstalled, now, &c)
	w.progress(a, c, fx)
	m.State = StateComplete
	m.FailedVersion, m.Failures, m.QuarantinedVersion = Version{}, 0, Version{}
	if a.Rollout == w.Rollout.ID {
		// Of any epoch: it is a fact, and resuming asks for no other proof.
		w.Rollout.Proven = true
	}
	fx.entry(m, a.Version, 0, "")
}

// reach notes the stages up to s in the attempt and counts those it was not
// known to have reached.
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

func (w *World) fail(m *Machine, a *Attempt, o Outcome, code int, fx *Effects) {
	c := Counts{Failed: 1}
	switch o {
	case OutcomeTimeout:
		c.TimedOut = 1
	case OutcomeRolledBack:
		c.RolledBack = 1
	}
	w.progress(a, c, fx)
	m.State = StateError
	if m.FailedVersion.Compare(a.Version) != 0 {
		m.FailedVersion, m.Failures = a.Version, 0
	}
	m.Failures++
	fx.entry(m, a.Version, code, o.words(code))
	fx.activity(ActivityMachineFailed, SeverityError, a.Version, m.ID, o.words(code))
	fx.Activities[len(fx.Activities)-1].Code = code
	if o == OutcomeRolledBack || m.Failures >= w.Policy.policy.MaxAttempts {
		w.quarantine(m, a.Version, fx)
	}
}

// quarantine keeps a machine from a version until a person or the next version
// frees it.
func (w *World) quarantine(m *Machine, v Version, fx *Effects) {
	if m.QuarantinedVersion.Compare(v) == 0 {
		return
	}
	m.QuarantinedVersion = v
	if m.Standing == StandingActive && w.blocks(m) {
		m.Standing = StandingQuarantined
	}
	fx.activity(ActivityMachineQuarantined, SeverityWarning, v, m.ID, "quarantined after "+count(m.Failures, "failed attempt"))
}

// blocks reports whether the machine's quarantine is for its next step.
func (w *World) blocks(m *Machine) bool {
	if m.QuarantinedVersion.IsZero() {
		return false
	}
	step := w.next(m.Version)
	return step != nil && step.Version.Compare(m.QuarantinedVersion) == 0
}

// judge halts the rollout if what just finished calls for it. Attempts of
// another rollout or epoch are no evidence.
func (w *World) judge(m *Machine, a *Attempt, o Outcome, leads bool, now time.Time, fx *Effects) {
	r, p := &w.Rollout, &w.Policy.policy
	if a.Rollout != r.ID || a.Epoch != r.Epoch {
		return
	}
	if o.Failure() {
		r.Failing = append(slices.DeleteFunc(slices.Clone(r.Failing), func(id string) bool { return id == m.ID }), m.ID)
		r.Failing = r.Failing[max(0, len(r.Failing)-maxFailing):]
	}
	if r.State == RolloutHalted {
		return
	}
	e := &r.Evidence
	h := Halt{At: now, Failed: e.Failed, Finished: e.Finished(), Machines: r.Failing}
	switch {
	case o.Failure() && leads && p.SafeMode && !r.Proven:
		h.Rule = HaltSafeMode
	case p.HaltFailureShare > 0 && e.Failed > 0 && h.Finished >= p.HaltMinAttempts &&
		float64(h.Failed)/float64(h.Finished) >= p.HaltFailureShare:
		h.Rule, h.Share = HaltFailureShare, p.HaltFailureShare
	default:
		return
	}
	w.halt(h, SeverityError, fx)
}

// halt stops the current rollout. A completed one can be halted as well: its
// late joiners are served by the same rules.
func (w *World) halt(h Halt, s Severity, fx *Effects) {
	h.Machines = slices.Clone(h.Machines)
	w.Rollout.State, w.Rollout.Halt = RolloutHalted, h
	fx.activity(ActivityRolloutHalted, s, w.Rollout.Version, "", "the rollout was halted: "+h.words())
}
