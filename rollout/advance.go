package rollout

import (
	"fmt"
	"time"
)

// Advance opens the waves that may open and notices that the rollout is
// complete. Every verb that can matter calls it; whoever keeps time calls it
// at NextChange, or every few seconds.
func (w *World) Advance(now time.Time, fx *Effects) {
	w.advanceWaves(now, fx)
	w.complete(now, fx)
}

// complete ends the rollout when every active machine runs the target or a
// higher version, also if none of them needed a grant. It happens once: late
// joiners are served under the same policy, and the rollout stays completed.
func (w *World) complete(now time.Time, fx *Effects) {
	r := &w.Rollout
	if w.Target == nil || r.State != RolloutActive || w.Census.Behind != 0 || w.Census.OnTarget == 0 {
		return
	}
	r.State, r.EndedAt = RolloutCompleted, now
	fx.activity(ActivityRolloutFinished, SeveritySuccess, r.Version, "",
		fmt.Sprintf("the rollout of %s finished: %s on it or above", r.Version, count(w.Census.OnTarget, "active machine")))
}

// NextChange is when Advance has to be called again at the latest, because a
// soak ends then; zero when nothing is due by time alone.
func (w *World) NextChange(now time.Time) time.Time {
	cur := w.wave()
	if cur >= w.Policy.lastWave() || !w.runs() {
		return time.Time{}
	}
	if w.wavesDue(now) {
		return now
	}
	wave := &w.Policy.policy.Waves[cur]
	if w.Rollout.GateAt.IsZero() || wave.Approval && !w.Rollout.Approved {
		return time.Time{}
	}
	return w.Rollout.GateAt.Add(wave.Soak)
}
