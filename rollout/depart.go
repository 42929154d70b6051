package rollout

import "time"

// Depart takes a machine out of its group: what it had begun ends as
// interrupted, and the rollout moves on if the machine was the last one behind.
func (w *World) Depart(m *Machine, now time.Time, fx *Effects) {
	w.Abandon(m, now, fx)
	w.Leave(m)
	w.Advance(now, fx)
}

// Orphan drops what a machine had begun in a group that was deleted together
// with its rollout.
func (m *Machine) Orphan() {
	m.Attempt = Attempt{}
	if m.State.InFlight() {
		m.State = StateNone
	}
}
