package rollout

import (
	"fmt"
	"strings"
	"time"
)

// waveSide is where a machine is to the current wave; see DecideNext.
type waveSide int8

const (
	sideOwn    waveSide = iota // that of the machine's own bucket
	sideInside                 // some machine that the wave reaches
	sideNext                   // the first machine that the wave does not reach
)

// Settled is the world as the next check will find it at now: with the waves
// opened that are due.
func (w *World) Settled(now time.Time) *World {
	world, _ := settled(w, &Machine{}, now)
	return world
}

// DecideNext is what the next machine that runs v would be answered: some
// machine without override, failures and open grant. Reached says whether the
// open waves hold it; if not it is the first that they do not hold. The world
// is a Settled one and stays as it is.
func DecideNext(w *World, v Version, reached bool, now time.Time) Decision {
	l := ladder{w: w, m: &Machine{Version: v}, now: now, step: w.next(v), side: sideNext}
	if reached {
		l.side = sideInside
	}
	l.climb()
	return l.d
}

// WavesHold reports whether there are machines that the waves opened so far do
// not reach.
func (w *World) WavesHold() bool {
	return w.Policy.lastWave() >= 0 && w.Policy.policy.Waves[w.wave()].Share < 1
}

// Reaches reports whether the waves opened so far hold a machine.
func (w *World) Reaches(machine string) bool {
	return !w.WavesHold() || w.Policy.reaches(w.wave(), machine, Bucket(w.Rollout.Salt, machine))
}

// nextReached is the bucket of the first machine that the current wave does
// not reach, or its name, when the next wave only adds machines by name.
func (s *Schedule) nextReached(cur int) (machine string, bucket float64) {
	bucket = s.policy.Waves[cur].Share
	if cur == s.lastWave() || s.policy.Waves[cur+1].Share > bucket {
		return "", bucket
	}
	for _, id := range s.policy.Waves[cur+1].Canaries {
		if s.canaries[id] == cur+1 {
			return id, bucket
		}
	}
	return "", bucket
}

// Wait is a decision about the next machine as words about its group.
func (w *World) Wait(d Decision) string {
	switch d.Reason {
	case ReasonWaveNotReached:
		return w.waitForWave()
	case ReasonSoaking:
		words := fmt.Sprintf("wave %d of %d soaks until %s", d.Wave+1, w.Policy.lastWave()+1, moment(d.Until))
		if w.Policy.policy.Waves[d.Wave].Approval && !w.Rollout.Approved {
			return words + ", then a person has to open the next one"
		}
		return words + ", then the next one opens"
	case ReasonHalted:
		return "the rollout is halted: " + w.Rollout.Halt.words()
	case ReasonBlacklisted:
		return "a package on the way to " + w.Target.Version.String() + " is blacklisted for the channel"
	}
	return d.Detail()
}

// waitForWave is what keeps the next wave closed while its gate does not hold.
func (w *World) waitForWave() string {
	cur, last := w.wave(), w.Policy.lastWave()
	wave := &w.Policy.policy.Waves[cur]
	words := fmt.Sprintf("wave %d of %d reaches %s", cur+1, last+1, wave.describe())
	if cur == last {
		return words + " and is the last: nobody else is updated"
	}
	if !w.Rollout.GateAt.IsZero() { // nothing is left to wait for but a wave that does not reach further
		return words + ", and the next one nobody else"
	}
	finished := w.Rollout.WaveCounts.Finished() - w.Rollout.SetAside
	var missing []string
	if need := w.mustFinish(wave); finished < need {
		missing = append(missing, fmt.Sprintf("%d of %s finished", finished, count(need, "update")))
	}
	if s := wave.MinSuccessShare; s > 0 && finished > 0 && w.successShare(finished) < s {
		missing = append(missing, fmt.Sprintf("%s of them went well, %s must", percent(w.successShare(finished)), percent(s)))
	}
	if len(missing) == 0 {
		return words
	}
	return words + "; its gate waits: " + strings.Join(missing, ", ")
}
