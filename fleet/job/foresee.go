package job

import (
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
)

// Outcome is the effect of an order on one machine.
type Outcome struct {
	Result Result
	// Kind is the outcome in general, after a number of machines: "are held at once".
	Kind   string
	Detail string // about this machine
}

func done(kind, detail string) Outcome    { return Outcome{Done, kind, detail} }
func later(kind, detail string) Outcome   { return Outcome{AfterUpdate, kind, detail} }
func skipped(kind, detail string) Outcome { return Outcome{Skipped, kind, detail} }
func failed(kind, detail string) Outcome  { return Outcome{Failed, kind, detail} }

// Gone is the outcome for a machine that was forgotten meanwhile.
func Gone() Outcome { return skipped("do not exist any more", "the machine does not exist any more") }

// Foresee returns what the order does to a machine of an application. It changes
// nothing for a machine whose outcome is Skipped or Failed.
func (o *Order) Foresee(app *catalog.App, m Machine) Outcome {
	if o.Within != nil && m.Group != *o.Within {
		return skipped("left the group", "the machine is no longer in the group")
	}
	switch o.Action {
	case Move:
		return o.move(app, m)
	case Forget:
		if m.Updating {
			return done("are forgotten while they update", "forgotten; its update ended as interrupted")
		}
		return done("are forgotten", "forgotten")
	case Enroll:
		if m.Enrolled {
			return skipped("are enrolled already", "enrolled already")
		}
		return done("are enrolled", "enrolled")
	case Label:
		return o.label(m)
	}
	if app.Group(m.Group) == nil {
		return failed("are in no group until they check in again", "the machine is in no group until it checks in again")
	}
	switch o.Action {
	case Release:
		return o.release(m)
	case Free:
		return o.free(m)
	}
	return o.override(app, m)
}

func (o *Order) release(m Machine) Outcome {
	switch {
	case m.Override.Kind == rollout.OverrideNone:
		return skipped("are neither held nor pinned", "neither held nor pinned")
	case m.Quarantined:
		return done("are released, also from quarantine", "released, also from quarantine")
	}
	return done("are released", "released")
}

// free leaves out machines that are held or pinned too, because to release a machine
// removes both.
func (o *Order) free(m Machine) Outcome {
	switch {
	case !m.Quarantined:
		return skipped("are not quarantined", "not quarantined")
	case m.Override.Kind != rollout.OverrideNone:
		return skipped("are also held or pinned", "also "+m.overridden())
	}
	return done("may update again", "released from quarantine")
}

func (o *Order) override(app *catalog.App, m Machine) Outcome {
	now, then, detail := "are held at once", "finish their update, then are held", "held"
	if o.Action == Pin {
		now, then, detail = "are pinned at once", "finish their update, then are pinned", "pinned to "+o.Version
		if _, ok := app.Versioning.Parse(o.Version); !ok {
			return failed("have other versions", o.Version+" is not "+app.Versioning.Describe())
		}
	}
	if m.Override.Kind != rollout.OverrideNone && !o.Replace {
		return skipped("are held or pinned already", "already "+m.overridden())
	}
	if o.Until != nil {
		detail += until(*o.Until)
	}
	if m.Updating {
		return later(then, detail+" once its update has ended")
	}
	return done(now, detail)
}

func (o *Order) move(app *catalog.App, m Machine) Outcome {
	from := app.Group(m.Group)
	guarded := from != nil && from.LeavingNeedsApproval()
	if o.GroupID == nil {
		switch {
		case !m.Moved && m.MoveTo == uuid.Nil:
			return skipped("follow their track already", "it follows its track already")
		case guarded:
			return needsApproval(from)
		}
		return done("follow their track from their next check", "follows its track from its next check")
	}
	to := app.Group(*o.GroupID)
	switch {
	case to != nil && guarded && to.ID != m.Group:
		return needsApproval(from)
	case to == nil:
		return failed("cannot move to this group", "the group was deleted, or belongs to another application")
	case to.Arch != m.Arch:
		return failed("have another architecture", "group "+to.Name+" is for "+to.Arch+", but the machine is "+m.Arch)
	case m.Group == to.ID && m.Moved && m.MoveTo == uuid.Nil:
		return skipped("are in the group already", "already in group "+to.Name)
	case m.Group == to.ID:
		return done("stay in the group, whatever track they send", "stays in group "+to.Name)
	case m.MoveTo == to.ID:
		return skipped("move there already", "moves to group "+to.Name+" already, once its update has ended")
	case m.Updating && app.Group(m.Group) != nil:
		return later("finish their update, then move", "moves to group "+to.Name+" once its update has ended")
	}
	return done("move at once", "moved to group "+to.Name)
}

// overridden describes the hold or pin of a machine.
func (m Machine) overridden() string {
	text := "held"
	if m.Override.Kind == rollout.OverridePin {
		text = "pinned to " + m.Pin
	}
	if m.Override.By != "" {
		text += " by " + m.Override.By
	}
	if !m.Override.Until.IsZero() {
		text += until(m.Override.Until)
	}
	return text
}

func until(t time.Time) string { return " until " + t.UTC().Format("2 Jan 2006 15:04 UTC") }

// needsApproval is the outcome for a machine that only leaves with another person's
// approval, which is for one machine.
func needsApproval(from *catalog.Group) Outcome {
	return failed("leave their group only with an approval", "group "+from.Name+" or its channel requires approvals: propose to move the machine alone")
}
