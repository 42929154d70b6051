package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/coreroller/coreroller/rollout/phrase"
)

// Skew is how far a stored time may be ahead of now without being repaired: the
// clocks of several processes differ a little.
const Skew = 5 * time.Second

// pullBack sets a time that is ahead of now by more than Skew to now and returns by
// how much it was ahead, else zero.
func pullBack(t *time.Time, now time.Time) time.Duration {
	ahead := t.Sub(now)
	if ahead <= Skew {
		return 0
	}
	*t = now
	return ahead
}

// Repair sets the group's times that are ahead of now to now, with one activity. A
// server with a wrong clock wrote them, or the clock of the host was set back. So a
// grant counts for one period from now, and soak time and stall begin now. Times
// that a person chose, such as freezes, may be in the future. Call it under the
// lock, before any other step, with a time that was read under the lock.
func (w *World) Repair(now time.Time, fx *Effects) {
	r := &w.Rollout
	ahead := w.Ledger.repair(now)
	for _, t := range [...]*time.Time{
		&r.CreatedAt, &r.StartedAt, &r.EndedAt, &r.WaveAt, &r.GateAt, &r.Roster.At, &r.Newcomers.CountedAt, &r.ProgressAt, &r.Stall.Since, &r.Halt.At,
	} {
		ahead = max(ahead, pullBack(t, now))
	}
	if ahead > 0 {
		fx.activity(ActivityTimesRepaired, SeverityWarning, r.Version, "",
			fmt.Sprintf("stored times were up to %s in the future and were set to now: a server's clock was wrong", phrase.Lasting(ahead.Round(time.Second))))
	}
}

// repair merges the entries that end after now into one that ends now.
func (l *Ledger) repair(now time.Time) time.Duration {
	n := len(l.Spends)
	if n == 0 {
		return 0
	}
	ahead := l.Spends[n-1].Last.Sub(now) // the latest
	if ahead <= Skew {
		return 0
	}
	first := slices.IndexFunc(l.Spends, func(s Spend) bool { return s.Last.After(now) })
	merged := Spend{First: l.Spends[first].First, Last: now}
	if merged.First.After(now) {
		merged.First = now
	}
	for _, s := range l.Spends[first:] {
		merged.Count += s.Count
	}
	l.Spends = append(slices.Clone(l.Spends[:first]), merged) // never changed in place: see World
	return ahead
}

// RepairMachine sets the machine's times that are ahead of now to now. A lease that
// was counted from one of them ends no later than a new one would. It reports
// whether it changed the machine.
func (w *World) RepairMachine(m *Machine, now time.Time, fx *Effects) bool {
	a := &m.Attempt
	ahead := pullBack(&m.LastSeenAt, now)
	for _, t := range [...]*time.Time{&m.FirstSeenAt, &a.GrantedAt, &a.DownloadingAt, &a.DownloadedAt, &a.InstalledAt, &m.WithdrawnAt} {
		ahead = max(ahead, pullBack(t, now))
	}
	if ahead > 0 {
		w.cutLease(m, now, fx)
	}
	return ahead > 0
}

// RepairLease is RepairMachine for a machine that may never ask again. It also takes
// back what an outage added whose record was removed, because it was in the future.
// Outages must be those of the database.
func (w *World) RepairLease(m *Machine, now time.Time, fx *Effects) bool {
	a := &m.Attempt
	changed := w.RepairMachine(m, now, fx)
	if e := w.extension(a.GrantedAt); a.Open() && a.Extended > e {
		a.Extended = e
		w.cutLease(m, now, fx)
		return true
	}
	return changed
}

// cutLease ends the lease as if it began now, unless it ends earlier.
func (w *World) cutLease(m *Machine, now time.Time, fx *Effects) {
	a := &m.Attempt
	end := now.Add(w.leaseOf(m.State) + a.Extended)
	if a.Open() && end.Before(a.LeaseUntil) {
		a.LeaseUntil = end
		fx.entry(m, a.Version, 0, fmt.Sprintf("the lease ends %s: a server's clock was wrong", moment(end)))
	}
}

// leaseOf returns how long a lease lasts in a state, without outages.
func (w *World) leaseOf(s State) time.Duration {
	if s == StateInstalled {
		return w.policy().MaxSilence()
	}
	return w.policy().Lease()
}

// LatestLease returns when a lease that begins now ends at the latest, without
// outages.
func (w *World) LatestLease(now time.Time) time.Time {
	return now.Add(max(w.leaseOf(StateGranted), w.leaseOf(StateInstalled)))
}
