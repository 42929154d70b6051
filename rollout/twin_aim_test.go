package rollout

import (
	"fmt"
	"slices"
	"time"
)

// behind reports whether machines that run a version are to go to the target.
func (t *twin) behind(running int) bool {
	return running < t.target || running > t.target && t.target > 0 && slices.Contains(t.recalled, running)
}

// runs reports whether a version ends an attempt well.
func (a *twinAttempt) runs(running int) bool {
	return running >= a.version && (a.leaves == 0 || running != a.leaves)
}

// sameRollout reports whether a new aim changes the rollout that is under way.
func (t *twin) sameRollout(target int, recalled []int) bool {
	for _, v := range recalled {
		if !slices.Contains(t.recalled, v) {
			return false
		}
	}
	return target > 0 && target == t.target
}

func (t *twin) retarget(target int, floors, recalled []int) {
	same := t.sameRollout(target, recalled)
	less := !slices.Equal(recalled, t.recalled)
	t.target, t.floors, t.recalled = target, floors, recalled
	if same {
		for _, m := range t.machines {
			m.parked = m.parked && (!less || m.silent || m.held)
		}
		t.settle()
		return
	}
	t.rollout++
	t.since = time.Time{}
	for _, m := range t.machines {
		m.parked = m.parked && (m.silent || m.held) // the new version gives it another chance
		if age := t.policy.EvidenceAge; t.active(m) && age > 0 && (m.enrolled || t.now.Sub(m.first) >= age) {
			t.since = t.now.Add(-age)
		}
	}
	t.waits = !t.since.IsZero()
	t.salt = fmt.Sprint("salt-", t.rollout)
	t.epoch, t.wave, t.gateSince = 0, 0, time.Time{}
	t.halted, t.completed = false, false
	t.settle()
}
