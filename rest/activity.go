package rest

import (
	"net/http"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
)

// recent is the length of the time span without a start.
const recent = 3 * day

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
		GroupName: orNull(row.GroupName), ChannelName: orNull(row.ChannelName), InstanceID: orNull(row.MachineID),
	}
}

// activity lists activities, newest first. It reads the entries of the time
// span, of the group or application if there is one, and filters them.
func (h *Handler) activity(r *http.Request) (list, error) {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return list{}, err
	}
	f, err := h.activityFilter(r)
	if err != nil {
		return list{}, err
	}
	all := h.Fleet.View.Activities(f)
	all.Skip(p.skip)
	return newestFirst(p.limit, all, activityOf), nil
}

func (h *Handler) activityFilter(r *http.Request) (f view.ActivityFilter, err error) {
	q := r.URL.Query()
	if f.Application, err = idIn(q, "app"); err != nil {
		return f, err
	}
	if f.Group, err = idIn(q, "group"); err != nil {
		return f, err
	}
	if f.Channel, err = idIn(q, "channel"); err != nil {
		return f, err
	}
	machine, err := textIn(q, "instance")
	if err != nil {
		return f, err
	}
	version, err := textIn(q, "version")
	if err != nil {
		return f, err
	}
	f.MachineID, f.Version = orNull(machine), orNull(version)
	severity, err := count(q, "severity")
	if err != nil {
		return f, err
	}
	if severity > 0 { // no entry has a severity above 100
		f.Severities = []rollout.Severity{rollout.Severity(min(severity, 100))}
	}
	if f.Since, err = timeIn(q, "start"); err != nil {
		return f, err
	}
	end, err := timeIn(q, "end")
	if err != nil {
		return f, err
	}
	now := h.Now().UTC()
	if f.Since == nil {
		f.Since = new(now.Add(-recent))
	}
	if end == nil {
		end = &now
	}
	// The end is included. Databases store microseconds.
	f.Until = new(end.Truncate(time.Microsecond).Add(time.Microsecond))
	return f, nil
}
