package rollout

import (
	"cmp"
	"fmt"
	"time"
)

// Rung is one rule of an update check as it stands for one machine.
type Rung struct {
	Reason  Reason    // what the rule answers when it does not let pass
	Passed  bool      // the machine gets past this rule
	Settled bool      // this rule gave the answer; true for exactly one rung
	Text    string    // the rule's inputs in words
	Until   time.Time // when the rule can change its mind by itself; zero: not known
}

// Explain is the whole ladder for one machine: every rule in order, also those
// after the one that settled, as Check would find them at this moment. It
// changes nothing.
func Explain(w *World, m *Machine, c Check, now time.Time) []Rung {
	if w.unsettled(m, now) {
		w, m = settled(w, m, now)
	}
	l := ladder{w: w, m: m, c: c, now: now, step: w.next(m.Version)}
	rules := []struct {
		rule   func() bool
		reason Reason
		text   string
	}{
		{l.upToDate, ReasonUpToDate, l.versionText()},
		{l.quarantined, ReasonQuarantined, l.failureText()},
		{l.overridden, ReasonHeld, l.overrideText()},
		{l.noPackage, ReasonNoPackage, l.packageText()},
		{l.blacklisted, ReasonBlacklisted, l.stepText()},
		{l.inProgress, ReasonUpdateInProgress, l.attemptText()},
		{l.stopped, ReasonPaused, l.runText()},
		{l.closed, ReasonOutsideWindow, l.windowText()},
		{l.waveHolds, ReasonWaveNotReached, l.waveText()},
		{l.safeModeHolds, ReasonSafeModeFirst, l.safeModeText()},
		{l.concurrencyHolds, ReasonConcurrencyLimit, fmt.Sprintf("%d of %d updates in flight", l.inFlight(), w.Policy.policy.MaxConcurrentUpdates)},
		{l.periodHolds, ReasonPeriodLimit, l.periodText()},
	}
	rungs := make([]Rung, 0, len(rules)+1)
	settled := false
	for _, r := range rules {
		rung := Rung{Reason: r.reason, Passed: true, Text: r.text}
		if r.rule() {
			rung.Reason, rung.Passed, rung.Until = l.d.Reason, l.d.Reason == ReasonGranted, l.d.Until
			rung.Settled = !settled
			settled = true
			switch r.reason {
			case ReasonConcurrencyLimit, ReasonPeriodLimit: // the decision counts in its own words
				rung.Text = l.d.Detail()
			default:
				rung.Text += "; " + l.d.Detail()
			}
		}
		rungs = append(rungs, rung)
	}
	last := Rung{Reason: ReasonGranted, Passed: !settled, Settled: !settled, Text: "every rule lets the machine pass"}
	if settled {
		last.Text = "a rule above gave the answer"
	}
	return append(rungs, last)
}

func version(v Version) string {
	if v.IsZero() {
		return "no version"
	}
	return v.String()
}

func (l *ladder) versionText() string {
	if l.w.Target == nil {
		return fmt.Sprintf("runs %s, there is no target", version(l.m.Version))
	}
	return fmt.Sprintf("runs %s, the target is %s", version(l.m.Version), l.w.Target.Version)
}

func (l *ladder) failureText() string {
	switch {
	case !l.m.QuarantinedVersion.IsZero():
		return fmt.Sprintf("quarantined for %s", l.m.QuarantinedVersion)
	case l.m.Failures > 0:
		return fmt.Sprintf("%d of %s at %s", l.m.Failures, count(l.w.Policy.policy.MaxAttempts, "failed attempt"), l.m.FailedVersion)
	}
	return "not quarantined"
}

func (l *ladder) overrideText() string {
	o := &l.m.Override
	switch {
	case !o.inForce(l.now):
		return "no override"
	case o.Kind == OverridePin:
		return fmt.Sprintf("pinned to %s%s", o.Version, byWhom(o.By, o.Reason))
	}
	return "held" + byWhom(o.By, o.Reason)
}

func (l *ladder) packageText() string {
	if l.w.Target == nil {
		return "no package"
	}
	return fmt.Sprintf("the channel points to %s", l.w.Target.Version)
}

func (l *ladder) stepText() string {
	switch {
	case l.step == nil:
		return "no next step"
	case l.step != l.w.Target:
		return fmt.Sprintf("next step %s, which no machine may skip on the way to %s", l.step.Version, l.w.Target.Version)
	}
	return fmt.Sprintf("next step %s", l.step.Version)
}

func (l *ladder) attemptText() string {
	a := &l.m.Attempt
	if !a.Open() {
		return "no update under way"
	}
	return fmt.Sprintf("attempt %d at %s, granted at %s", a.Number, a.Version, moment(a.GrantedAt))
}

func (l *ladder) runText() string {
	switch l.w.Rollout.State {
	case RolloutPaused:
		return "the rollout is paused"
	case RolloutHalted:
		return "the rollout is halted"
	case RolloutCompleted:
		return "the rollout is completed; late joiners are served"
	case RolloutActive, RolloutSuperseded:
	}
	return "the rollout is active"
}

func (l *ladder) windowText() string {
	switch {
	case l.skipsWindows():
		return "skipped: asked for at the machine"
	case l.w.Policy.calendar.Always():
		return "no windows and no freezes"
	}
	words := fmt.Sprintf("windows: %s", cmp.Or(l.w.Policy.calendar.DescribeWeek(), "always"))
	if n := l.w.Policy.calendar.Freezes(); n > 0 {
		words += ", " + count(n, "freeze")
	}
	return words
}

func (l *ladder) waveText() string {
	last, cur := l.w.Policy.lastWave(), l.w.wave()
	switch {
	case l.skipsPacing():
		return "skipped: asked for at the machine"
	case last < 0:
		return "no waves"
	}
	return fmt.Sprintf("wave %d of %d: %s; this machine is at %s",
		cur+1, last+1, l.w.Policy.policy.Waves[cur].describe(), percent(Bucket(l.w.Rollout.Salt, l.m.ID)))
}

func (l *ladder) safeModeText() string {
	r := &l.w.Rollout
	switch {
	case l.skipsPacing():
		return "skipped: asked for at the machine"
	case !l.w.Policy.policy.SafeMode:
		return "safe mode is off"
	case r.Proven:
		return "safe mode: a machine was seen on the new version"
	case r.Leader == "":
		return "safe mode: nobody goes first yet"
	}
	return "safe mode: " + r.Leader + " goes first"
}

func (l *ladder) periodText() string {
	p := &l.w.Policy.policy
	used, _ := l.w.Ledger.used(l.now, p.PeriodInterval, p.MaxUpdatesPerPeriod)
	return fmt.Sprintf("%d of %d updates in the last %s used", used, p.MaxUpdatesPerPeriod, every(p.PeriodInterval))
}
