package rollout

import (
	"fmt"
	"time"
)

// stalledPolls is how many polls may pass without progress before a rollout counts
// as stalled.
const stalledPolls = 2

// Stall says that a rollout waits although nothing that ends by itself, and no
// person who was named, explains it.
type Stall struct {
	Since  time.Time // last progress; zero: not stalled
	Cause  string
	Action string // what helps
}

// moved records progress: a grant, a step of an update, a result, an opened wave.
func (w *World) moved(now time.Time) { w.Rollout.ProgressAt, w.Rollout.Stall = now, Stall{} }

// NoteStall records whether the rollout is stalled, with one activity when it
// begins. The worker calls it.
func (w *World) NoteStall(now time.Time, fx *Effects) {
	r := &w.Rollout
	is := w.stall(now)
	if r.Stall.Since.IsZero() && !is.Since.IsZero() {
		fx.activity(ActivityRolloutStalled, SeverityWarning, r.Version, "", "the rollout stalled: "+is.Cause)
	}
	r.Stall = is
}

// stall returns why the rollout is stalled, the zero value if it is not. Updates in
// flight end with their lease; windows, periods and soaks end by themselves; a pause,
// a halt and an approval wait for a person and say so. If only machines with another
// build of the target are left, no time ends that.
func (w *World) stall(now time.Time) Stall {
	r, p := &w.Rollout, w.policy()
	if w.Target == nil || r.State != RolloutActive || w.Ledger.InFlight > 0 || w.Census.Behind+w.Census.OtherBuild == 0 {
		return Stall{}
	}
	since := r.ProgressAt
	if since.Before(r.WaveAt) {
		since = r.WaveAt
	}
	if w.Census.Behind == 0 {
		return Stall{Since: since, Cause: otherBuilds(w.Census.OtherBuild, w.Target.Version), Action: "promote a package with a higher version"}
	}
	quiet := max(stalledPolls*p.LongestPoll(), p.UpdateTimeout)
	begin := now.Add(-quiet)
	if begin.Before(since) {
		return Stall{}
	}
	if open, _, _ := w.Policy.Calendar().Opening(begin); !open {
		return Stall{}
	}
	d := DecideNext(w, Version{}, true, now)
	if d.Reason == ReasonGranted && w.WavesHold() {
		d = DecideNext(w, Version{}, false, now)
	}
	s := Stall{Since: since, Cause: w.Wait(d)}
	switch d.Reason {
	case ReasonWaveNotReached:
		s.Action = "open the next wave, or name canaries that can update"
	case ReasonNewcomerWaits:
		s.Action = "look at their failures, then resume the rollout"
	case ReasonBlacklisted:
		s.Action = "promote another package, or remove the package from the blacklist"
	case ReasonGranted:
		s.Cause = "the next check would be granted, but no waiting machine has begun an update"
		s.Action = "explain one of the waiting machines; if they poll less often, set the policy's poll interval"
	default:
		return Stall{}
	}
	return s
}

func otherBuilds(machines int, target Version) string {
	run, them := "machines run", "them"
	if machines == 1 {
		run, them = "machine runs", "it"
	}
	return fmt.Sprintf("%d %s another build of %s, which is never offered to %s: build metadata does not order versions", machines, run, target, them)
}
