package rollout

import (
	"fmt"
	"slices"
	"time"
)

// maxFailing limits the ids of failing machines that a rollout stores; a few are
// enough to investigate.
const maxFailing = 20

// grant opens an attempt for the next step and records it in the ledger.
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

// progress adds counts of an attempt: to its own rollout and wave, to the evidence
// if it belongs to the current epoch, and to the gate's counts if it belongs to
// the current wave.
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

// release removes the machine's attempt from the updates in flight and returns
// it. If the machine went first in safe mode, another one may go first.
func (w *World) release(m *Machine) Attempt {
	a := m.Attempt
	m.Attempt = Attempt{}
	w.Ledger.InFlight = max(0, w.Ledger.InFlight-1)
	if w.Rollout.Leader == m.ID {
		w.Rollout.Leader = ""
	}
	return a
}

// finish ends the machine's attempt: it counts the outcome and may quarantine the
// machine and halt the rollout. from is the version the machine ran before.
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
		fx.entry(m, a.Version, code, o.describe(code))
		return
	}
	w.judge(m, &a, o, leads, now, fx)
}

func (w *World) succeed(m *Machine, a *Attempt, now time.Time, fx *Effects) {
	// Events may be lost; a machine that succeeded went through every stage.
	c := Counts{Succeeded: 1}
	reach(a, StateInstalled, now, &c)
	w.progress(a, c, fx)
	m.State = StateComplete
	m.FailedVersion, m.Failures, m.QuarantinedVersion = Version{}, 0, Version{}
	if a.Rollout == w.Rollout.ID {
		// In any epoch: a resume does not require another proof.
		w.Rollout.Proven = true
	}
	fx.entry(m, a.Version, 0, "")
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
	fx.entry(m, a.Version, code, o.describe(code))
	fx.activity(ActivityMachineFailed, SeverityError, a.Version, m.ID, o.describe(code))
	fx.Activities[len(fx.Activities)-1].Code = code
	if o == OutcomeRolledBack || m.Failures >= w.Policy.policy.MaxAttempts {
		w.quarantine(m, a.Version, fx)
	}
}

// quarantine excludes a machine from a version until an operator releases it or
// another version is next.
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

// judge halts the rollout if the attempt that just finished triggers a halt rule.
// Attempts of another rollout or epoch do not count.
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

// halt stops the current rollout. A completed rollout can be halted as well,
// because machines that join later are updated under the same rules.
func (w *World) halt(h Halt, s Severity, fx *Effects) {
	h.Machines = slices.Clone(h.Machines)
	w.Rollout.State, w.Rollout.Halt = RolloutHalted, h
	fx.activity(ActivityRolloutHalted, s, w.Rollout.Version, "", "the rollout was halted: "+h.describe())
}
