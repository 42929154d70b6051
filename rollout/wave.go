package rollout

import (
	"fmt"
	"slices"
	"time"
)

// wave returns the index of the current wave. If a policy change left fewer waves
// than the rollout already reached, it is the last one.
func (w *World) wave() int { return max(0, min(w.Rollout.Wave, w.Policy.LastWave())) }

// reaches reports whether a wave contains the machine with this id, SelectedWave and
// bucket.
func (w *World) reaches(wave int, machine string, selected int, bucket float64) bool {
	s := w.Policy
	if bucket < s.Policy().Waves[wave].Share || selected <= wave+1 && s.Selects(selected) {
		return true
	}
	first, ok := s.FirstWave(machine)
	return ok && first <= wave || slices.Contains(w.Rollout.Roster.Elected, machine)
}

// ownWave returns the first wave from one on that contains the machine, -1 for none.
func (w *World) ownWave(from int, machine string, selected int, bucket float64) int {
	for wave := from; wave <= w.Policy.LastWave(); wave++ {
		if w.reaches(wave, machine, selected, bucket) {
			return wave
		}
	}
	return -1
}

func (e *evaluation) waveHolds() bool {
	s, r, cur := e.w.Policy, &e.w.Rollout, e.w.wave()
	// Checked before hashing, which dominates the cost of a decision.
	if s.LastWave() < 0 || s.Policy().Waves[cur].Share >= 1 || e.skipsPacing() {
		return false
	}
	machine, selected, bucket := e.m.ID, e.m.SelectedWave, 0.0
	switch e.side {
	case sideInside:
		return false
	case sideNext:
		machine, selected, bucket = e.w.nextReached(cur)
	case sideOwn:
		bucket = Bucket(r.Salt, machine)
		if e.w.reaches(cur, machine, selected, bucket) {
			return false
		}
	}
	wave := s.Policy().Waves[cur]
	e.d = Decision{Reason: ReasonWaveNotReached, Bucket: bucket, Share: wave.Share, Wave: cur, Waves: s.LastWave() + 1, Own: e.w.ownWave(cur+1, machine, selected, bucket)}
	if r.GateAt.IsZero() || e.d.Own != cur+1 {
		return true // the soak time of a wave concerns only the machines of the next one
	}
	if end := r.GateAt.Add(wave.Soak); e.now.Before(end) {
		e.d.Reason, e.d.Until, e.d.Approval = ReasonSoaking, end, wave.Approval && !r.Approved
	} else if wave.Approval && !r.Approved {
		e.d.Reason = ReasonWaitingForApproval
	}
	return true
}

// gateHolds reports whether enough attempts of the current wave finished and
// enough of them succeeded. Failures from before a resume do not count.
func (w *World) gateHolds(wave *Wave) bool {
	finished := w.Rollout.WaveCounts.Finished() - w.Rollout.SetAside
	if finished < w.mustFinish(wave) {
		return false
	}
	return finished <= 0 || w.successShare(finished) >= wave.MinSuccessShare
}

// mustFinish returns how many finished attempts the gate of the current wave
// requires: not more than it has machines.
func (w *World) mustFinish(wave *Wave) int {
	need := wave.MinFinished
	if need == 0 && wave.Share == 0 {
		need = len(wave.Canaries) // only canaries: all of them must finish
	}
	if n, ok := w.eligible(); ok {
		return min(need, n)
	}
	if w.knownDone() {
		return min(need, w.Rollout.WaveCounts.Finished()-w.Rollout.SetAside)
	}
	return need
}

// successShare returns the share of the finished attempts of the current wave
// that succeeded, 0 to 1.
func (w *World) successShare(finished int) float64 {
	return float64(w.Rollout.WaveCounts.Succeeded) / float64(finished)
}

// runs reports whether waves can open. They also open after completion, for
// machines that join later.
func (w *World) runs() bool {
	return w.Target != nil && (w.Rollout.State == RolloutActive || w.Rollout.State == RolloutCompleted)
}

// wavesDue reports whether advanceWaves would change anything.
func (w *World) wavesDue(now time.Time) bool {
	cur := w.wave()
	if cur >= w.Policy.LastWave() || !w.runs() {
		return false
	}
	wave := &w.policy().Waves[cur]
	if w.gateHolds(wave) == w.Rollout.GateAt.IsZero() {
		return true
	}
	return !w.Rollout.GateAt.IsZero() && w.mayLeave(wave, now)
}

// mayLeave reports whether the next wave opens, given that the gate holds.
func (w *World) mayLeave(wave *Wave, now time.Time) bool {
	return !now.Before(w.Rollout.GateAt.Add(wave.Soak)) && (!wave.Approval || w.Rollout.Approved)
}

// advanceWaves records since when the gate of the current wave holds, and opens
// every wave that may open.
func (w *World) advanceWaves(now time.Time, fx *Effects) {
	for w.wavesDue(now) {
		r, wave := &w.Rollout, &w.policy().Waves[w.wave()]
		switch {
		case !w.gateHolds(wave):
			r.GateAt = time.Time{}
		case r.GateAt.IsZero():
			r.GateAt = now
		default:
			detail := ""
			if n, ok := w.eligible(); ok && n == 0 {
				detail = fmt.Sprintf("; wave %d had no machine that could update", w.wave()+1)
			}
			w.openNextWave(detail, now, fx)
		}
	}
}

// openNextWave opens the next wave and resets the counters of the current wave.
func (w *World) openNextWave(detail string, now time.Time, fx *Effects) {
	r := &w.Rollout
	w.moved(now)
	r.Wave = w.wave() + 1
	r.WaveAt, r.GateAt, r.Approved, r.WaveCounts, r.SetAside = now, time.Time{}, false, Counts{}, 0
	text := fmt.Sprintf("wave %d of %d: %s", r.Wave+1, w.Policy.LastWave()+1, w.policy().Waves[r.Wave].Describe())
	fx.activity(ActivityWaveAdvanced, SeverityInfo, r.Version, "", text+detail)
}
