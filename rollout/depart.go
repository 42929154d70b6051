package rollout

import "time"

// Depart removes a machine from its group. Its open attempt ends as interrupted,
// and the rollout completes if it was the last machine below the target.
func (w *World) Depart(m *Machine, now time.Time, fx *Effects) {
	w.Abandon(m, now, fx)
	w.Leave(m)
	w.Advance(now, fx)
}

// Alone returns a world with the policy of w but without target and rollout. It applies
// what a machine reports about an update that a deleted group granted. Of its effects
// only History and Activities are of use.
func (w *World) Alone() *World {
	return &World{Policy: w.Policy, Reboots: w.Reboots, Outages: w.Outages, Ledger: Ledger{InFlight: 1}}
}

// Orphan drops the open attempt of a machine whose group was deleted with its
// rollout.
func (m *Machine) Orphan() {
	m.Attempt, m.Last.Rollout, m.WithdrawnAt = Attempt{}, ID{}, time.Time{}
	if m.State.InFlight() {
		m.State = StateNone
	}
}
