package job

import (
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// Activity returns what operators read about an order: of one machine, whose name the
// activity has, or, with an empty name, of a number of machines of one group. It returns
// false for an action that has no activity. The application is that of the group.
func (o *Order) Activity(app *catalog.App, machine string, machines int, by, reason string) (rollout.Activity, bool) {
	a := rollout.Activity{Severity: rollout.SeverityInfo, Machine: machine, Version: o.Version}
	var text string
	switch o.Action {
	case Hold:
		a.Kind, text = rollout.ActivityMachinesHeld, "held"
	case Pin:
		a.Kind, text = rollout.ActivityMachinesPinned, "pinned to "+o.Version
	case Release:
		a.Kind, text = rollout.ActivityMachinesReleased, "released"
	case Free:
		a.Kind, text = rollout.ActivityMachinesReleased, "released from quarantine"
	case Move:
		a.Kind, text = rollout.ActivityMachinesMoved, "moved to "+o.destination(app)
	case Label:
		a.Kind, text = rollout.ActivityMachinesLabeled, "labeled "+o.Labels.Describe()
	case Forget, Enroll:
		return a, false
	}
	if machine == "" {
		text = phrase.Count(machines, "machine") + " " + text
	}
	if by != "" {
		text += " by " + by
	}
	if o.Until != nil {
		text += until(*o.Until)
	}
	if reason != "" {
		text += ": " + reason
	}
	a.Detail = text
	return a, true
}

func (o *Order) destination(app *catalog.App) string {
	if o.GroupID == nil {
		return "the group of the track"
	}
	if to := app.Group(*o.GroupID); to != nil {
		return "group " + to.Name
	}
	return "a group that was deleted"
}
