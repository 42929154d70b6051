package rollout

import "time"

// Ping records that the machine is alive. A ping reports no progress, so it
// restarts only the lease of a machine that has installed the update and waits
// for its reboot, and not beyond RebootTimeout after the installation.
func (w *World) Ping(m *Machine, now time.Time) {
	if m.Attempt.Open() && m.State == StateInstalled && now.Before(m.Attempt.LeaseUntil) {
		w.restartLease(m, now)
	}
}

// restartLease extends the lease to UpdateTimeout from now. It never shortens
// the lease.
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

// Expire ends the machine's attempt if its lease expired, and reports whether it
// did. A grant that the machine had not started when the group was paused, halted
// or retargeted ends as withdrawn, not as a failure.
func (w *World) Expire(m *Machine, now time.Time, fx *Effects) bool {
	a := &m.Attempt
	if !a.Open() || now.Before(a.LeaseUntil) {
		return false
	}
	outcome, before := OutcomeTimeout, w.place(m)
	switch {
	case m.State == StateGranted && w.revoked(a):
		outcome = OutcomeWithdrawn
	case m.State == StateInstalled && a.LeaseUntil.Before(a.InstalledAt.Add(w.Policy.policy.RebootTimeout)):
		outcome = OutcomeLost // a ping would have restarted the lease
	}
	w.finish(m, outcome, 0, m.Version, now, fx)
	w.recount(before, m)
	w.Advance(now, fx)
	return true
}

// Abandon ends the machine's attempt, if any, because the machine leaves the
// group. The attempt counts as neither success nor failure.
func (w *World) Abandon(m *Machine, now time.Time, fx *Effects) {
	if m.Attempt.Open() {
		w.finish(m, OutcomeInterrupted, 0, m.Version, now, fx)
	}
}

// Silence records that the machine was not seen for 24 hours. Counts, gates and
// completion ignore it until Observe sees it again.
func (w *World) Silence(m *Machine, now time.Time, fx *Effects) {
	before := w.place(m)
	m.Standing = StandingSilent
	w.recount(before, m)
	w.Advance(now, fx)
}
