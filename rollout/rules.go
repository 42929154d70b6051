package rollout

import (
	"time"

	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/rollout/version"
)

// evaluation applies the rules of an update check. Each rule is a method that
// returns true if it decides the check, with its decision in d. Rule 1 (identify
// the machine) belongs to the caller. The methods change only d.
type evaluation struct {
	w    *World
	m    *Machine
	c    Check
	now  time.Time
	step *Package // next package of the machine; nil: none above its version
	side waveSide // how the machine relates to the wave
	d    Decision
}

// Decide returns what Check would answer at the same time, without any effect.
func Decide(w *World, m *Machine, c Check, now time.Time) Decision {
	if w.unsettled(m, c, now) {
		return decideSettled(w, m, c, now)
	}
	e := evaluation{w: w, m: m, c: c, now: now, step: w.next(m.Version)}
	e.run()
	return e.d
}

// unsettled reports whether Check would first end the machine's attempt or open a
// wave.
func (w *World) unsettled(m *Machine, c Check, now time.Time) bool {
	return m.Attempt.Open() && (!now.Before(m.Attempt.LeaseUntil) || m.restarted(c)) || w.wavesDue(now)
}

// settled returns copies of world and machine after what Check does first.
func settled(w *World, m *Machine, c Check, now time.Time) (*World, *Machine) {
	world, machine := *w, *m // slices are never changed in place, see World
	var fx Effects
	world.Expire(&machine, now, &fx)
	world.restart(&machine, c, now, &fx)
	world.Advance(now, &fx)
	return &world, &machine
}

// decideSettled is separate so that the usual path of Decide does not allocate.
func decideSettled(w *World, m *Machine, c Check, now time.Time) Decision {
	w, m = settled(w, m, c, now)
	e := evaluation{w: w, m: m, c: c, now: now, step: w.next(m.Version)}
	e.run()
	return e.d
}

// run tries the rules in order until one decides.
func (e *evaluation) run() {
	_ = e.upToDate() ||
		e.outsidePrefix() ||
		e.disabled() ||
		e.quarantined() ||
		e.overridden() ||
		e.noPackage() ||
		e.blacklisted() ||
		e.inProgress() ||
		e.notEnrolled() ||
		e.stopped() ||
		e.closed() ||
		e.waveHolds() ||
		e.safeModeHolds() ||
		e.newcomerWaits() ||
		e.concurrencyHolds() ||
		e.periodHolds() ||
		e.granted()
}

func (e *evaluation) upToDate() bool {
	if e.w.Target == nil || e.step != nil {
		return false
	}
	e.d = Decision{Reason: ReasonUpToDate}
	switch e.w.Goal().Place(e.m.Version) {
	case version.OtherBuild:
		e.d.Build = e.w.Target
	case version.Above:
		e.d.Above = e.w.Target
	}
	return true
}

// outsidePrefix looks at the next step, because that is what would be offered: a
// floor within the prefix is offered although the target is not.
func (e *evaluation) outsidePrefix() bool {
	if e.step == nil || e.step.Version.HasPrefix(e.c.Prefix) {
		return false
	}
	e.d = Decision{Reason: ReasonOutsideClientPrefix, Prefix: e.c.Prefix, Next: e.step}
	return true
}

func (e *evaluation) disabled() bool {
	if !e.c.Disabled {
		return false
	}
	e.d = Decision{Reason: ReasonDisabledByClient}
	return true
}

func (e *evaluation) quarantined() bool {
	if e.step == nil || e.m.QuarantinedVersion.IsZero() || e.m.QuarantinedVersion.Compare(e.step.Version) != 0 {
		return false
	}
	e.d = Decision{Reason: ReasonQuarantined, Failed: e.m.Failures}
	return true
}

// inForce reports whether the override has not expired.
func (o *Override) inForce(now time.Time) bool {
	return o.Kind != OverrideNone && (o.Until.IsZero() || now.Before(o.Until))
}

func (e *evaluation) overridden() bool {
	o := &e.m.Override
	if !o.inForce(e.now) {
		return false
	}
	switch o.Kind {
	case OverrideHold:
		e.d = Decision{Reason: ReasonHeld}
	case OverridePin:
		if e.step == nil || !o.Version.Less(e.step.Version) {
			return false
		}
		e.d = Decision{Reason: ReasonPinned}
	default:
		return false
	}
	e.d.Until, e.d.By, e.d.Because = o.Until, o.By, o.Reason
	return true
}

func (e *evaluation) noPackage() bool {
	if e.w.Target != nil {
		return false
	}
	e.d = Decision{Reason: ReasonNoPackage}
	return true
}

func (e *evaluation) blacklisted() bool {
	if e.step == nil || !e.w.Target.Blacklisted && !e.step.Blacklisted {
		return false
	}
	e.d = Decision{Reason: ReasonBlacklisted, Next: e.step}
	if !e.step.Blacklisted {
		e.d.Next = e.w.Target
	}
	return true
}

// inProgress also decides when an open grant is offered again.
func (e *evaluation) inProgress() bool {
	a := &e.m.Attempt
	if !a.Open() {
		return false
	}
	if e.m.State != StateGranted {
		e.d = Decision{Reason: ReasonUpdateInProgress, Until: a.LeaseUntil, Since: a.InstalledAt}
		return true
	}
	if e.w.revoked(a) || e.w.shutsOut(e.m.Enrolled) || e.step == nil || a.Package != e.step.ID {
		return false
	}
	e.d = Decision{Reason: ReasonGranted, Offer: e.step, Leaves: a.Leaves, Again: true, Until: a.LeaseUntil, Wave: a.Wave}
	return true
}

// shutsOut reports whether the group updates only enrolled machines, and this one is not.
func (w *World) shutsOut(enrolled bool) bool { return w.policy().EnrolledOnly && !enrolled }

// notEnrolled comes after updates in progress, which end by themselves, and before the
// rules of the group, because none of them ever lets the machine update.
func (e *evaluation) notEnrolled() bool {
	if !e.w.shutsOut(e.m.Enrolled) {
		return false
	}
	e.d = Decision{Reason: ReasonNotEnrolled}
	return true
}

func (w *World) revoked(a *Attempt) bool { return w.Revoked(a.Rollout, a.Epoch) }

// Revoked reports whether the group was paused, halted or retargeted since a grant of a
// rollout in one of its epochs. A resume starts a new epoch, so a pause that ended counts
// as well.
func (w *World) Revoked(granted ID, epoch int) bool {
	return granted != w.Rollout.ID || epoch != w.Rollout.Epoch || w.Stopped()
}

// Stopped reports whether no machine begins an update: updates are off in the policy, or
// the rollout is paused or halted.
func (w *World) Stopped() bool { return w.paused() || w.Rollout.State.Stopped() }

// paused reports whether updates are off in the policy or the rollout is paused.
func (w *World) paused() bool {
	return !w.policy().UpdatesEnabled || w.Rollout.State == RolloutPaused
}

func (e *evaluation) stopped() bool {
	switch {
	case e.w.paused():
		e.d = Decision{Reason: ReasonPaused, By: e.w.Pause.By, Because: e.w.Pause.Reason}
	case e.w.Rollout.State == RolloutHalted:
		h := &e.w.Rollout.Halt
		e.d = Decision{Reason: ReasonHalted, Rule: h.Rule, Share: h.Share, Failed: h.Failed, Finish: h.Finished, Ended: h.Outcome, Code: h.Code, Alike: h.Alike, Machine: h.culprit(), By: h.By, Because: h.Reason}
	default:
		return false
	}
	return true
}

func (e *evaluation) skipsWindows() bool {
	return e.c.OnDemand && e.w.policy().OnDemand == policy.OnDemandSkipsPacingAndWindows
}

// skipsPacing is false for newcomers, because what they skip counts for the known
// machines.
func (e *evaluation) skipsPacing() bool {
	return e.c.OnDemand && e.w.policy().OnDemand != policy.OnDemandSameRules && !e.w.newcomer(e.m)
}

func (e *evaluation) closed() bool {
	if e.w.Policy.Calendar().Always() || e.skipsWindows() {
		return false
	}
	open, freeze, next := e.w.Policy.Calendar().Opening(e.now)
	if open {
		return false
	}
	e.d = Decision{Reason: ReasonOutsideWindow, Until: next}
	if freeze != nil {
		e.d.Reason, e.d.Because = ReasonFrozen, freeze.Reason
	}
	return true
}

// safeModeHolds holds all machines but the leader until the rollout is proven.
func (e *evaluation) safeModeHolds() bool {
	newcomer := e.w.newcomer(e.m)
	leader := *e.w.Rollout.leader(newcomer)
	if !e.w.policy().SafeMode || e.w.proven(newcomer) || leader == "" || leader == e.m.ID || e.skipsPacing() {
		return false
	}
	e.d = Decision{Reason: ReasonSafeModeFirst, Machine: leader}
	return true
}

// leader returns the machine that goes first in safe mode. Newcomers have one of
// their own, because a known machine does not wait for them.
func (r *Rollout) leader(newcomer bool) *string {
	if newcomer {
		return &r.Newcomers.Leader
	}
	return &r.Leader
}

// proven reports whether safe mode lets other machines follow. What newcomers
// prove holds only for newcomers.
func (w *World) proven(newcomer bool) bool {
	return w.Rollout.Proven() || newcomer && w.Rollout.Newcomers.Proofs > 0
}

// inFlight returns the grants in flight without the machine's own, because a
// machine that reaches this rule with an open grant loses it.
func (e *evaluation) inFlight() int {
	if a := &e.m.Attempt; a.Open() && !a.RebootOverdue {
		return e.w.Ledger.InFlight - 1
	}
	return e.w.Ledger.InFlight
}

func (e *evaluation) concurrencyHolds() bool {
	limit := e.w.policy().MaxConcurrentUpdates
	if e.inFlight() < limit || e.skipsPacing() {
		return false
	}
	e.d = Decision{Reason: ReasonConcurrencyLimit, InFlight: e.inFlight(), Cap: limit}
	return true
}

func (e *evaluation) periodHolds() bool {
	p := e.w.policy()
	if e.skipsPacing() || e.m.Deferred != (ID{}) && e.m.Deferred == e.w.Rollout.ID {
		return false
	}
	l := e.ledger()
	used, frees := l.used(e.now, p.PeriodInterval, p.MaxUpdatesPerPeriod)
	if used < p.MaxUpdatesPerPeriod {
		return false
	}
	e.d = Decision{Reason: ReasonPeriodLimit, InFlight: used, Cap: p.MaxUpdatesPerPeriod, Until: frees}
	return true
}

// ledger returns the ledger without the grant that the machine takes back.
func (e *evaluation) ledger() Ledger {
	l := e.w.Ledger
	l.takeBack(e.m.spentAt())
	return l
}

// spentAt returns the time of the grant that the machine lost before it began, or loses
// with a new decision; zero for none.
func (m *Machine) spentAt() time.Time {
	switch {
	case !m.Attempt.Open():
		return m.WithdrawnAt
	case m.Deferred == ID{}:
		return m.Attempt.GrantedAt
	default: // a repeated grant is not in the ledger
		return time.Time{}
	}
}

// leaves returns the version that the machine is ordered to leave for a lower one, zero
// for none.
func (m *Machine) leaves(step *Package) Version {
	if step.Version.Less(m.Version) {
		return m.Version
	}
	return Version{}
}

func (e *evaluation) granted() bool {
	e.d = Decision{Reason: ReasonGranted, Offer: e.step, Leaves: e.m.leaves(e.step), Wave: e.w.wave()}
	return true
}
