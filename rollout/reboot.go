package rollout

import (
	"fmt"
	"strings"
	"time"

	"github.com/coreroller/coreroller/rollout/phrase"
)

// RebootSlot is what is known of one client that asked for permission to reboot.
type RebootSlot struct {
	Client  string    // the id that it sent
	Name    string    // of its machine for operators, "" if it is not known
	TakenAt time.Time // zero: it holds no slot
}

// Reboots are the clients of a group that count in a decision, read under its ledger
// lock.
type Reboots struct {
	Held []RebootSlot // oldest first
	Lost int          // clients whose slot the policy released, and that did not come back
}

// RebootReason names the rule that decided about a reboot. Its text is stable: it is
// sent to clients, stored and shown in every API.
type RebootReason uint8

// The reasons in the order in which the rules are tried.
const (
	RebootNone RebootReason = iota
	RebootHeld
	RebootNotCoordinated
	RebootPaused
	RebootHalted
	RebootOutsideWindow
	RebootFrozen
	RebootOverdueHolder
	RebootSlotsFull
	RebootGranted
	rebootReasonCount
)

var rebootReasonText = [rebootReasonCount]string{
	"", "held", "not_coordinated", "paused", "halted", "outside_window", "frozen", "overdue_holder", "slots_full", "granted",
}

// String returns the stable code, "" for RebootNone.
func (r RebootReason) String() string {
	if r >= rebootReasonCount {
		return ""
	}
	return rebootReasonText[r]
}

// Allows reports whether the client may reboot now.
func (r RebootReason) Allows() bool { return r == RebootHeld || r == RebootGranted }

// RebootDecision is the answer to one request for a slot.
type RebootDecision struct {
	Reason  RebootReason
	Until   time.Time    // when the answer can change by itself; zero: not known
	Slots   int          // of the policy
	Held    []RebootSlot // held, slots_full: oldest first; overdue_holder: the overdue ones
	Lost    int          // overdue_holder: see Reboots
	Limit   int          // overdue_holder
	Halt    Halt         // halted
	Because string       // paused, frozen: with the person
}

// DecideReboot answers a client that asks for a slot. A client that holds one keeps it
// whatever happens, because it may be rebooting. It changes nothing.
func (w *World) DecideReboot(r *Reboots, client string, now time.Time) RebootDecision {
	p := w.policy()
	d := RebootDecision{Slots: p.RebootSlots}
	for _, s := range r.Held {
		if s.Client == client {
			d.Reason, d.Held = RebootHeld, []RebootSlot{s}
			return d
		}
	}
	if d.Slots == 0 {
		d.Reason = RebootNotCoordinated
		return d
	}
	switch {
	case w.paused():
		d.Reason, d.Because = RebootPaused, attribution(w.Pause.By, w.Pause.Reason)
		return d
	case w.Rollout.State == RolloutHalted:
		d.Reason, d.Halt = RebootHalted, w.Rollout.Halt
		return d
	}
	if c := w.Policy.RebootCalendar(); !c.Always() {
		open, freeze, next := c.Opening(now)
		if !open {
			d.Reason, d.Until = RebootOutsideWindow, next
			if freeze != nil {
				d.Reason, d.Because = RebootFrozen, attribution("", freeze.Reason)
			}
			return d
		}
	}
	if overdue := w.overdueHolders(r, now); len(overdue)+r.Lost >= p.RebootOverdueLimit {
		d.Reason, d.Held, d.Lost, d.Limit = RebootOverdueHolder, overdue, r.Lost, p.RebootOverdueLimit
		return d
	}
	d.Held = r.Held
	if d.Reason = RebootGranted; len(r.Held) >= d.Slots {
		d.Reason = RebootSlotsFull
	}
	return d
}

// overdueHolders returns those that keep their slot for too long.
func (w *World) overdueHolders(r *Reboots, now time.Time) (all []RebootSlot) {
	for _, s := range r.Held {
		if w.RebootOverdue(s.TakenAt, now) {
			all = append(all, s)
		}
	}
	return all
}

// RebootOverdue reports whether a slot that was taken at a time should have been given
// back. Outages do not count, because no client could give its slot back.
func (w *World) RebootOverdue(taken, now time.Time) bool {
	return !taken.After(Ago(now, w.policy().RebootOverdueAfter, w.Outages))
}

// RebootReleased reports whether the policy releases a slot that was taken at a time.
func (w *World) RebootReleased(taken, now time.Time) bool {
	p := w.policy()
	return p.RebootReleaseAfter > 0 && !taken.After(Ago(now, p.RebootOverdueAfter+p.RebootReleaseAfter, w.Outages))
}

// Detail describes the decision in one sentence for operators and the client's log.
func (d RebootDecision) Detail() string {
	switch d.Reason {
	case RebootHeld:
		return "holds a reboot slot since " + moment(d.Held[0].TakenAt)
	case RebootNotCoordinated:
		return "the group has no reboot slots: set rebootSlots in its policy"
	case RebootPaused:
		return "updates are paused" + d.Because
	case RebootHalted:
		return d.Halt.Sentence()
	case RebootOutsideWindow:
		return "outside the reboot windows; the next one opens at " + moment(d.Until)
	case RebootFrozen:
		return "reboots are frozen" + d.Because + until(d.Until)
	case RebootOverdueHolder:
		return d.overdueText()
	case RebootSlotsFull:
		return fmt.Sprintf("%d of %s %s held: %s", len(d.Held), phrase.Count(d.Slots, "reboot slot"), isAre(d.Slots), holders(d.Held))
	case RebootGranted:
		return fmt.Sprintf("reboot slot %d of %d is granted", len(d.Held)+1, d.Slots)
	}
	return d.Reason.String()
}

func (d RebootDecision) overdueText() string {
	var parts []string
	if n := len(d.Held); n > 0 {
		parts = append(parts, phrase.Count(n, "reboot slot")+" overdue: "+holders(d.Held))
	}
	if d.Lost > 0 {
		parts = append(parts, phrase.Count(d.Lost, "machine")+" did not come back from the reboot")
	}
	return strings.Join(parts, "; ") + fmt.Sprintf("; at %d no further slot is granted until they are back or released", d.Limit)
}

// MostHolders is how many holders a text names.
const MostHolders = 5

// holders names the holders of slots, the oldest first.
func holders(held []RebootSlot) string {
	parts := make([]string, 0, MostHolders+1)
	for i, s := range held {
		if i == MostHolders {
			parts = append(parts, fmt.Sprintf("%d more", len(held)-i))
			break
		}
		name := s.Name
		if name == "" {
			name = s.Client
		}
		parts = append(parts, name+" since "+moment(s.TakenAt))
	}
	return strings.Join(parts, ", ")
}
