package rollout

import (
	"fmt"
	"strings"
	"time"

	"github.com/coreroller/coreroller/rollout/phrase"
)

// waveSide says how a machine relates to the current wave; see DecideNext.
type waveSide int8

const (
	sideOwn    waveSide = iota // decided by the bucket of the machine
	sideInside                 // any machine inside the wave
	sideNext                   // the first machine outside the wave
)

// Settled returns the world as a check at this time finds it, with all due waves
// opened.
func (w *World) Settled(now time.Time) *World {
	world, _ := settled(w, &Machine{}, Check{}, now)
	return world
}

// DecideNext returns the decision for a typical machine that runs v: one without
// override, failures and open grant, known if a known machine waits. reached says whether it is inside the open
// waves; if not, it is the first machine outside. w must come from Settled and is
// not changed.
func DecideNext(w *World, v Version, reached bool, now time.Time) Decision {
	e := evaluation{w: w, m: &Machine{Version: v, Enrolled: w.policy().EnrolledOnly}, now: now, step: w.next(v), side: sideNext}
	if w.knownDone() {
		e.m.FirstSeenAt = now
	}
	if reached {
		e.side = sideInside
	}
	e.run()
	return e.d
}

// WavesHold reports whether some machines are outside the waves opened so far.
func (w *World) WavesHold() bool {
	return w.Policy.LastWave() >= 0 && w.policy().Waves[w.wave()].Share < 1
}

// Reaches reports whether a machine with this id and SelectedWave is inside the waves
// opened so far.
func (w *World) Reaches(machine string, selected int) bool {
	return !w.WavesHold() || w.reaches(w.wave(), machine, selected, Bucket(w.Rollout.Salt, machine))
}

// nextReached returns the bucket of the first machine outside the current wave, with its
// SelectedWave or its id if the next wave only adds machines by expression or canaries.
func (w *World) nextReached(cur int) (machine string, selected int, bucket float64) {
	s := w.Policy
	bucket = s.Policy().Waves[cur].Share
	if cur == s.LastWave() || s.Policy().Waves[cur+1].Share > bucket {
		return "", 0, bucket
	}
	if next := cur + 2; s.Selects(next) {
		return "", next, bucket
	}
	for _, id := range s.Policy().Waves[cur+1].Canaries {
		if first, _ := s.FirstWave(id); first == cur+1 {
			return id, 0, bucket
		}
	}
	return "", 0, bucket
}

// Wait describes, for operators, what the group waits for: the decision about
// its next machine.
func (w *World) Wait(d Decision) string {
	switch d.Reason {
	case ReasonWaveNotReached:
		return w.waitForWave()
	case ReasonHalted:
		return w.Rollout.Halt.Since(w.Rollout.Failing).Sentence()
	case ReasonOutsideClientPrefix:
		return "the machines that are left do not accept the next version"
	case ReasonDisabledByClient:
		return "updates are disabled on the machines that are left"
	case ReasonNotEnrolled:
		return "the machines that are left are not enrolled"
	}
	return d.Detail()
}

// waitForWave describes what keeps the next wave closed.
func (w *World) waitForWave() string {
	cur, last := w.wave(), w.Policy.LastWave()
	wave := &w.policy().Waves[cur]
	text := fmt.Sprintf("wave %d of %d reaches %s", cur+1, last+1, wave.Describe())
	if cur == last {
		return text + " and is the last; other machines are not updated"
	}
	if !w.Rollout.GateAt.IsZero() { // the gate holds, but the next wave does not reach further
		return text + ", and the next wave adds no machines"
	}
	finished := w.Rollout.WaveCounts.Finished() - w.Rollout.SetAside
	var missing []string
	if need := w.mustFinish(wave); finished < need {
		missing = append(missing, fmt.Sprintf("%d of %s finished", finished, phrase.Count(need, "update")))
	}
	if s := wave.MinSuccessShare; finished > 0 && w.successShare(finished) < s {
		missing = append(missing, fmt.Sprintf("%s of them succeeded, %s is required", phrase.Percent(w.successShare(finished)), phrase.Percent(s)))
	}
	if len(missing) == 0 {
		return text
	}
	return text + "; its gate waits: " + strings.Join(missing, ", ")
}
