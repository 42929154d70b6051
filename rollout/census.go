package rollout

import (
	"time"

	"github.com/coreroller/coreroller/rollout/version"
)

// place returns the count that includes the machine: none unless it is active, has
// asked for an update and there is a target. A machine that was held because it is not
// enrolled is in none, so that made-up machines keep no rollout from completing.
func (w *World) place(m *Machine) version.Place {
	if m.Standing != StandingActive || w.Target == nil || !m.Reason.Counts() {
		return version.None
	}
	return w.Goal().Place(m.Version)
}

// Add adds n machines to the count of a place.
func (c *Census) Add(p version.Place, n int) {
	switch p {
	case version.None:
	case version.Behind:
		c.Behind += n
	case version.OnTarget, version.Above:
		c.OnTarget += n
	case version.OtherBuild:
		c.OtherBuild += n
	}
}

// machines returns all active machines.
func (c *Census) machines() int { return c.Behind + c.OnTarget + c.OtherBuild }

// recount moves a machine from its previous count to its current one.
func (w *World) recount(before version.Place, m *Machine) {
	if after := w.place(m); after != before {
		w.Census.Add(before, -1)
		w.Census.Add(after, 1)
		w.noteBehind(m)
	}
}

// Relabel stores another version for a machine. It changes nothing but the counts.
func (w *World) Relabel(m *Machine, v Version) {
	before := w.place(m)
	m.Version = v
	w.recount(before, m)
}

// Join counts a machine that enters the group: registered, moved from another
// group or restored from the archive.
func (w *World) Join(m *Machine) {
	w.Census.Add(w.place(m), 1)
	w.noteBehind(m)
}

// Leave removes a machine from the counts when it leaves the group. An open attempt
// is dropped without a record; call Abandon first to record it.
func (w *World) Leave(m *Machine) {
	w.Census.Add(w.place(m), -1)
	if m.Attempt.Open() {
		w.release(m)
	}
	m.Last.Rollout = ID{} // results of one group do not change in another
	m.WithdrawnAt = time.Time{}
}
