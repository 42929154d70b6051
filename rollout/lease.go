package rollout

import (
	"fmt"
	"slices"
	"time"
)

// longestBackoff limits how long update_engine waits after failed checks.
const longestBackoff = 4 * time.Hour

// Outage is a time in which no machine could report, because no server ran or the
// database did not respond.
type Outage struct{ From, To time.Time }

// Ago returns the time before now since which servers have run for d in total: what
// happens after d without a sign of life must not count outages.
func Ago(now time.Time, d time.Duration, outages []Outage) time.Time {
	at := now.Add(-d)
	for _, o := range slices.Backward(outages) {
		if !o.To.After(at) {
			break
		}
		at = at.Add(o.From.Sub(o.To))
	}
	return at
}

// extension returns by how much outages extend a lease of a machine that was last
// seen before them: their length, and the time until it polls again. update_engine
// waits longer after each failed check.
func (w *World) extension(seen time.Time) (d time.Duration) {
	p := w.policy()
	poll := p.LongestPoll()
	for _, o := range w.Outages {
		if seen.After(o.From) {
			continue
		}
		length := o.To.Sub(o.From)
		if w.Reboots {
			poll = max(poll, min(longestBackoff, 2*max(length, poll)))
		}
		d += length
	}
	if d == 0 {
		return 0
	}
	return d + poll
}

// Ping records that the machine is alive. A ping reports no progress, so it
// restarts only the lease of a machine that has installed the update and waits
// for its reboot, however long.
func (w *World) Ping(m *Machine, now time.Time) {
	if m.Attempt.Open() && m.State == StateInstalled && now.Before(m.Attempt.LeaseUntil) {
		w.restartLease(m, now)
	}
}

// restartLease extends the lease from now. A lease is never shortened, except by
// the installation: then it ends when the machine is lost, or when it gives its
// slot back.
func (w *World) restartLease(m *Machine, now time.Time) {
	a, p := &m.Attempt, w.policy()
	a.Extended = 0
	if m.State == StateInstalled {
		a.LeaseUntil = now.Add(p.MaxSilence())
		if limit := a.InstalledAt.Add(p.RebootTimeout); !a.RebootOverdue && limit.Before(a.LeaseUntil) {
			a.LeaseUntil = limit
		}
		return
	}
	if end := now.Add(p.Lease()); end.After(a.LeaseUntil) {
		a.LeaseUntil = end
	}
}

// Expire ends the machine's attempt if its lease expired, and reports whether it
// did. A grant that the machine had not started when the group was paused, halted
// or retargeted ends as withdrawn, not as a failure. Outages extend the lease. An
// installed machine that still polls keeps its attempt and gives its slot back.
func (w *World) Expire(m *Machine, now time.Time, fx *Effects) bool {
	before := w.place(m)
	if !w.expire(m, now, fx) {
		return false
	}
	w.recount(before, m)
	w.Advance(now, fx)
	return true
}

func (w *World) expire(m *Machine, now time.Time, fx *Effects) bool {
	a := &m.Attempt
	if !a.Open() || now.Before(a.LeaseUntil) || w.Unserved {
		return false
	}
	if e := w.extension(m.LastSeenAt); e > a.Extended {
		a.LeaseUntil = a.LeaseUntil.Add(e - a.Extended)
		a.Extended = e
		if now.Before(a.LeaseUntil) {
			return false
		}
	}
	if m.State == StateInstalled && w.overdue(m, now, fx) {
		return false
	}
	outcome := OutcomeTimeout
	switch {
	case m.State == StateGranted && w.revoked(a):
		outcome = OutcomeWithdrawn
	case m.State == StateInstalled:
		outcome = OutcomeLost
	}
	w.finish(m, outcome, 0, m.Version, now, fx)
	return true
}

// overdue gives the slot of an installed machine back if it was seen recently
// enough not to be lost, and reports whether it was. In safe mode another machine
// may go first then.
func (w *World) overdue(m *Machine, now time.Time, fx *Effects) bool {
	a := &m.Attempt
	lost := m.LastSeenAt.Add(w.policy().MaxSilence() + a.Extended)
	if a.RebootOverdue || !now.Before(lost) {
		return false
	}
	w.leaveFlight(m)
	a.RebootOverdue, a.LeaseUntil = true, lost
	w.Ledger.RebootOverdue++
	fx.entry(m, a.Version, 0, fmt.Sprintf("waits for its reboot since %s; others may update meanwhile", moment(a.InstalledAt)))
	return true
}

// leaveFlight removes the machine from the updates in flight. If it went first in
// safe mode, another one may go first.
func (w *World) leaveFlight(m *Machine) {
	if m.Attempt.RebootOverdue {
		w.Ledger.RebootOverdue = max(0, w.Ledger.RebootOverdue-1)
	} else {
		w.Ledger.InFlight = max(0, w.Ledger.InFlight-1)
	}
	if leader := w.Rollout.leader(m.Attempt.Wave == NewcomerWave); *leader == m.ID {
		*leader = ""
	}
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
