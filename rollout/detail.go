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
		if d.Next == nil {
			return "the package is blacklisted for the channel"
		}
		return fmt.Sprintf("package %s is blacklisted for the channel", d.Next.Version)
	case ReasonUpdateInProgress:
		if !d.Since.IsZero() {
			return "the update is installed; the machine waits for its reboot since " + moment(d.Since)
		}
		return "an update is in progress; its lease expires at " + moment(d.Until)
	case ReasonNotEnrolled:
		return "the group updates only enrolled machines, and this one is not"
	case ReasonPaused:
		return "updates are paused" + attribution(d.By, d.Because)
	case ReasonHalted:
		return "the rollout is halted: " + d.haltText()
	case ReasonOutsideWindow:
		return "outside the update windows; the next one opens at " + moment(d.Until)
	case ReasonFrozen:
		return "updates are frozen" + attribution("", d.Because) + until(d.Until)
	case ReasonWaveNotReached:
		return d.waveText()
	case ReasonSoaking:
		text := fmt.Sprintf("wave %d of %d soaks until %s, then the next wave ", d.Wave+1, d.Waves, moment(d.Until))
		if d.Approval {
			return text + "needs an approval"
		}
		return text + "opens"
	case ReasonWaitingForApproval:
		return fmt.Sprintf("the next wave opens after an approval of wave %d", d.Wave+1)
	case ReasonSafeModeFirst:
		return fmt.Sprintf("safe mode: machine %s updates first, all others wait for it", d.Machine)
	case ReasonNewcomerWaits:
		if d.Failed > 0 {
			return fmt.Sprintf("%d of %s of machines first seen shortly before the rollout or later failed; no further one updates until a person resumes", d.Failed, phrase.Count(d.Finish, "finished attempt"))
		}
		return "machines that were known before the rollout go first; this one waits for them until " + moment(d.Until)
	case ReasonConcurrencyLimit:
		return fmt.Sprintf("%d of %s %s in flight", d.InFlight, phrase.Count(d.Cap, "update"), isAre(d.Cap))
	case ReasonPeriodLimit:
		return fmt.Sprintf("%d of %s of the period %s used; the next one is available at %s", d.InFlight, phrase.Count(d.Cap, "update"), isAre(d.Cap), moment(d.Until))
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

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
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

// waveText says which wave is open, and which one contains the machine.
func (d Decision) waveText() string {
	open := fmt.Sprintf("wave %d of %d has only machines of its list or expression, this machine is", d.Wave+1, d.Waves)
	if d.Share > 0 {
		open = fmt.Sprintf("wave %d of %d reaches %s of the machines, this machine is at %s,", d.Wave+1, d.Waves, phrase.Percent(d.Share), phrase.Percent(d.Bucket))
	}
	if d.Own < 0 {
		return open + " in no wave"
	}
	return fmt.Sprintf("%s in wave %d", open, d.Own+1)
}

func (d Decision) haltText() string {
	h := Halt{Rule: d.Rule, Share: d.Share, Failed: d.Failed, Finished: d.Finish, Outcome: d.Ended, Code: d.Code, Alike: d.Alike, By: d.By, Reason: d.Because}
	if d.Machine != "" {
		h.Machines = []string{d.Machine}
	}
	return h.describe()
}

// culprit returns the machine whose failure halted the rollout, "" if it was not one machine.
func (h *Halt) culprit() string {
	if n := len(h.Machines); n > 0 && (h.Rule == HaltSafeMode || h.Rule == HaltCanary) {
		return h.Machines[n-1]
	}
	return ""
}

// Sentence says why the rollout was halted, in the same text as for machines, and
// how many machines came back since then.
func (h Halt) Sentence() string {
	return "the rollout is halted: " + h.describe() + h.cameBack()
}

func (h Halt) cameBack() string {
	if h.CameBack == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of the failed machines came back since then", h.CameBack)
}

// describe says why the rollout was halted.
func (h Halt) describe() string {
	numbers := fmt.Sprintf("%d of %s failed", h.Failed, phrase.Count(h.Finished, "finished attempt"))
	happened := FailureKind{Outcome: h.Outcome, Code: h.Code, Machines: 1}.happened()
	switch h.Rule {
	case HaltSafeMode:
		if id := h.culprit(); id != "" {
			return fmt.Sprintf("machine %s went first in safe mode and %s", id, happened)
		}
		return "the machine that went first in safe mode " + happened
	case HaltCanary:
		if id := h.culprit(); id != "" {
			return fmt.Sprintf("canary %s failed for good: %s", id, strings.TrimPrefix(happened, "failed: "))
		}
		return "a canary failed for good: " + strings.TrimPrefix(happened, "failed: ")
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
