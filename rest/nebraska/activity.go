package nebraska

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rest/endpoint"
	"github.com/coreroller/coreroller/rollout"
)

const (
	// recent is the length of the time span without a start.
	recent = 3 * 24 * time.Hour
	// mostCounted is the maximum of totalCount, because entries are counted one by one.
	mostCounted = 100_000
)

// activityJSON is one activity.
type activityJSON struct {
	ID              uuid.UUID            `json:"id"`
	AppID           uuid.UUID            `json:"app_id"`
	GroupID         *uuid.UUID           `json:"group_id"`
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
		ID: row.ID, AppID: row.ApplicationID, GroupID: row.GroupID, CreatedTS: row.At.UTC(), Class: row.Kind, Severity: row.Severity,
		Version: row.Version, ApplicationName: row.ApplicationName, GroupName: endpoint.OrNull(row.GroupName),
		ChannelName: endpoint.OrNull(row.ChannelName), InstanceID: endpoint.OrNull(row.MachineID),
	}
}

// activity lists the activities of a time span, newest first. As in Nebraska the end is not
// included.
func (h *Handler) activity(r *http.Request) (endpoint.List, error) {
	q := endpoint.ParamsOf(r)
	p := q.Page(perPage)
	f := view.ActivityFilter{
		Group: q.ID("groupID"), Channel: q.ID("channelID"),
		MachineID: endpoint.OrNull(q.Text("instanceID")), Version: endpoint.OrNull(q.Text("version")),
	}
	if severity := q.Count("severity"); severity > 0 { // no entry has a severity above 100
		f.Severities = []rollout.Severity{rollout.Severity(min(severity, 100))}
	}
	now := h.Now().UTC()
	if f.Since = q.Time("start"); f.Since == nil {
		f.Since = new(now.Add(-recent))
	}
	if f.Until = q.Time("end"); f.Until == nil {
		f.Until = new(now.Add(time.Microsecond))
	}
	if q.Err != nil {
		return endpoint.List{}, q.Err
	}
	if app := q.Get("appIDorProductID"); app != "" {
		id, err := h.Fleet.View.ApplicationNamed(r.Context(), app)
		if err != nil {
			return endpoint.List{}, err
		}
		f.Application = &id
	}
	total, _, err := h.Fleet.View.Activities(f).Count(r.Context(), mostCounted)
	if err != nil {
		return endpoint.List{}, err
	}
	all := h.Fleet.View.Activities(f)
	all.Skip(p.Skip)
	l := endpoint.NewestFirst(p.Limit, all, activityOf)
	l.In = counted("activities", total)
	return l, nil
}
