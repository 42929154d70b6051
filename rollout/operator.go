package rollout

import (
	"fmt"
	"time"
)

// PauseUpdates notes who switched updates off; the caller also stores the
// policy with UpdatesEnabled off. Grants not begun are withdrawn when their
// machine asks again or their lease ends; machines already downloading finish.
// A halted rollout stays halted, so that no resume forgets why.
func (w *World) PauseUpdates(p Pause, fx *Effects) {
	w.Pause = p
	if s := w.Rollout.State; w.Target != nil && (s == RolloutActive || s == RolloutCompleted) {
		w.Rollout.State = RolloutPaused
	}
	fx.activity(ActivityPaused, SeverityInfo, w.Rollout.Version, "", "updates were paused"+byWhom(p.By, p.Reason))
}

// ResumeUpdates ends a pause and a halt. It starts a new evidence window: what
// failed or fell silent before can neither halt the rollout again nor keep a
// gate shut, and a soak begins anew. The caller stores the policy with
// UpdatesEnabled on.
func (w *World) ResumeUpdates(by, reason string, now time.Time, fx *Effects) {
	w.Pause = Pause{}
	if r := &w.Rollout; w.Target != nil {
		r.State = RolloutActive
		if !r.EndedAt.IsZero() {
			r.State = RolloutCompleted
		}
		r.Epoch++
		r.Evidence, r.Failing, r.Leader = Counts{}, nil, ""
		r.SetAside, r.GateAt = r.WaveCounts.Failed, time.Time{}
	}
	fx.activity(ActivityResumed, SeverityInfo, w.Rollout.Version, "", "updates were resumed"+byWhom(by, reason))
	w.Advance(now, fx)
}

// HaltRollout stops the current rollout on a person's word. It does nothing
// when there is none or it is halted already.
func (w *World) HaltRollout(by, reason string, now time.Time, fx *Effects) {
	r := &w.Rollout
	if w.Target == nil || r.State == RolloutHalted {
		return
	}
	h := Halt{
		Rule: HaltByPerson, At: now, By: by, Reason: reason,
		Failed: r.Evidence.Failed, Finished: r.Evidence.Finished(), Machines: r.Failing,
	}
	w.halt(h, SeverityWarning, fx)
}

// NextWave opens the next wave at once, whatever the gate and the soak say. It
// reports false when there is no next wave. While the group is paused or
// halted the wave is opened but nothing is granted.
func (w *World) NextWave(by, reason string, now time.Time, fx *Effects) bool {
	if w.Target == nil || w.wave() >= w.Policy.lastWave() {
		return false
	}
	w.openNextWave(", opened"+byWhom(by, reason), now, fx)
	w.Advance(now, fx)
	return true
}

// ApproveWave gives a person's word for leaving the current wave, which then
// happens as soon as gate and soak allow. It reports false when the wave waits
// for no word.
func (w *World) ApproveWave(now time.Time, fx *Effects) bool {
	cur := w.wave()
	if w.Target == nil || cur >= w.Policy.lastWave() || !w.Policy.policy.Waves[cur].Approval || w.Rollout.Approved {
		return false
	}
	w.Rollout.Approved = true
	w.Advance(now, fx)
	return true
}

// Hold puts an override on a machine. A grant it has not begun is withdrawn
// when it asks again.
func (w *World) Hold(m *Machine, o Override, now time.Time, fx *Effects) {
	w.overrule(m, o, now)
	words := "held"
	if o.Kind == OverridePin {
		words = fmt.Sprintf("pinned to %s", o.Version)
	}
	fx.entry(m, m.Version, 0, words+byWhom(o.By, o.Reason)+until(o.Until))
	w.Advance(now, fx)
}

// Release frees a machine from its override, its quarantine and its count of
// failures.
func (w *World) Release(m *Machine, by string, now time.Time, fx *Effects) {
	m.FailedVersion, m.Failures, m.QuarantinedVersion = Version{}, 0, Version{}
	w.overrule(m, Override{}, now)
	fx.entry(m, m.Version, 0, "released"+byWhom(by, ""))
	w.Advance(now, fx)
}

// overrule changes the override and what follows from it. A silent machine
// stays silent until it is seen.
func (w *World) overrule(m *Machine, o Override, now time.Time) {
	before, silent := w.place(m), m.Standing == StandingSilent
	m.Override = o
	w.refresh(m, now)
	if silent {
		m.Standing = StandingSilent
	}
	w.recount(before, m)
}
