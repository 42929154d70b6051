package rollout

import "time"

// Ping notes that the machine is alive. It reports no progress, so it restarts
// the lease of an installed machine only, which sends nothing else while it
// waits for its reboot, and only up to RebootTimeout after the installation.
func (w *World) Ping(m *Machine, now time.Time) {
	if m.Attempt.Open() && m.State == StateInstalled && now.Before(m.Attempt.LeaseUntil) {
		w.restartLease(m, now)
	}
}

// restartLease gives the attempt another UpdateTimeout from now. It never
// shortens the lease.
func (w *World) restartLease(m *Machine, now time.Time) {
	a, p := &m.Attempt, &w.Policy.policy
	end := now.Add(p.UpdateTimeout)
	if limit := a.InstalledAt.Add(p.RebootTimeout); m.State == StateInstalled && limit.Before(end) {
		end = limit
	}
	if end.After(a.LeaseUntil) {
		a.LeaseUntil = end
	}
}

// Expire ends the machine's attempt if its lease ran out, and reports whether
// it did. A grant that was not begun before the group was paused, halted or
// retargeted had been taken back already: it is withdrawn, not a failure.
func (w *World) Expire(m *Machine, now time.Time, fx *Effects) bool {
	a := &m.Attempt
	if !a.Open() || now.Before(a.LeaseUntil) {
		return false
	}
	outcome, before := OutcomeTimeout, w.place(m)
	if m.State == StateGranted && w.revoked(a) {
		outcome = OutcomeWithdrawn
	}
	w.finish(m, outcome, 0, m.Version, now, fx)
	w.recount(before, m)
	w.Advance(now, fx)
	return true
}

// Abandon ends the machine's attempt, if there is one, because the machine
// leaves the group. It counts as neither success nor failure.
func (w *World) Abandon(m *Machine, now time.Time, fx *Effects) {
	if m.Attempt.Open() {
		w.finish(m, OutcomeInterrupted, 0, m.Version, now, fx)
	}
}

// Silence notes that the machine was not seen for 24 hours: counts, gates and
// completion go on without it until Observe sees it again.
func (w *World) Silence(m *Machine, now time.Time, fx *Effects) {
	before := w.place(m)
	m.Standing = StandingSilent
	w.recount(before, m)
	w.Advance(now, fx)
}
