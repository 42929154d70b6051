package rollout

// place is the Census count that includes a machine.
type place int8

const (
	placeNone place = iota
	placeBehind
	placeOnTarget
)

// place returns the count that includes the machine: none unless it is active, has
// asked for an update and there is a target.
func (w *World) place(m *Machine) place {
	switch {
	case m.Standing != StandingActive || w.Target == nil || m.Reason == ReasonNone:
		return placeNone
	case m.Version.Less(w.Target.Version):
		return placeBehind
	default:
		return placeOnTarget
	}
}

func (c *Census) add(p place, n int) {
	switch p {
	case placeBehind:
		c.Behind += n
	case placeOnTarget:
		c.OnTarget += n
	}
}

// recount moves a machine from its previous count to its current one.
func (w *World) recount(before place, m *Machine) {
	if after := w.place(m); after != before {
		w.Census.add(before, -1)
		w.Census.add(after, 1)
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
	w.Census.add(w.place(m), 1)
	w.noteBehind(m)
}

// Leave removes a machine from the counts when it leaves the group. An open attempt
// is dropped without a record; call Abandon first to record it.
func (w *World) Leave(m *Machine) {
	w.Census.add(w.place(m), -1)
	if m.Attempt.Open() {
		w.release(m)
	}
	m.Last.Rollout = ID{} // results of one group do not change in another
}
