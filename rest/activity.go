package rest

import (
	"context"
	"net/http"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/activity"
	"github.com/coreroller/coreroller/ent/db/predicate"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

// recent is how far back activity goes unless told.
const recent = 3 * day

// activityJSON is one line of what happened.
type activityJSON struct {
	CreatedTS       time.Time            `json:"created_ts"`
	Class           rollout.ActivityKind `json:"class"`
	Severity        rollout.Severity     `json:"severity"`
	Version         string               `json:"version"`
	ApplicationName string               `json:"application_name"`
	GroupName       *string              `json:"group_name"`
	ChannelName     *string              `json:"channel_name"`
	InstanceID      *string              `json:"instance_id"` // the machine's own
}

func activityOf(row *db.Activity) activityJSON {
	return activityJSON{
		CreatedTS: row.At.UTC(), Class: row.Kind, Severity: row.Severity, Version: row.Version, ApplicationName: row.ApplicationName,
		GroupName: orNull(row.GroupName), ChannelName: orNull(row.ChannelName), InstanceID: orNull(row.MachineID),
	}
}

// activity lists what happened, newest first. It reads the entries of the
// span of time, of the group or application if one is named, and sifts.
func (h *Handler) activity(r *http.Request) (list, error) {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return list{}, err
	}
	where, err := h.activityConditions(r)
	if err != nil {
		return list{}, err
	}
	after, skip := func(*sql.Selector) {}, p.skip
	return listOf(p.limit, func(ctx context.Context, n int) ([]activityJSON, error) {
		rows, err := h.reader.Activity.Query().Where(where...).Where(after).
			Order(activity.ByID(sql.OrderDesc())).Offset(skip).Limit(n).All(ctx)
		if skip = 0; len(rows) > 0 {
			after = activity.IDLT(rows[len(rows)-1].ID)
		}
		return each(rows, activityOf), err
	}), nil
}

func (h *Handler) activityConditions(r *http.Request) (where []predicate.Activity, err error) {
	q := r.URL.Query()
	for _, c := range []struct {
		name string
		is   func(uuid.UUID) predicate.Activity
	}{{"app", activity.ApplicationID}, {"group", activity.GroupID}, {"channel", activity.ChannelID}} {
		id, err := idIn(q, c.name)
		if err != nil {
			return nil, err
		}
		if id != nil {
			where = append(where, c.is(*id))
		}
	}
	for _, c := range []struct {
		name string
		is   func(string) predicate.Activity
	}{{"instance", activity.MachineID}, {"version", activity.Version}} {
		text, err := textIn(q, c.name)
		if err != nil {
			return nil, err
		}
		if text != "" {
			where = append(where, c.is(text))
		}
	}
	severity, err := count(q, "severity")
	if err != nil {
		return nil, err
	}
	if severity > 0 { // what is above all of them is none of them
		where = append(where, activity.SeverityEQ(rollout.Severity(min(severity, 100))))
	}
	start, err := timeIn(q, "start")
	if err != nil {
		return nil, err
	}
	end, err := timeIn(q, "end")
	if err != nil {
		return nil, err
	}
	now := h.Now().UTC()
	if start == nil {
		start = new(now.Add(-recent))
	}
	if end == nil {
		end = &now
	}
	return append(where, activity.AtGTE(*start), activity.IDGTE(view.FirstID(*start)),
		activity.AtLTE(*end), activity.IDLT(view.FirstID(end.Add(time.Millisecond)))), nil
}
