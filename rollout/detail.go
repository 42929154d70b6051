package rollout

import (
	"fmt"
	"strings"
	"time"

	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// Detail describes the decision in one sentence for operators.
func (d Decision) Detail() string {
	switch d.Reason {
	case ReasonNone:
		return ""
	case ReasonInvalidRequest:
		return "the request is invalid"
	case ReasonUnknownApplication:
		return "the application is unknown"
	case ReasonUnknownGroup:
		return "no group of the application has this track and architecture"
	case ReasonUpToDate:
		if d.Build != nil {
			return fmt.Sprintf("the machine runs another build of %s, which is never offered to it: build metadata does not order versions", d.Build.Version)
		}
		if d.Above != nil {
			return fmt.Sprintf("the machine runs a higher version than the target %s; a lower one is offered only if its version is recalled", d.Above.Version)
		}
		return "the machine runs the target version"
	case ReasonOutsideClientPrefix:
		if d.Next == nil {
			return "the machine does not accept the next version"
		}
		return fmt.Sprintf("the machine accepts only versions that begin with %q; the next version is %s", d.Prefix, d.Next.Version)
	case ReasonDisabledByClient:
		return "updates are disabled on the machine"
	case ReasonQuarantined:
		return fmt.Sprintf("the machine is quarantined for this version after %s, until an operator releases it or another version is next", phrase.Count(d.Failed, "failed attempt"))
	case ReasonPinned:
		return "the machine is pinned below this version" + attribution(d.By, d.Because) + until(d.Until)
	case ReasonHeld:
		return "the machine is held" + attribution(d.By, d.Because) + until(d.Until)
	case ReasonNoPackage:
		return "the group has no channel, or its channel has no package"
	case ReasonBlacklisted:
		return "the package is blacklisted for the channel"
	case ReasonUpdateInProgress:
		if !d.Since.IsZero() {
			return "the update is installed; the machine waits for its reboot since " + moment(d.Since)
		}
		return "an update is in progress; its lease expires at " + moment(d.Until)
	case ReasonPaused:
		return "updates are paused" + attribution(d.By, d.Because)
	case ReasonHalted:
		return "the rollout is halted: " + d.haltText()
	case ReasonOutsideWindow:
		return "outside the update windows; the next one opens at " + moment(d.Until)
	case ReasonFrozen:
		return "updates are frozen" + attribution("", d.Because) + until(d.Until)
	case ReasonWaveNotReached:
		if d.Share == 0 {
			return fmt.Sprintf("wave %d contains only listed machines, and this machine is not one of them", d.Wave+1)
		}
		return fmt.Sprintf("wave %d reaches %s of the machines, this machine is at %s", d.Wave+1, phrase.Percent(d.Share), phrase.Percent(d.Bucket))
	case ReasonSoaking:
		return fmt.Sprintf("wave %d soaks until %s, then the next wave opens", d.Wave+1, moment(d.Until))
	case ReasonWaitingForApproval:
		return fmt.Sprintf("the next wave opens after an approval of wave %d", d.Wave+1)
	case ReasonSafeModeFirst:
		return fmt.Sprintf("safe mode: machine %s updates first, all others wait for it", d.Waiting)
	case ReasonNewcomerWaits:
		if d.Failed > 0 {
			return fmt.Sprintf("%d of %d finished attempts of machines first seen shortly before the rollout or later failed; no further one updates until a person resumes", d.Failed, d.Finish)
		}
		return "machines that were known before the rollout go first; this one waits for them until " + moment(d.Until)
	case ReasonConcurrencyLimit:
		return fmt.Sprintf("%d of %d updates are in flight", d.InFlight, d.Cap)
	case ReasonPeriodLimit:
		return fmt.Sprintf("%d of %d updates of the period are used; the next one is available at %s", d.InFlight, d.Cap, moment(d.Until))
	case ReasonGranted:
		switch {
		case d.Offer == nil:
			return "the update is granted"
		case d.Again:
			return fmt.Sprintf("version %s was granted and is offered again", d.Offer.Version) + insteadOf(d.Leaves)
		}
		return fmt.Sprintf("version %s is granted", d.Offer.Version) + insteadOf(d.Leaves)
	}
	return d.Reason.String()
}

// insteadOf says that an offer is an ordered downgrade; "" for other offers.
func insteadOf(leaves Version) string {
	if leaves.IsZero() {
		return ""
	}
	return fmt.Sprintf(", an ordered downgrade from the recalled %s", leaves)
}

// alsoFrom says which recalled versions a rollout replaces.
func alsoFrom(recalled []Version) string {
	if len(recalled) == 0 {
		return ""
	}
	texts := make([]string, len(recalled))
	for i, v := range recalled {
		texts[i] = v.String()
	}
	return "; machines on the recalled " + strings.Join(texts, ", ") + " are downgraded to it"
}

func (d Decision) haltText() string {
	return Halt{Rule: d.Rule, Failed: d.Failed, Finished: d.Finish, Outcome: d.Ended, Code: d.Code, Alike: d.Alike, By: d.By, Reason: d.Because}.describe()
}

// Sentence says why the rollout was halted, in the same text as for machines, and
// how many machines came back since then.
func (h Halt) Sentence() string {
	return Decision{
		Reason: ReasonHalted, Rule: h.Rule, Failed: h.Failed, Finish: h.Finished, Ended: h.Outcome, Code: h.Code, Alike: h.Alike, By: h.By, Because: h.Reason,
	}.Detail() + h.cameBack()
}

func (h Halt) cameBack() string {
	if h.CameBack == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of the failed machines came back since then", h.CameBack)
}

// describe says why the rollout was halted.
func (h Halt) describe() string {
	numbers := fmt.Sprintf("%d of %d finished attempts failed", h.Failed, h.Finished)
	switch h.Rule {
	case HaltSafeMode:
		if n := len(h.Machines); n > 0 {
			return fmt.Sprintf("machine %s went first in safe mode and %s", h.Machines[n-1], h.Outcome.happened(h.Code))
		}
		return "the machine that went first in safe mode " + h.Outcome.happened(h.Code)
	case HaltCanary:
		if n := len(h.Machines); n > 0 {
			return fmt.Sprintf("canary %s failed for good: %s", h.Machines[n-1], strings.TrimPrefix(h.Outcome.happened(h.Code), "failed: "))
		}
		return "a canary failed for good: " + strings.TrimPrefix(h.Outcome.happened(h.Code), "failed: ")
	case HaltFailureShare:
		if h.Share > 0 {
			numbers += ", the limit is " + phrase.Percent(h.Share)
		}
		return numbers + FailureKind{Outcome: h.Outcome, Code: h.Code, Machines: h.Alike}.alike(h.Failed)
	case HaltByPerson:
		return "stopped" + attribution(h.By, h.Reason)
	}
	return numbers
}

// happened says what a machine did whose failure halts, after its name.
func (o Outcome) happened(code int) string {
	switch o {
	case OutcomeFailed:
		return "failed: " + DescribeCode(code)
	case OutcomeRolledBack:
		return "rolled back to the previous version"
	case OutcomeTimeout:
		return "did not report before its lease expired"
	case OutcomeNotRunning:
		return "reported success, but still runs the old version"
	case OutcomeLost:
		return "has been silent since it installed the update"
	case OutcomeLooping:
		return "began the update again and again"
	default: // halted before the outcome was stored
		return "failed"
	}
}

// attribution returns " by NAME: REASON", leaving out what is empty.
func attribution(by, reason string) string {
	text := ""
	if by != "" {
		text = " by " + by
	}
	if reason != "" {
		text += ": " + reason
	}
	return text
}

func until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " until " + moment(t)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format(calendar.TimeLayout)
}
