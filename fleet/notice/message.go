package notice

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/rollout"
)

// maxCause caps the cause in a message, in characters, so that a digest stays below the
// 20 kB of Standard Webhooks.
const maxCause = 300

// kind is how activities of a kind are sent.
type kind struct {
	kind  rollout.ActivityKind
	name  string // the type of webhooks, which never changes
	title string
	next  string // what to do
	usual bool   // sent unless others are chosen: those of single machines are too many
}

var kinds = []kind{
	{rollout.ActivityPackageNotFound, "package.missing", "No package to offer", "promote a package to the channel of the group", true},
	{rollout.ActivityRolloutStarted, "rollout.started", "Rollout started", "nothing to do: watch the first machines", true},
	{rollout.ActivityRolloutFinished, "rollout.finished", "Rollout finished", "nothing to do", true},
	{rollout.ActivityRolloutHalted, "rollout.halted", "Rollout halted", "look at the failed machines, then resume the rollout or promote another package", true},
	{rollout.ActivityMachineFailed, "machine.failed", "Machine failed", "look at the machine's history; it tries again at its next check", false},
	{rollout.ActivityChannelMoved, "channel.promoted", "Channel points to another package", "nothing to do: its groups follow under their policies", true},
	{rollout.ActivityPaused, "rollout.paused", "Updates paused", "resume them when the reason is gone", true},
	{rollout.ActivityResumed, "rollout.resumed", "Updates resumed", "nothing to do", true},
	{rollout.ActivityWaveAdvanced, "rollout.advanced", "Next wave opened", "nothing to do: watch its first machines", true},
	{rollout.ActivityMachineQuarantined, "machine.quarantined", "Machine quarantined", "look at its failures, then release it or wait for the next version", false},
	{rollout.ActivityPackageBlacklisted, "package.blacklisted", "Package blacklisted", "order a downgrade if machines run it, or promote a higher package", true},
	{rollout.ActivityPolicyChanged, "policy.changed", "Policy changed", "nothing to do: running rollouts follow it at once", true},
	{rollout.ActivityMirrorFailed, "mirror.failed", "Mirror failed", "look at the mirror and its connection to this server", true},
	{rollout.ActivityMachineCameBack, "machine.came_back", "Machine came back", "nothing to do", false},
	{rollout.ActivityRolloutStalled, "rollout.stalled", "Rollout stalled", "open the group: it names the action that helps", true},
	{rollout.ActivityTimesRepaired, "times.repaired", "Stored times repaired", "check the clocks of the servers", true},
	{rollout.ActivitySameVersion, "package.same_version", "Package repeats a version", "give the package a version of its own", true},
	{rollout.ActivityRolledBack, "channel.rolled_back", "Channel rolled back", "nothing to do: its groups follow under their policies", true},
	{rollout.ActivityMachinesHeld, "machines.held", "Machines held", "release them when the reason is gone", true},
	{rollout.ActivityMachinesPinned, "machines.pinned", "Machines pinned", "release them when the reason is gone", true},
	{rollout.ActivityMachinesReleased, "machines.released", "Machines released", "nothing to do", true},
	{rollout.ActivityMachinesMoved, "machines.moved", "Machines moved", "nothing to do: they follow the policy of their new group", true},
	{rollout.ActivityMirrorWorks, "mirror.works", "Mirror works again", "nothing to do", true},
	{rollout.ActivityMirrorFound, "mirror.found", "Mirror found a version", "promote it, or leave it", true},
	{rollout.ActivityMirrorWithdrawn, "mirror.withdrawn", "Version withdrawn upstream", "promote another package if a channel points to it", true},
	{rollout.ActivityRebootSlotOverdue, "reboot_slot.overdue", "Reboot slot overdue", "look at the machine, then release its slot", true},
	{rollout.ActivityRebootSlotReleased, "reboot_slot.released", "Reboot slot released", "nothing to do", false},
	{rollout.ActivityMachinesLabeled, "machines.labeled", "Machines labeled", "nothing to do", false},
}

// UsualKinds returns the kinds of activity that a notifier sends unless others are chosen.
func UsualKinds() (all []rollout.ActivityKind) {
	for _, k := range kinds {
		if k.usual {
			all = append(all, k.kind)
		}
	}
	return all
}

// TypeOf returns the type of the messages about a kind of activity, such as
// "rollout.halted"; "other" for an unknown kind.
func TypeOf(k rollout.ActivityKind) string { return kindOf(k).name }

func kindOf(wanted rollout.ActivityKind) kind {
	for _, k := range kinds {
		if k.kind == wanted {
			return k
		}
	}
	return kind{wanted, "other", "Activity", "open the page", false}
}

// message returns the message of an activity.
func (w *Worker) message(a *db.Activity) notify.Message {
	k := kindOf(a.Kind)
	return notify.Message{
		Type: k.name, At: a.At, ActivityID: a.ID.String(), Severity: severityName(a.Severity), Title: k.title,
		Sentence: sentence(cause(a, k), k.next), URL: w.page(a),
		Application: notify.Object{ID: a.ApplicationID.String(), Name: a.ApplicationName},
		Group:       object(a.GroupID, a.GroupName), Channel: object(a.ChannelID, a.ChannelName),
		Version: a.Version, Machine: a.MachineID, Actor: a.Actor,
	}
}

// cause says what happened, from what the activity has.
func cause(a *db.Activity, k kind) string {
	text := a.Detail
	if text == "" {
		text = strings.ToLower(k.title[:1]) + k.title[1:]
	}
	switch {
	case a.Kind == rollout.ActivityChannelMoved || a.Kind == rollout.ActivityRolledBack:
		text = fmt.Sprintf("channel %s points to %s", a.ChannelName, a.Version)
		if a.Detail != "" {
			text += ": " + a.Detail
		}
	case a.MachineID != "" && !strings.Contains(text, a.MachineID):
		text = "machine " + a.MachineID + ": " + text
	}
	if runes := []rune(text); len(runes) > maxCause {
		text = string(runes[:maxCause-1]) + "…"
	}
	return text
}

// sentence joins a cause and the next action.
func sentence(cause, next string) string { return strings.TrimSuffix(cause, ".") + "; next: " + next }

func object(id *uuid.UUID, name string) notify.Object {
	if id == nil {
		return notify.Object{}
	}
	return notify.Object{ID: id.String(), Name: name}
}

const mirrorsPage = "/mirrors"

// page returns the URL of the page of what an activity is about.
func (w *Worker) page(a *db.Activity) string {
	app := w.PublicURL + "/apps/" + a.ApplicationID.String()
	switch a.Kind {
	case rollout.ActivityMirrorFailed, rollout.ActivityMirrorWorks, rollout.ActivityMirrorFound, rollout.ActivityMirrorWithdrawn:
		return w.PublicURL + mirrorsPage
	}
	switch {
	case a.InstanceID != nil:
		return app + "/machines/" + a.InstanceID.String()
	case a.GroupID != nil && a.Kind == rollout.ActivityRolloutHalted:
		return app + "/groups/" + a.GroupID.String() + "/incident"
	case a.GroupID != nil:
		return app + "/groups/" + a.GroupID.String()
	case a.ChannelID != nil:
		return app + "/channels/" + a.ChannelID.String()
	}
	return app
}

func severityName(s rollout.Severity) string {
	switch s {
	case rollout.SeveritySuccess:
		return "SUCCESS"
	case rollout.SeverityInfo:
		return "INFO"
	case rollout.SeverityWarning:
		return "WARNING"
	default:
		return "ERROR"
	}
}

func digestSummary(all []notify.Message, total int) string {
	seen := map[string]int{}
	var titles []string
	for i := range all {
		if seen[all[i].Title]++; seen[all[i].Title] == 1 {
			titles = append(titles, all[i].Title)
		}
	}
	return fmt.Sprintf("%d messages: %s", total, strings.ToLower(strings.Join(titles, ", ")))
}

func (w *Worker) testMessage(n *db.Notifier, by string, at time.Time) notify.Message {
	return notify.Message{
		Type: "test", At: at, Severity: severityName(rollout.SeverityInfo), Title: "Test", Actor: by, URL: w.PublicURL + "/activity",
		Sentence: sentence(fmt.Sprintf("%s tests the notifier %q", by, n.Name), "nothing to do"),
	}
}
