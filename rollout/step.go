package rollout

// next is the package a machine running v is to have next: the lowest floor
// above v and below the target, else the target; nil when there is no target
// above v.
func (w *World) next(v Version) *Package {
	if w.Target == nil || !v.Less(w.Target.Version) {
		return nil
	}
	step := w.Target
	for _, f := range w.Floors {
		if v.Less(f.Version) && f.Version.Less(step.Version) {
			step = f
		}
	}
	return step
}
