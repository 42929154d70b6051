package rest

import (
	"net/http"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rest/endpoint"
	"github.com/coreroller/coreroller/rollout"
)

// recent is the length of the time span without a start.
const recent = 3 * 24 * time.Hour

// activityJSON is one activity.
type activityJSON struct {
	CreatedTS       time.Time            `json:"created_ts"`
	Class           rollout.ActivityKind `json:"class"`
	Severity        rollout.Severity     `json:"severity"`
	Version         string               `json:"version"`
	ApplicationName string               `json:"application_name"`
	GroupName       *string              `json:"group_name"`
	ChannelName     *string              `json:"channel_name"`
	InstanceID      *string              `json:"instance_id"` // the id that the machine reports
}

func activityOf(row *db.Activity) activityJSON {
	return activityJSON{
		CreatedTS: row.At.UTC(), Class: row.Kind, Severity: row.Severity, Version: row.Version, ApplicationName: row.ApplicationName,
		GroupName: endpoint.OrNull(row.GroupName), ChannelName: endpoint.OrNull(row.ChannelName), InstanceID: endpoint.OrNull(row.MachineID),
	}
}

// activity lists activities, newest first. It reads the entries of the time
// span, of the group or application if there is one, and filters them.
func (h *Handler) activity(r *http.Request) (endpoint.List, error) {
	q := endpoint.ParamsOf(r)
	p := q.Page(perPage)
	f := view.ActivityFilter{
		Application: q.ID("app"), Group: q.ID("group"), Channel: q.ID("channel"),
		MachineID: endpoint.OrNull(q.Text("instance")), Version: endpoint.OrNull(q.Text("version")),
	}
	if severity := q.Count("severity"); severity > 0 { // no entry has a severity above 100
		f.Severities = []rollout.Severity{rollout.Severity(min(severity, 100))}
	}
	now := h.Now().UTC()
	if f.Since = q.Time("start"); f.Since == nil {
		f.Since = new(now.Add(-recent))
	}
	if f.Until = q.Time("end"); f.Until == nil {
		f.Until = &now
	}
	if q.Err != nil {
		return endpoint.List{}, q.Err
	}
	// The end is included. Databases store microseconds.
	f.Until = new(f.Until.Truncate(time.Microsecond).Add(time.Microsecond))
	all := h.Fleet.View.Activities(f)
	all.Skip(p.Skip)
	return endpoint.NewestFirst(p.Limit, all, activityOf), nil
}
