package rollout

import "time"

// ladder is one climb of the rules of an update check. Each rule is a method
// that returns true when it settles the check, with its decision in d. Rule 1
// (who is asking) is the caller's. The methods change nothing but d.
type ladder struct {
	w    *World
	m    *Machine
	c    Check
	now  time.Time
	step *Package // what the machine would have next; nil: no target above what it runs
	side waveSide // where the machine is to a wave
	d    Decision
}

// Decide is the answer to an update check without any effect. It is what Check
// would answer at the same moment.
func Decide(w *World, m *Machine, c Check, now time.Time) Decision {
	if w.unsettled(m, now) {
		return decideSettled(w, m, c, now)
	}
	l := ladder{w: w, m: m, c: c, now: now, step: w.next(m.Version)}
	l.climb()
	return l.d
}

// unsettled reports whether Check would first end the machine's attempt or
// move a wave.
func (w *World) unsettled(m *Machine, now time.Time) bool {
	return m.Attempt.Open() && !now.Before(m.Attempt.LeaseUntil) || w.wavesDue(now)
}

// settled returns copies of world and machine as Check would find them after
// it did what is due at now.
func settled(w *World, m *Machine, now time.Time) (*World, *Machine) {
	world, machine := *w, *m // slices are never written in place, see World
	var fx Effects
	world.Expire(&machine, now, &fx)
	world.Advance(now, &fx)
	return &world, &machine
}

// decideSettled is apart so that the common path of Decide allocates nothing.
func decideSettled(w *World, m *Machine, c Check, now time.Time) Decision {
	w, m = settled(w, m, now)
	l := ladder{w: w, m: m, c: c, now: now, step: w.next(m.Version)}
	l.climb()
	return l.d
}

// climb tries the rules in order until one settles.
func (l *ladder) climb() {
	_ = l.upToDate() ||
		l.quarantined() ||
		l.overridden() ||
		l.noPackage() ||
		l.blacklisted() ||
		l.inProgress() ||
		l.stopped() ||
		l.closed() ||
		l.waveHolds() ||
		l.safeModeHolds() ||
		l.concurrencyHolds() ||
		l.periodHolds() ||
		l.granted()
}

func (l *ladder) upToDate() bool {
	if l.w.Target == nil || l.step != nil {
		return false
	}
	l.d = Decision{Reason: ReasonUpToDate}
	return true
}

func (l *ladder) quarantined() bool {
	if l.step == nil || l.m.QuarantinedVersion.IsZero() || l.m.QuarantinedVersion.Compare(l.step.Version) != 0 {
		return false
	}
	l.d = Decision{Reason: ReasonQuarantined, Failed: l.m.Failures}
	return true
}

// inForce reports whether the override still counts.
func (o *Override) inForce(now time.Time) bool {
	return o.Kind != OverrideNone && (o.Until.IsZero() || now.Before(o.Until))
}

func (l *ladder) overridden() bool {
	o := &l.m.Override
	if !o.inForce(l.now) {
		return false
	}
	switch o.Kind {
	case OverrideHold:
		l.d = Decision{Reason: ReasonHeld}
	case OverridePin:
		if l.step == nil || !o.Version.Less(l.step.Version) {
			return false
		}
		l.d = Decision{Reason: ReasonPinned}
	default:
		return false
	}
	l.d.Until, l.d.By, l.d.Because = o.Until, o.By, o.Reason
	return true
}

func (l *ladder) noPackage() bool {
	if l.w.Target != nil {
		return false
	}
	l.d = Decision{Reason: ReasonNoPackage}
	return true
}

func (l *ladder) blacklisted() bool {
	if l.step == nil || !l.w.Target.Blacklisted && !l.step.Blacklisted {
		return false
	}
	l.d = Decision{Reason: ReasonBlacklisted}
	return true
}

// inProgress also settles for an offer that is served again.
func (l *ladder) inProgress() bool {
	a := &l.m.Attempt
	if !a.Open() {
		return false
	}
	if l.m.State != StateGranted {
		l.d = Decision{Reason: ReasonUpdateInProgress, Until: a.LeaseUntil}
		return true
	}
	if l.w.revoked(a) || l.step == nil || a.Package != l.step.ID {
		return false
	}
	l.d = Decision{Reason: ReasonGranted, Offer: l.step, Again: true, Until: a.LeaseUntil, Wave: a.Wave}
	return true
}

// revoked reports whether the group was paused, halted or retargeted since the
// grant. An epoch ends with a resume, so a pause that is over counts too.
func (w *World) revoked(a *Attempt) bool {
	return a.Rollout != w.Rollout.ID || a.Epoch != w.Rollout.Epoch || w.paused() || w.Rollout.State == RolloutHalted
}

// paused reports whether updates are off: by the policy, or by a pause that
// was not resumed.
func (w *World) paused() bool {
	return !w.Policy.policy.UpdatesEnabled || w.Rollout.State == RolloutPaused
}

func (l *ladder) stopped() bool {
	switch {
	case l.w.paused():
		l.d = Decision{Reason: ReasonPaused, By: l.w.Pause.By, Because: l.w.Pause.Reason}
	case l.w.Rollout.State == RolloutHalted:
		h := &l.w.Rollout.Halt
		l.d = Decision{Reason: ReasonHalted, Rule: h.Rule, Failed: h.Failed, Finish: h.Finished, By: h.By, Because: h.Reason}
	default:
		return false
	}
	return true
}

func (l *ladder) skipsWindows() bool {
	return l.c.OnDemand && l.w.Policy.policy.OnDemand == OnDemandSkipsPacingAndWindows
}

func (l *ladder) skipsPacing() bool {
	return l.c.OnDemand && l.w.Policy.policy.OnDemand != OnDemandSameRules
}

func (l *ladder) closed() bool {
	if l.w.Policy.calendar.Always() || l.skipsWindows() {
		return false
	}
	open, reason, next, because := l.w.Policy.Opening(l.now)
	if open {
		return false
	}
	l.d = Decision{Reason: reason, Until: next, Because: because}
	return true
}

// safeModeHolds lets nobody but the leader pass until the rollout is proven.
func (l *ladder) safeModeHolds() bool {
	r := &l.w.Rollout
	if !l.w.Policy.policy.SafeMode || r.Proven || r.Leader == "" || r.Leader == l.m.ID || l.skipsPacing() {
		return false
	}
	l.d = Decision{Reason: ReasonSafeModeFirst, Waiting: r.Leader}
	return true
}

// inFlight is the grants in flight without the machine's own: whoever gets
// this far with an open grant loses it.
func (l *ladder) inFlight() int {
	if l.m.Attempt.Open() {
		return l.w.Ledger.InFlight - 1
	}
	return l.w.Ledger.InFlight
}

func (l *ladder) concurrencyHolds() bool {
	limit := l.w.Policy.policy.MaxConcurrentUpdates
	if l.inFlight() < limit || l.skipsPacing() {
		return false
	}
	l.d = Decision{Reason: ReasonConcurrencyLimit, InFlight: l.inFlight(), Cap: limit}
	return true
}

func (l *ladder) periodHolds() bool {
	p := &l.w.Policy.policy
	if l.skipsPacing() {
		return false
	}
	used, frees := l.w.Ledger.used(l.now, p.PeriodInterval, p.MaxUpdatesPerPeriod)
	if used < p.MaxUpdatesPerPeriod {
		return false
	}
	l.d = Decision{Reason: ReasonPeriodLimit, InFlight: used, Cap: p.MaxUpdatesPerPeriod, Until: frees}
	return true
}

func (l *ladder) granted() bool {
	l.d = Decision{Reason: ReasonGranted, Offer: l.step, Wave: l.w.wave()}
	return true
}
