package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/coreroller/coreroller/rollout/version"
)

// NewcomerWave is the wave of attempts of newcomers, which count apart.
const NewcomerWave = -1

// Newcomers are the machines that were not known long enough before the rollout
// began: such ids can be made up. Known machines go first, and only their results
// count in safe mode, gates and halts.
type Newcomers struct {
	Since time.Time // machines first seen later are newcomers; zero: all machines are known
	Wait  bool      // a known machine is below the target, so newcomers wait

	CountedAt time.Time // see NoteKnown
	Evidence  Counts    // their attempts in this epoch
	Proofs    int       // see Rollout
	Leader    string    // see Rollout
}

// newcomer reports whether the machine's results count apart. A machine that the
// policy names is known.
func (w *World) newcomer(m *Machine) bool { return w.arrived(m.ID, m.KnownSince()) }

// KnownSince returns when the machine was first seen, zero for an enrolled machine.
func (m *Machine) KnownSince() time.Time {
	if m.Enrolled {
		return time.Time{}
	}
	return m.FirstSeenAt
}

func (w *World) arrived(machine string, known time.Time) bool {
	since := w.Rollout.Newcomers.Since
	if since.IsZero() || !known.After(since) {
		return false
	}
	_, named := w.Policy.FirstWave(machine)
	return !named
}

// knownDone reports whether only newcomers are left to update.
func (w *World) knownDone() bool {
	n := &w.Rollout.Newcomers
	return !n.Since.IsZero() && !n.Wait
}

// noteBehind lets newcomers wait for a known machine, see NoteKnown.
func (w *World) noteBehind(m *Machine) {
	if n := &w.Rollout.Newcomers; !n.Wait && !n.Since.IsZero() {
		n.Wait = w.place(m) == version.Behind && !m.Attempt.RebootOverdue && !w.newcomer(m) && !slices.Contains(w.NeverUpdates(), m.Reason)
	}
}

// KnownDue reports whether NoteKnown should be called.
func (w *World) KnownDue(now time.Time) bool {
	n := &w.Rollout.Newcomers
	return n.Wait && w.runs() && w.Census.Behind > 0 && !now.Before(n.CountedAt.Add(rosterEvery))
}

// NeverUpdates returns the reasons of machines that no passing of time lets update:
// newcomers do not wait for them, nor for one that never asked.
func (w *World) NeverUpdates() []Reason {
	reasons := []Reason{ReasonNone, ReasonOutsideClientPrefix, ReasonDisabledByClient, ReasonNotEnrolled}
	if w.WavesHold() && w.wave() == w.Policy.LastWave() {
		reasons = append(reasons, ReasonWaveNotReached)
	}
	return reasons
}

// NoteKnown records whether an active machine waits for the target or is on its way
// there: a known one, with its slot, and none of NeverUpdates.
func (w *World) NoteKnown(waits bool, now time.Time, fx *Effects) {
	n := &w.Rollout.Newcomers
	n.Wait, n.CountedAt = waits, now
	w.Advance(now, fx)
}

// Failing reports whether the newcomers' own results stop them, under the rules
// that halt a rollout of known machines. proofs are those of the rollout.
func (n *Newcomers) Failing(p *Policy, proofs int) bool {
	e := &n.Evidence
	return e.Failed > 0 && (p.SafeMode && proofs+n.Proofs == 0 || tooManyFailed(p, e))
}

// tooManyFailed reports whether the share of failed attempts halts.
func tooManyFailed(p *Policy, e *Counts) bool {
	return p.HaltFailureShare > 0 && e.Failed > 0 && e.Finished() >= p.HaltMinAttempts &&
		float64(e.Failed)/float64(e.Finished()) >= p.HaltFailureShare
}

// newcomerWaits lets known machines go first. A newcomer waits at most until it has
// been seen for as long as a known machine.
func (e *evaluation) newcomerWaits() bool {
	if !e.w.newcomer(e.m) {
		return false
	}
	n, p := &e.w.Rollout.Newcomers, e.w.policy()
	switch end := e.m.FirstSeenAt.Add(p.EvidenceAge); {
	case n.Failing(p, e.w.Rollout.Proofs):
		e.d = Decision{Reason: ReasonNewcomerWaits, Failed: n.Evidence.Failed, Finish: n.Evidence.Finished()}
	case n.Wait && e.w.Census.Behind > 0 && e.now.Before(end):
		e.d = Decision{Reason: ReasonNewcomerWaits, Until: end}
	default:
		return false
	}
	return true
}

func (e *evaluation) newcomerText() string {
	switch since := e.w.Rollout.Newcomers.Since; {
	case since.IsZero():
		return "no machine was known before the rollout began, so all count"
	case e.m.Enrolled:
		return "enrolled"
	case !e.w.newcomer(e.m):
		return "known before the rollout began"
	default:
		return fmt.Sprintf("first seen at %s, not before %s: it counts apart", moment(e.m.FirstSeenAt), moment(since))
	}
}
