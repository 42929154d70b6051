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

// Path is what a machine that runs v is offered, one after the other, as long
// as nothing but time and other machines is in its way. It ends with
// ReasonGranted at the target, else with what keeps the machine from the next
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
