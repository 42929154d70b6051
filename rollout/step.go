package rollout

// next returns the package that a machine running v installs next: the lowest
// floor above v and below the target, else the target. It is nil when there is
// no target above v.
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

// Path returns the packages that a machine running v installs one after the
// other, ignoring windows, waves, caps and the machine's own state. end is
// ReasonGranted if the path reaches the target, else what prevents the next
// step: ReasonUpToDate, ReasonNoPackage or ReasonBlacklisted.
func (w *World) Path(v Version) (steps []*Package, end Reason) {
	end = ReasonUpToDate
	if w.Target == nil {
		end = ReasonNoPackage
	}
	for step := w.next(v); step != nil; step = w.next(step.Version) {
		if step.Blacklisted || w.Target.Blacklisted {
			return steps, ReasonBlacklisted
		}
		steps, end = append(steps, step), ReasonGranted
	}
	return steps, end
}
