package notice

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/delivery"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/remote/notify"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// alertCheckEvery is the time between two comparisons of the states with the alerts that
// were sent.
const alertCheckEvery = 15 * time.Second

// maxAlerts caps the alerts of one notifier, most urgent first.
const maxAlerts = 500

// nextActions say what to do about what needs attention.
var nextActions = map[view.AttentionKind]string{
	view.AttentionHalted:             "look at the failed machines, then resume the rollout or promote another package",
	view.AttentionPaused:             "resume updates when the reason is gone",
	view.AttentionWaitingForApproval: "approve the next wave, or halt the rollout",
	view.AttentionPolicyWarning:      "correct the policy of the group",
	view.AttentionLostMachines:       "look at the silent machines, and halt the rollout if they do not return",
	view.AttentionFailedMachines:     "look at the failures, then release the machines or wait for the next version",
	view.AttentionNewcomersFailing:   "look at the failures of the new machines",
	view.AttentionRebootOverdue:      "reboot the machines",
	view.AttentionBadVersion:         "order a downgrade, or promote a higher package",
	view.AttentionNoPackage:          "promote a package to the channel of the group",
	view.AttentionDefaultPassword:    "change the password",
	view.AttentionRefusals:           "look at the refused requests",
	view.AttentionFailedChecks:       "look at the update address, and at proxies before it",
	view.AttentionUnknownTrack:       "create the group, or correct the track of the machines",
	view.AttentionClock:              "correct the clock of the host",
	view.AttentionProposed:           "approve or refuse the proposal",
	view.AttentionStalled:            "open the group: it names the action that helps",
	view.AttentionStorage:            "delete files that no package names, or raise the quota",
	view.AttentionDisk:               "make room on the disk of the server, or give it a larger one",
	view.AttentionMirror:             "look at the mirror and its connection to this server",
	view.AttentionRebootSlotOverdue:  "look at the machine, then release its slot",
	view.AttentionNotifier:           "correct the receiver, then enable the notifier again",
}

// NextAction says what to do about what needs attention; "" for an unknown kind.
func NextAction(k view.AttentionKind) string { return nextActions[k] }

// sendAlerts sends the states that last and those that ended to an Alertmanager: when one
// begins or ends, and each minute, because Alertmanager ends what is not repeated.
func (w *Worker) sendAlerts(ctx context.Context, n *db.Notifier) error {
	now := w.Now()
	lasting, err := w.lasting(ctx, n, now)
	if err != nil {
		return err
	}
	var known []notify.Alert
	if n.Alerts != "" {
		if err := json.Unmarshal([]byte(n.Alerts), &known); err != nil {
			return fmt.Errorf("read alerts: %w", err)
		}
	}
	all, begun, ended := merge(lasting, known, now)
	recent := n.AlertsAt != nil && now.Sub(*n.AlertsAt).Abs() < notify.AlertEvery
	if len(all) == 0 || begun+ended == 0 && recent {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	answer := w.Sender.SendAlerts(ctx, Target(n, now), all, now)
	w.count(n, answer)
	stored := all
	if answer.Delivered() {
		stored = lasting
	}
	text, _ := json.Marshal(stored) // plain values always marshal
	return w.holds(ctx, n, func(tx *store.Tx) error {
		tx.Publish(event.Event{Kind: event.NoticeSent})
		if err := tx.Client().Notifier.UpdateOneID(n.ID).SetAlerts(string(text)).SetAlertsAt(now).Exec(ctx); err != nil {
			return err
		}
		if err := w.logAlerts(ctx, tx, n, all, begun+ended > 0, answer, now); err != nil {
			return err
		}
		return w.result(ctx, tx, n, answer, now)
	})
}

// Firing counts the alerts of a notifier that last.
func Firing(n *db.Notifier) (count int) {
	var known []notify.Alert
	_ = json.Unmarshal([]byte(n.Alerts), &known) // written by this package
	for _, a := range known {
		if a.EndsAt.IsZero() {
			count++
		}
	}
	return count
}

// merge returns the alerts to send: those that last, with the time at which they began,
// and those that have ended since. It counts those that are new in either.
func merge(lasting, known []notify.Alert, now time.Time) (all []notify.Alert, begun, ended int) {
	before := map[string]notify.Alert{}
	for _, a := range known {
		before[labelKey(a)] = a
	}
	for i := range lasting {
		key := labelKey(lasting[i])
		if was, ok := before[key]; ok && was.EndsAt.IsZero() {
			lasting[i].StartsAt = was.StartsAt
		} else {
			begun++
		}
		delete(before, key)
	}
	all = slices.Clone(lasting)
	for _, a := range known {
		if _, over := before[labelKey(a)]; !over {
			continue
		}
		if a.EndsAt.IsZero() {
			a.EndsAt = now
			ended++
		}
		all = append(all, a)
	}
	return all, begun, ended
}

func labelKey(a notify.Alert) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		fmt.Fprintf(&b, "%s=%q,", name, a.Labels[name])
	}
	return b.String()
}

// lasting returns what needs attention as alerts. Several of one kind in a group are one.
func (w *Worker) lasting(ctx context.Context, n *db.Notifier, now time.Time) ([]notify.Alert, error) {
	items, err := w.View.AllAttention(as(ctx, n.TeamID))
	if err != nil {
		return nil, err
	}
	var all []notify.Alert
	at := map[string]int{}
	for _, item := range items {
		if !concerns(n, item) {
			continue
		}
		a := w.alert(item, now)
		if i, ok := at[labelKey(a)]; ok {
			all[i].Annotations["description"] = item.Sentence + "; " + all[i].Annotations["description"]
			continue
		}
		if len(all) < maxAlerts {
			at[labelKey(a)] = len(all)
			all = append(all, a)
		}
	}
	return all, nil
}

// concerns reports whether an item meets the conditions of a notifier.
func concerns(n *db.Notifier, item *view.Attention) bool {
	if item.Severity < n.MinSeverity {
		return false
	}
	if item.Notifier != nil && item.Notifier.ID == n.ID {
		return false // it would not arrive
	}
	if len(n.Applications) > 0 && (item.Application == nil || !slices.Contains(n.Applications, item.Application.ID)) {
		return false
	}
	return len(n.Groups) == 0 || item.Group != nil && slices.Contains(n.Groups, item.Group.ID)
}

// alert returns an alert. Its labels contain nothing that changes while it lasts.
func (w *Worker) alert(item *view.Attention, now time.Time) notify.Alert {
	a := notify.Alert{
		Labels:      map[string]string{"alertname": alertName(item.Kind), "severity": "warning", "job": "coreroller"},
		Annotations: map[string]string{}, URL: w.PublicURL + "/", StartsAt: now,
	}
	if item.Severity == rollout.SeverityError {
		a.Labels["severity"] = "critical"
	}
	if item.Since != nil && item.Since.Before(now) {
		a.StartsAt = *item.Since
	}
	where := ""
	if item.Group != nil && item.Application != nil {
		a.Labels["application"], a.Labels["group"] = item.Application.Name, item.Group.Name
		where = " in " + item.Application.Name + " / " + item.Group.Name
		a.URL = w.PublicURL + "/apps/" + item.Application.ID.String() + "/groups/" + item.Group.ID.String()
	}
	if item.Notifier != nil {
		a.Labels["notifier"] = item.Notifier.Name
	}
	if item.Upstream != nil {
		a.Labels["mirror"] = item.Upstream.Name
	}
	switch item.Kind {
	case view.AttentionProposed:
		a.URL = w.PublicURL + "/approvals"
	case view.AttentionMirror:
		a.URL = w.PublicURL + mirrorsPage
	case view.AttentionStorage:
		a.URL = w.PublicURL + "/storage"
	}
	a.Annotations["summary"] = alertTitle(item.Kind) + where
	a.Annotations["description"] = sentence(item.Sentence, nextActions[item.Kind])
	return a
}

// alertName is a kind in Prometheus' style, such as CoreRollerHalted.
func alertName(k view.AttentionKind) string {
	var name strings.Builder
	name.WriteString("CoreRoller")
	for part := range strings.SplitSeq(strings.ToLower(string(k)), "_") {
		name.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return name.String()
}

func alertTitle(k view.AttentionKind) string {
	text := strings.ToLower(strings.ReplaceAll(string(k), "_", " "))
	return strings.ToUpper(text[:1]) + text[1:]
}

func testAlert(m notify.Message, at time.Time) notify.Alert {
	return notify.Alert{
		Labels:      map[string]string{"alertname": "CoreRollerTest", "severity": "none", "job": "coreroller"},
		Annotations: map[string]string{"summary": m.Title, "description": m.Sentence}, URL: m.URL, StartsAt: at, EndsAt: at.Add(time.Minute),
	}
}

// logAlerts keeps a delivery for each change of the alerts, and for each failure until
// the next success. Repetitions have none: they would be most of the log.
func (w *Worker) logAlerts(ctx context.Context, tx *store.Tx, n *db.Notifier, all []notify.Alert, changed bool, answer *notify.Answer, now time.Time) error {
	if answer.Delivered() && !changed && n.FailingSince == nil {
		return nil
	}
	open, err := tx.Client().Delivery.Query().Where(delivery.NotifierID(n.ID), delivery.State(string(Pending))).First(ctx)
	if err != nil && !db.IsNotFound(err) {
		return err
	}
	var names []string
	for _, a := range all {
		state := "firing"
		if !a.EndsAt.IsZero() {
			state = "resolved"
		}
		names = append(names, fmt.Sprintf("%s %s", strings.TrimPrefix(a.Annotations["summary"], " "), state))
	}
	summary := strings.Join(names[:min(len(names), 5)], ", ")
	if len(names) > 5 {
		summary += fmt.Sprintf(" and %d more", len(names)-5)
	}
	if open == nil {
		id := store.NewID(now)
		if err := newDelivery(tx, n.ID, id, id, "alerts", summary, nil, 0, now).Exec(ctx); err != nil {
			return err
		}
		open = &db.Delivery{ID: id, Log: "[]"}
	}
	update := tx.Client().Delivery.UpdateOneID(open.ID).SetSummary(summary).SetAttempts(open.Attempts + 1).SetLog(logged(open, now, answer)).
		SetRequest(answer.Request).SetResponse(answer.Response).SetFailedAt(now)
	if answer.Delivered() {
		update.SetState(string(Delivered)).SetEndedAt(now).ClearFailedAt()
	}
	return update.Exec(ctx)
}
