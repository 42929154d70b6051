package rollout

// place is which number of the Census a machine is part of.
type place int8

const (
	placeNone place = iota
	placeBehind
	placeOnTarget
)

// place is where the machine counts: nowhere unless it is active and there is
// a target.
func (w *World) place(m *Machine) place {
	switch {
	case m.Standing != StandingActive || w.Target == nil:
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

// recount moves a machine from the place it had to the one it has now.
func (w *World) recount(before place, m *Machine) {
	if after := w.place(m); after != before {
		w.Census.add(before, -1)
		w.Census.add(after, 1)
	}
}

// Join counts a machine that enters the group: registered, moved here or
// brought back from the archive.
func (w *World) Join(m *Machine) { w.Census.add(w.place(m), 1) }

// Leave takes a machine that leaves the group out of its counts. An open
// attempt is dropped without a trace; call Abandon before to have it recorded.
func (w *World) Leave(m *Machine) {
	w.Census.add(w.place(m), -1)
	if m.Attempt.Open() {
		w.release(m)
	}
}
