package rollout

import "time"

// Retarget points the group to another package: a new rollout with this id and
// salt begins, and the previous one, if any, is returned with its final state
// (completed rollouts stay completed, others are superseded). census counts the
// group's machines against the new target. known says that an active machine was
// known before KnownBefore; without one, all machines count.
//
// If the package is unchanged, only floors and flags change, and the returned
// rollout has no id. A nil target leaves the group without a rollout. If updates
// are off, the new rollout is paused. If every active machine already runs the
// target, for example after promoting an older package, the rollout completes at
// once.
//
// Open attempts stay with their rollout: a machine that is downloading the old
// version finishes, and its outcome does not count for the new rollout.
func (w *World) Retarget(target *Package, floors []*Package, id ID, salt string, census Census, known bool, now time.Time, fx *Effects) (old Rollout) {
	old = w.Rollout
	w.Target, w.Floors = target, floors
	if target != nil && old.ID != (ID{}) && old.Package == target.ID && old.Version == target.Version {
		w.Advance(now, fx)
		return Rollout{}
	}
	paused := w.paused()
	switch {
	case old.ID == (ID{}):
	case old.EndedAt.IsZero():
		old.State, old.EndedAt = RolloutSuperseded, now
	default:
		old.State = RolloutCompleted // it had completed before it was paused or halted
	}
	w.Rollout, w.Census = Rollout{}, census
	if target == nil {
		return old
	}
	w.PackageMissingNoted = false
	w.Rollout = Rollout{
		ID: id, Package: target.ID, Version: target.Version, Salt: salt,
		CreatedAt: now, WaveAt: now, ProgressAt: now,
	}
	if known && w.policy().EvidenceAge > 0 {
		w.Rollout.Newcomers = Newcomers{Since: w.policy().KnownBefore(now), Wait: true}
	}
	if paused {
		w.Rollout.State = RolloutPaused
	}
	w.Advance(now, fx)
	return old
}
