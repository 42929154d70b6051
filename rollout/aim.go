package rollout

import "github.com/coreroller/coreroller/rollout/version"

// Aim is what the machines of a group are to run. It comes from the group's channel.
type Aim struct {
	Target *Package // nil: no channel, or a channel without package
	Floors []*Package
	// Recalled are blacklisted versions whose machines go to the target even if it is
	// lower: an ordered downgrade, the only one there is.
	Recalled []Version
}

// Goal returns the aim as versions.
func (a *Aim) Goal() version.Goal {
	if a.Target == nil {
		return version.Goal{}
	}
	return version.Goal{Target: a.Target.Version, Recalled: a.Recalled}
}

// next returns the package that a machine running v installs next: the lowest
// floor above v and below the target, else the target. It is nil when there is no
// target above v and v is not recalled.
func (a *Aim) next(v Version) *Package {
	if a.Target == nil || a.Goal().Place(v) != version.Behind {
		return nil
	}
	step := a.Target
	for _, f := range a.Floors {
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
func (a *Aim) Path(v Version) (steps []*Package, end Reason) {
	end = ReasonUpToDate
	if a.Target == nil {
		end = ReasonNoPackage
	}
	for step := a.next(v); step != nil; step = a.next(step.Version) {
		if step.Blacklisted || a.Target.Blacklisted {
			return steps, ReasonBlacklisted
		}
		steps, end = append(steps, step), ReasonGranted
	}
	return steps, end
}

// reached reports whether a machine that was offered a version runs it or a higher
// one. After an ordered downgrade it must not run the version that it was to leave,
// which is zero for other updates.
func reached(running, offered, leaves Version) bool {
	return !running.Less(offered) && (leaves.IsZero() || running.Compare(leaves) != 0)
}

// leaves returns the version that an ordered downgrade was to replace, zero for other
// updates.
func (r *Result) leaves() Version {
	if r.Version.Less(r.From) {
		return r.From
	}
	return Version{}
}
