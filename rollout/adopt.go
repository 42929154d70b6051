package rollout

import "time"

// Adopted is what another server knows about a machine.
type Adopted struct {
	Version Version // running
	State   State
	Attempt Attempt // its rollout is used unless the attempt fits the current one
	Silent  bool    // not seen within the last 24 hours
}

// Adopt records what another server knows about a machine that joins the group, or that
// joined it by an earlier import. An open attempt at the version of the group's target
// belongs to the current rollout. Its lease begins now, because the machine could not
// report here before. It counts as in flight, but not as a grant of this server.
//
// The last reason of the machine becomes what a check would get now, so that the census
// has it and the rollout does not complete without it.
func (w *World) Adopt(m *Machine, in Adopted, now time.Time, fx *Effects) {
	var was Counts
	before, old := w.place(m), m.Attempt
	if old.Open() {
		was = stages(&old)
		w.release(m)
	}
	m.Version, m.State = in.Version, in.State
	switch {
	case in.Silent && m.Standing == StandingActive:
		m.Standing = StandingSilent
	case !in.Silent && m.Standing == StandingSilent:
		m.Standing = StandingActive
	}
	if in.Attempt.Open() {
		w.adopt(m, in.Attempt, now)
		w.progress(m.Attempt.Rollout, m.Attempt.Wave, m.Attempt.Epoch, stages(&m.Attempt), fx)
	}
	if old.Open() {
		w.progress(old.Rollout, old.Wave, old.Epoch, Counts{}.Minus(was), fx)
	}
	m.Reason = w.adoptedReason(m, now)
	w.recount(before, m)
	w.noteBehind(m)
}

func (w *World) adopt(m *Machine, a Attempt, now time.Time) {
	if r := &w.Rollout; r.ID != (ID{}) && r.Version == a.Version {
		a.Rollout, a.Package, a.Wave, a.Epoch = r.ID, r.Package, r.Wave, r.Epoch
		if w.newcomer(m) {
			a.Wave = NewcomerWave
		}
	}
	m.Attempt = a
	m.Attempt.Number = 1
	w.Ledger.InFlight++
	m.Attempt.LeaseUntil = now.Add(w.policy().Lease())
	if m.State == StateInstalled {
		m.Attempt.LeaseUntil = now.Add(w.policy().MaxSilence())
	}
}

// adoptedReason returns the reason that a check of an imported machine would have now, as
// far as it is known without one. It is never ReasonNone, which the census leaves out.
func (w *World) adoptedReason(m *Machine, now time.Time) Reason {
	step := w.next(m.Version)
	switch {
	case m.Attempt.Open() && m.State == StateGranted:
		return ReasonGranted
	case m.Attempt.Open():
		return ReasonUpdateInProgress
	case w.Target == nil:
		return ReasonNoPackage
	case step == nil:
		return ReasonUpToDate
	case step.Blacklisted:
		return ReasonBlacklisted
	case w.paused():
		return ReasonPaused
	}
	settled := w.Settled(now)
	return DecideNext(settled, m.Version, settled.Reaches(m.ID, m.SelectedWave), now).Reason
}

// stages counts the stages that an open attempt has reached.
func stages(a *Attempt) Counts {
	c := Counts{Granted: 1}
	for at, n := range map[*time.Time]*int{&a.DownloadingAt: &c.Downloading, &a.DownloadedAt: &c.Downloaded, &a.InstalledAt: &c.Installed} {
		if !at.IsZero() {
			*n = 1
		}
	}
	return c
}
