package rollout

import "time"

// Observe notes that the machine was seen running a version. Seeing the
// version of its open attempt, or a higher one, is what success is. A silent
// machine is active again; an override that ran out is dropped.
func (w *World) Observe(m *Machine, running Version, now time.Time, fx *Effects) {
	if running == m.Version && m.Standing == StandingActive && !m.Attempt.Open() && m.settledDown() {
		w.Advance(now, fx) // most of all checks: nothing to note
		return
	}
	before, from := w.place(m), m.Version
	m.Version = running
	if a := &m.Attempt; a.Open() && !running.Less(a.Version) {
		w.finish(m, OutcomeSucceeded, 0, from, now, fx)
	}
	w.refresh(m, now)
	if !m.FailedVersion.IsZero() && !running.Less(m.FailedVersion) {
		// It got there after all, by a way that was given up on.
		m.FailedVersion, m.Failures = Version{}, 0
		if m.State == StateError {
			m.State = StateComplete
			fx.entry(m, running, 0, "seen on the version its attempt had failed at")
		}
	}
	w.recount(before, m)
	w.Advance(now, fx)
}

// settledDown reports whether nothing is kept with the machine that time or a
// new version could clear.
func (m *Machine) settledDown() bool {
	return m.Override.Kind == OverrideNone && m.QuarantinedVersion.IsZero() && m.FailedVersion.IsZero()
}

// refresh drops what no longer counts (an override that ran out, a quarantine
// for a version that is not the next one) and gives a machine that was seen its
// standing.
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

// Check answers an update check and applies the answer. What the machine runs
// and reports was handed to Observe and Report before.
func (w *World) Check(m *Machine, c Check, now time.Time, fx *Effects) Decision {
	w.Expire(m, now, fx)
	w.Advance(now, fx)
	if m.Standing != StandingActive || !m.settledDown() {
		before := w.place(m)
		w.refresh(m, now)
		w.recount(before, m)
	}
	l := ladder{w: w, m: m, c: c, now: now, step: w.next(m.Version)}
	l.climb()
	d := l.d
	if m.Attempt.Open() && m.State == StateGranted && !d.Again {
		w.finish(m, OutcomeWithdrawn, 0, m.Version, now, fx)
	}
	switch {
	case d.Reason == ReasonGranted:
		if !d.Again {
			w.grant(m, d.Offer, now, fx)
		}
	case d.Reason.Holds():
		if m.State != StateOnHold || m.Reason != d.Reason {
			m.State = StateOnHold
			fx.History = append(fx.History, Entry{
				Machine: m.ID, State: m.State, Version: m.Version.String(), Reason: d.Reason, Detail: d.Detail(),
			})
		}
	case d.Reason == ReasonUpToDate:
		if m.State == StateOnHold {
			m.State = StateNone
			fx.entry(m, m.Version, 0, d.Detail())
		}
	case d.Reason == ReasonQuarantined:
		m.State = StateError // also after something else was tried in between
	case d.Reason == ReasonNoPackage:
		w.notePackageMissing(fx)
	}
	m.Reason = d.Reason
	if m.Standing != StandingActive {
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
