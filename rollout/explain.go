package rollout

import (
	"cmp"
	"fmt"
	"time"

	"github.com/coreroller/coreroller/rollout/phrase"
)

// RuleStep is the result of one rule of an update check for one machine.
type RuleStep struct {
	Reason  Reason    // the answer of the rule if it decides
	Passed  bool      // the machine passes this rule
	Settled bool      // this rule decided; true for exactly one step
	Text    string    // the inputs of the rule, for operators
	Until   time.Time // when the result can change without an event; zero: unknown
}

// Explain returns the result of every rule in order, including those after the one
// that decided, as Check would find them now. It changes nothing.
func Explain(w *World, m *Machine, c Check, now time.Time) []RuleStep {
	if w.unsettled(m, c, now) {
		w, m = settled(w, m, c, now)
	}
	e := evaluation{w: w, m: m, c: c, now: now, step: w.next(m.Version)}
	rules := []struct {
		rule   func() bool
		reason Reason
		text   string
	}{
		{e.upToDate, ReasonUpToDate, e.versionText()},
		{e.outsidePrefix, ReasonOutsideClientPrefix, e.prefixText()},
		{e.disabled, ReasonDisabledByClient, e.disabledText()},
		{e.quarantined, ReasonQuarantined, e.failureText()},
		{e.overridden, ReasonHeld, e.overrideText()},
		{e.noPackage, ReasonNoPackage, e.packageText()},
		{e.blacklisted, ReasonBlacklisted, e.stepText()},
		{e.inProgress, ReasonUpdateInProgress, e.attemptText()},
		{e.notEnrolled, ReasonNotEnrolled, e.enrolledText()},
		{e.stopped, ReasonPaused, e.runText()},
		{e.closed, ReasonOutsideWindow, e.windowText()},
		{e.waveHolds, ReasonWaveNotReached, e.waveText()},
		{e.safeModeHolds, ReasonSafeModeFirst, e.safeModeText()},
		{e.newcomerWaits, ReasonNewcomerWaits, e.newcomerText()},
		{e.concurrencyHolds, ReasonConcurrencyLimit, fmt.Sprintf("%d of %s in flight", e.inFlight(), phrase.Count(w.policy().MaxConcurrentUpdates, "update"))},
		{e.periodHolds, ReasonPeriodLimit, e.periodText()},
	}
	var steps []RuleStep
	settled := false
	for _, r := range rules {
		step := RuleStep{Reason: r.reason, Passed: true, Text: r.text}
		if r.rule() {
			step.Reason, step.Passed, step.Until = e.d.Reason, e.d.Reason == ReasonGranted, e.d.Until
			step.Settled = !settled
			settled = true
			switch r.reason {
			case ReasonPaused, ReasonConcurrencyLimit, ReasonPeriodLimit, ReasonOutsideClientPrefix, ReasonDisabledByClient, ReasonNotEnrolled: // the decision has the same values
				step.Text = e.d.Detail()
			default:
				step.Text += "; " + e.d.Detail()
			}
		}
		steps = append(steps, step)
	}
	last := RuleStep{Reason: ReasonGranted, Passed: !settled, Settled: !settled, Text: "the machine passes every rule"}
	if settled {
		last.Text = "an earlier rule decided"
	}
	return append(steps, last)
}

func orNone(v Version) string {
	if v.IsZero() {
		return "no version"
	}
	return v.String()
}

func (e *evaluation) versionText() string {
	if e.w.Target == nil {
		return fmt.Sprintf("runs %s, there is no target", orNone(e.m.Version))
	}
	text := fmt.Sprintf("runs %s, the target is %s", orNone(e.m.Version), e.w.Target.Version)
	if e.step != nil && e.step.Version.Less(e.m.Version) {
		text += fmt.Sprintf("; %s is recalled, so the machine is downgraded", e.m.Version)
	}
	return text
}

func (e *evaluation) prefixText() string {
	if e.c.Prefix == "" {
		return "the machine accepts any version"
	}
	return fmt.Sprintf("the machine accepts only versions that begin with %q", e.c.Prefix)
}

func (e *evaluation) disabledText() string {
	if e.c.Disabled {
		return "updates are disabled on the machine"
	}
	return "updates are enabled on the machine"
}

func (e *evaluation) failureText() string {
	switch {
	case !e.m.QuarantinedVersion.IsZero():
		return fmt.Sprintf("quarantined for %s", e.m.QuarantinedVersion)
	case e.m.Failures > 0:
		return fmt.Sprintf("%d of %s at %s", e.m.Failures, phrase.Count(e.w.policy().MaxAttempts, "failed attempt"), e.m.FailedVersion)
	}
	return "not quarantined"
}

func (e *evaluation) overrideText() string {
	o := &e.m.Override
	switch {
	case !o.inForce(e.now):
		return "no override"
	case o.Kind == OverridePin:
		return fmt.Sprintf("pinned to %s%s", o.Version, attribution(o.By, o.Reason))
	}
	return "held" + attribution(o.By, o.Reason)
}

func (e *evaluation) packageText() string {
	if e.w.Target == nil {
		return "no package"
	}
	return fmt.Sprintf("the channel points to %s", e.w.Target.Version)
}

func (e *evaluation) stepText() string {
	switch {
	case e.step == nil:
		return "no next step"
	case e.step != e.w.Target:
		return fmt.Sprintf("next step %s, which no machine may skip on the way to %s", e.step.Version, e.w.Target.Version)
	}
	return fmt.Sprintf("next step %s", e.step.Version)
}

func (e *evaluation) attemptText() string {
	a := &e.m.Attempt
	if !a.Open() {
		return "no update in progress"
	}
	text := fmt.Sprintf("attempt %d at %s, granted at %s", a.Number, a.Version, moment(a.GrantedAt))
	if a.Extended > 0 {
		text += fmt.Sprintf(", lease extended by %s after an outage", phrase.Lasting(a.Extended.Round(time.Minute)))
	}
	if a.RebootOverdue {
		text += ", reboot overdue: it no longer counts as in flight"
	}
	return text
}

func (e *evaluation) enrolledText() string {
	switch {
	case e.m.Enrolled:
		return "enrolled"
	case e.w.policy().EnrolledOnly:
		return "not enrolled"
	}
	return "the group also updates machines that are not enrolled"
}

// runText describes a rollout that is neither paused nor halted: the decision describes those.
func (e *evaluation) runText() string {
	if e.w.Rollout.State == RolloutCompleted {
		return "the rollout is completed; machines that join late are still updated"
	}
	return "the rollout is active"
}

func (e *evaluation) windowText() string {
	switch {
	case e.skipsWindows():
		return "skipped: requested at the machine"
	case e.w.Policy.Calendar().Always():
		return "no windows and no freezes"
	}
	text := fmt.Sprintf("windows: %s", cmp.Or(e.w.Policy.Calendar().DescribeWeek(), "always"))
	if n := e.w.Policy.Calendar().Freezes(); n > 0 {
		text += ", " + phrase.Count(n, "freeze")
	}
	return text
}

func (e *evaluation) waveText() string {
	last, cur := e.w.Policy.LastWave(), e.w.wave()
	switch {
	case e.skipsPacing():
		return "skipped: requested at the machine"
	case last < 0:
		return "no waves"
	}
	text := fmt.Sprintf("wave %d of %d: %s; this machine is at %s",
		cur+1, last+1, e.w.policy().Waves[cur].Describe(), phrase.Percent(Bucket(e.w.Rollout.Salt, e.m.ID)))
	if selected := e.m.SelectedWave; e.w.Policy.Selects(selected) {
		text += fmt.Sprintf(" and selected by the expression of wave %d", selected)
	}
	return text
}

func (e *evaluation) safeModeText() string {
	newcomer := e.w.newcomer(e.m)
	leader := *e.w.Rollout.leader(newcomer)
	switch {
	case e.skipsPacing():
		return "skipped: requested at the machine"
	case !e.w.policy().SafeMode:
		return "safe mode is off"
	case e.w.proven(newcomer):
		return "safe mode: a machine was seen on the new version"
	case leader == "":
		return "safe mode: no machine has gone first yet"
	}
	return "safe mode: " + leader + " goes first"
}

func (e *evaluation) periodText() string {
	p := e.w.policy()
	l := e.ledger()
	return fmt.Sprintf("%d of %s in the last %s used", l.Granted(e.now, p.PeriodInterval), phrase.Count(p.MaxUpdatesPerPeriod, "update"), phrase.Every(p.PeriodInterval))
}
