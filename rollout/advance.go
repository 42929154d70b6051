package rollout

import (
	"fmt"
	"time"

	"github.com/coreroller/coreroller/rollout/phrase"
)

// Advance opens the waves that may open and completes the rollout. Every step
// that can cause either calls it; the caller must also call it at NextChange, or
// every few seconds.
func (w *World) Advance(now time.Time, fx *Effects) {
	w.advanceWaves(now, fx)
	w.complete(now, fx)
}

// complete ends the rollout when every active machine runs the target or a higher
// version, even if none of them needed a grant. A machine with another build of the
// target runs neither. It happens once: machines that join later are updated under
// the same policy, and the rollout stays completed.
func (w *World) complete(now time.Time, fx *Effects) {
	r := &w.Rollout
	if w.Target == nil || r.State != RolloutActive || w.Census.Behind != 0 || w.Census.OtherBuild != 0 || w.Census.OnTarget == 0 {
		return
	}
	r.State, r.EndedAt = RolloutCompleted, now
	fx.activity(ActivityRolloutFinished, SeveritySuccess, r.Version, "",
		fmt.Sprintf("the rollout of %s finished: %s at this version or higher", r.Version, phrase.Count(w.Census.OnTarget, "active machine")))
}

// NextChange returns when Advance must be called again, because a soak ends
// then; zero when the passing of time alone changes nothing.
func (w *World) NextChange(now time.Time) time.Time {
	cur := w.wave()
	if cur >= w.Policy.LastWave() || !w.runs() {
		return time.Time{}
	}
	if w.wavesDue(now) {
		return now
	}
	wave := &w.policy().Waves[cur]
	if w.Rollout.GateAt.IsZero() || wave.Approval && !w.Rollout.Approved {
		return time.Time{}
	}
	return w.Rollout.GateAt.Add(wave.Soak)
}
