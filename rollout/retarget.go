package rollout

import (
	"slices"
	"time"
)

// Retarget gives the group another aim. With another package, or when further versions
// are recalled, a new rollout with this id and salt begins, and the previous one, if any,
// is returned with its final state (completed rollouts stay completed, others are
// superseded). census counts the group's machines against the new aim. known says that
// an active machine was known before KnownBefore; without one, all machines count.
//
// Otherwise only floors, flags and recalled versions change, and the returned rollout
// has no id. Without a target the group has no rollout. If updates are off, the new
// rollout is paused. If every active machine already runs the target, for example after
// promoting an older package, the rollout completes at once.
//
// Open attempts stay with their rollout: a machine that is downloading the old
// version finishes, and its outcome does not count for the new rollout.
func (w *World) Retarget(aim Aim, id ID, salt string, census Census, known bool, now time.Time, fx *Effects) (old Rollout) {
	old = w.Rollout
	w.Aim, w.Census = aim, census
	target := aim.Target
	if target != nil && old.ID != (ID{}) && old.Package == target.ID && old.Version == target.Version && contains(old.Recalled, aim.Recalled) {
		w.Rollout.Recalled = aim.Recalled
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
	w.Rollout = Rollout{}
	if target == nil {
		return old
	}
	w.PackageMissingNoted = false
	w.Rollout = Rollout{
		ID: id, Package: target.ID, Version: target.Version, Recalled: aim.Recalled, Salt: salt,
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

// contains reports whether all contains every one of some versions.
func contains(all, some []Version) bool {
	return !slices.ContainsFunc(some, func(v Version) bool { return !slices.Contains(all, v) })
}
