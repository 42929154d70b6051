package rollout

import (
	"time"

	"github.com/coreroller/coreroller/rollout/version"
)

// Observe records that the machine runs a version. An open attempt succeeds when
// the machine runs its version or a higher one, see reached. It fails if the machine reported
// success, needs no reboot and asks for an update from the old version. Below the
// version of its last success the machine was rolled back. A silent machine
// becomes active again; an expired override is removed. asks says that the
// request has an update check.
func (w *World) Observe(m *Machine, running Version, asks bool, now time.Time, fx *Effects) {
	if running == m.Version && m.Standing == StandingActive && !m.Attempt.Open() && m.settledDown() {
		m.LastSeenAt = now
		w.Advance(now, fx) // the most frequent case: nothing to record
		return
	}
	before, from := w.place(m), m.Version
	m.Version = running
	switch a := &m.Attempt; {
	case a.Open() && reached(running, a.Version, a.Leaves):
		w.finish(m, OutcomeSucceeded, 0, from, now, fx)
	case a.Open() && asks && m.State == StateInstalled && !w.Reboots && !running.IsZero():
		w.finish(m, OutcomeNotRunning, 0, from, now, fx)
	}
	w.expire(m, now, fx) // depends on LastSeenAt
	m.LastSeenAt = now
	w.review(m, from, now, fx)
	w.refresh(m, now)
	w.recount(before, m)
	w.Advance(now, fx)
}

// settledDown reports whether the machine has no failures or quarantine, which a new
// version could clear. A machine with an override, which time could clear, is not active.
func (m *Machine) settledDown() bool {
	return m.QuarantinedVersion.IsZero() && m.FailedVersion.IsZero()
}

// refresh removes an expired override and a quarantine for a version that is no
// longer the next one, and updates the standing of a machine that was seen.
func (w *World) refresh(m *Machine, now time.Time) {
	if m.Override.Kind != OverrideNone && !m.Override.inForce(now) {
		m.Override = Override{}
	}
	blocked := w.blocks(m)
	if !m.QuarantinedVersion.IsZero() && !blocked && (w.next(m.Version) != nil || !m.Version.Less(m.QuarantinedVersion)) {
		if m.FailedVersion.Compare(m.QuarantinedVersion) == 0 {
			m.FailedVersion, m.Failures = Version{}, 0
		}
		m.QuarantinedVersion = Version{}
	}
	switch {
	case m.Override.Kind != OverrideNone:
		m.Standing = StandingOverridden
	case blocked:
		m.Standing = StandingQuarantined
	default:
		m.Standing = StandingActive
	}
}

// Check answers an update check and applies the answer. The caller has already
// passed the machine's version to Observe and its events to Report.
func (w *World) Check(m *Machine, c Check, now time.Time, fx *Effects) Decision {
	w.Expire(m, now, fx)
	w.restart(m, c, now, fx)
	w.Advance(now, fx)
	if !m.settledDown() { // an event of this request may have changed it
		before := w.place(m)
		w.refresh(m, now)
		w.recount(before, m)
	}
	e := evaluation{w: w, m: m, c: c, now: now, step: w.next(m.Version)}
	e.run()
	d := e.d
	if m.Attempt.Open() && m.State == StateGranted && !d.Again {
		w.finish(m, OutcomeWithdrawn, 0, m.Version, now, fx)
	}
	switch {
	case d.Reason == ReasonGranted:
		if !d.Again {
			w.grant(m, d.Offer, now, fx)
			m.Attempt.Session = c.Session
		}
	case d.Reason.Holds():
		if m.State != StateOnHold || m.Reason != d.Reason {
			m.State = StateOnHold
			fx.History = append(fx.History, Entry{
				Machine: m.ID, State: m.State, Version: m.Version.String(), Reason: d.Reason, Detail: d.Detail(),
			})
		}
	case d.Reason == ReasonUpToDate:
		m.WithdrawnAt = time.Time{}
		if m.State == StateOnHold {
			m.State = StateNone
			fx.entry(m, m.Version, 0, d.Detail())
		}
	case d.Reason == ReasonQuarantined && !m.Attempt.Open():
		m.State = StateError // the state may have changed since the failure
	case d.Reason == ReasonNoPackage:
		w.notePackageMissing(fx)
	}
	before := w.place(m)
	m.Reason = d.Reason
	w.recount(before, m)
	w.noteBehind(m)
	if before == version.None || w.place(m) == version.None {
		w.Advance(now, fx)
	}
	return d
}

func (w *World) notePackageMissing(fx *Effects) {
	if w.PackageMissingNoted {
		return
	}
	w.PackageMissingNoted = true
	fx.activity(ActivityPackageNotFound, SeverityWarning, Version{}, "", Decision{Reason: ReasonNoPackage}.Detail())
}
