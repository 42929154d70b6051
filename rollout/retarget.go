package rollout

import "time"

// Retarget points the group to another package: a new rollout begins and the
// one before, if any, is returned as it ended (completed ones stay completed,
// others are superseded). census counts the group's machines against the new
// target. id and salt are those of the new rollout.
//
// The same package again changes floors and flags only and returns a rollout
// without id. No target leaves the group without a rollout. A group whose
// updates are off gets a paused one. If every active machine runs the target
// already, which promoting an older package brings about, the rollout is
// completed at once: nothing is left to do, and whoever joins is served.
//
// Attempts under way keep the rollout they belong to: a machine that downloads
// the old version finishes, and its outcome is no evidence for the new one.
func (w *World) Retarget(target *Package, floors []*Package, id ID, salt string, census Census, now time.Time, fx *Effects) (old Rollout) {
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
		old.State = RolloutCompleted // it was, before it was paused or halted
	}
	w.Rollout, w.Census = Rollout{}, census
	if target == nil {
		return old
	}
	w.PackageMissingNoted = false
	w.Rollout = Rollout{
		ID: id, Package: target.ID, Version: target.Version, Salt: salt,
		CreatedAt: now, WaveAt: now,
	}
	if paused {
		w.Rollout.State = RolloutPaused
	}
	w.Advance(now, fx)
	return old
}
