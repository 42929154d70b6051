package rollout

import (
	"fmt"
	"time"
)

// PauseUpdates pauses the rollout; the caller also stores the policy with
// UpdatesEnabled off. Grants that were not started are withdrawn at the next
// check of the machine or when their lease expires; machines that are downloading
// finish. A halted rollout stays halted, so that its reason is kept.
func (w *World) PauseUpdates(p Pause, fx *Effects) {
	w.Pause = p
	if s := w.Rollout.State; w.Target != nil && (s == RolloutActive || s == RolloutCompleted) {
		w.Rollout.State = RolloutPaused
	}
	fx.activity(ActivityPaused, SeverityInfo, w.Rollout.Version, "", "updates were paused"+attribution(p.By, p.Reason))
}

// ResumeUpdates ends a pause and a halt. It starts a new epoch: earlier failures
// can neither halt the rollout again nor keep a gate closed, and the current soak
// restarts. The caller stores the policy with UpdatesEnabled on.
func (w *World) ResumeUpdates(by, reason string, now time.Time, fx *Effects) {
	w.Pause = Pause{}
	if r := &w.Rollout; w.Target != nil {
		r.State = RolloutActive
		if !r.EndedAt.IsZero() {
			r.State = RolloutCompleted
		}
		r.Epoch++
		w.moved(now)
		r.Evidence, r.Failing, r.FailureKinds, r.Leader = Counts{}, nil, nil, ""
		r.Newcomers.Evidence, r.Newcomers.Leader = Counts{}, ""
		r.SetAside, r.GateAt = r.WaveCounts.Failed, time.Time{}
	}
	fx.activity(ActivityResumed, SeverityInfo, w.Rollout.Version, "", "updates were resumed"+attribution(by, reason))
	w.Advance(now, fx)
}

// HaltRollout halts the current rollout on behalf of a person. It does nothing if
// there is no rollout or it is halted already.
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

// NextWave opens the next wave at once, without waiting for gate and soak. It
// returns false if there is no next wave. While the group is paused or halted the
// wave opens, but nothing is granted.
func (w *World) NextWave(by, reason string, now time.Time, fx *Effects) bool {
	if w.Target == nil || w.wave() >= w.Policy.LastWave() {
		return false
	}
	w.openNextWave(", opened"+attribution(by, reason), now, fx)
	w.Advance(now, fx)
	return true
}

// ApproveWave approves opening the next wave, which happens as soon as gate and
// soak permit. It returns false if the wave requires no approval or has it already.
func (w *World) ApproveWave(now time.Time, fx *Effects) bool {
	cur := w.wave()
	if w.Target == nil || cur >= w.Policy.LastWave() || !w.policy().Waves[cur].Approval || w.Rollout.Approved {
		return false
	}
	w.Rollout.Approved = true
	w.Advance(now, fx)
	return true
}

// Hold sets an override on a machine. A grant that it has not started is
// withdrawn at its next check.
func (w *World) Hold(m *Machine, o Override, now time.Time, fx *Effects) {
	w.overrule(m, o, now)
	text := "held"
	if o.Kind == OverridePin {
		text = fmt.Sprintf("pinned to %s", o.Version)
	}
	fx.entry(m, m.Version, 0, text+attribution(o.By, o.Reason)+until(o.Until))
	w.Advance(now, fx)
}

// Release removes the override of a machine, its quarantine and its count of
// failures.
func (w *World) Release(m *Machine, by string, now time.Time, fx *Effects) {
	m.FailedVersion, m.Failures, m.QuarantinedVersion = Version{}, 0, Version{}
	m.InterruptedVersion, m.Interruptions = Version{}, 0
	w.overrule(m, Override{}, now)
	fx.entry(m, m.Version, 0, "released"+attribution(by, ""))
	w.Advance(now, fx)
}

// Enroll lets the machine's results count, however new it is.
func (w *World) Enroll(m *Machine, by, because string, fx *Effects) {
	m.Enrolled = true
	w.noteBehind(m)
	fx.entry(m, m.Version, 0, "enrolled"+attribution(by, because))
}

// overrule sets the override and updates the standing. A silent machine stays
// silent until it is seen.
func (w *World) overrule(m *Machine, o Override, now time.Time) {
	before, silent := w.place(m), m.Standing == StandingSilent
	m.Override = o
	w.refresh(m, now)
	if silent {
		m.Standing = StandingSilent
	}
	w.recount(before, m)
}
