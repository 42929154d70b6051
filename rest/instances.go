package rest

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rest/endpoint"
	"github.com/coreroller/coreroller/rollout"
)

// instanceJSON is a machine. Its id is the one that the machine reports.
type instanceJSON struct {
	ID          string      `json:"id"`
	IP          string      `json:"ip"`
	CreatedTS   time.Time   `json:"created_ts"`
	Application runningJSON `json:"application"`
}

// runningJSON is the state of the application on a machine.
type runningJSON struct {
	ApplicationID       uuid.UUID      `json:"application_id"`
	GroupID             *uuid.UUID     `json:"group_id"`
	Version             string         `json:"version"`
	CreatedTS           time.Time      `json:"created_ts"`
	Status              *rollout.State `json:"status"` // null: no update in progress
	LastCheckForUpdates time.Time      `json:"last_check_for_updates"`
	LastUpdateGrantedTS *time.Time     `json:"last_update_granted_ts"`
	LastUpdateVersion   *string        `json:"last_update_version"`
	UpdateInProgress    bool           `json:"update_in_progress"`
}

func instanceOf(row *db.Instance) *instanceJSON {
	m := &instanceJSON{
		ID: row.MachineID, IP: row.Address, CreatedTS: row.CreatedAt.UTC(),
		Application: runningJSON{
			ApplicationID: row.ApplicationID, GroupID: row.GroupID, Version: row.Version, CreatedTS: row.CreatedAt.UTC(),
			Status: statusOfState(row.State), LastCheckForUpdates: row.LastSeenAt.UTC(), LastUpdateVersion: endpoint.OrNull(row.LastOfferVersion),
			UpdateInProgress: row.State.InFlight(),
		},
	}
	if row.LastGrantedAt != nil {
		m.Application.LastUpdateGrantedTS = new(row.LastGrantedAt.UTC())
	}
	return m
}

func statusOfState(s rollout.State) *rollout.State {
	if s == rollout.StateNone {
		return nil
	}
	return &s
}

// instances lists the machines of a group that were seen within 24 hours, by id. A
// page that follows the previous one starts after its last machine; other pages
// skip index entries, see docs/rest.md.
func (h *Handler) instances(r *http.Request) (endpoint.List, error) {
	q := endpoint.ParamsOf(r)
	p, status, version := q.Page(perPage), q.Count("status"), q.Text("version")
	if q.Err != nil {
		return endpoint.List{}, q.Err
	}
	id, err := h.groupRoutes().Find(r)
	if err != nil {
		return endpoint.List{}, err
	}
	page := machines.List{Filter: machines.Filter{Group: &id, Standings: machines.Seen()}}
	switch {
	case status > int(rollout.StateOnHold):
		page.States = []rollout.State{} // no machine has it
	case status > 0:
		page.States = []rollout.State{rollout.State(status)}
	}
	if version != "" {
		page.Versions = []string{version}
	}
	kind := fmt.Sprintf("%s %d %s", id, status, version)
	more := true
	if machine, ok := h.Places.Get(kind, p.Skip, h.Now()); ok {
		from(&page, machine)
	} else if more, err = h.Fleet.View.Skip(r.Context(), &page, p.Skip); err != nil {
		return endpoint.List{}, err
	}
	l := endpoint.ListOf(p.Limit, func(ctx context.Context, n int) ([]*instanceJSON, error) {
		if !more {
			return nil, nil
		}
		page.Limit = n
		rows, err := h.Fleet.View.Machines(ctx, page, nil)
		if len(rows) > 0 {
			from(&page, rows[len(rows)-1].MachineID)
		}
		return endpoint.Each(rows, instanceOf), err
	})
	l.Done = func(last any) {
		h.Places.Put(kind, p.Skip+p.Limit, last.(*instanceJSON).ID, h.Now())
	}
	return l, nil
}

// from starts a list of one group after a machine.
func from(l *machines.List, machine string) {
	_ = l.After(func(values ...any) error {
		*values[0].(*string) = machine
		return nil
	})
}

const (
	historyLimit = 20
	mostHistory  = 10_000
)

// entryJSON is one state in a machine's history.
type entryJSON struct {
	Status    *rollout.State `json:"status"` // null: no update in progress
	Version   string         `json:"version"`
	CreatedTS time.Time      `json:"created_ts"`
}

// statusHistory lists the last states of a machine.
func (h *Handler) statusHistory(r *http.Request) (endpoint.List, error) {
	q := endpoint.ParamsOf(r)
	limit := cmp.Or(q.Count("limit"), historyLimit)
	if limit > mostHistory {
		q.Refuse("limit", fmt.Sprintf("must be at most %d", mostHistory))
	}
	if q.Err != nil {
		return endpoint.List{}, q.Err
	}
	group, err := h.groupRoutes().Find(r)
	if err != nil {
		return endpoint.List{}, err
	}
	app, machine := r.PathValue("app"), r.PathValue("instance")
	if !endpoint.Storable(machine) {
		return endpoint.List{}, endpoint.Missing("machine")
	}
	row, err := h.Fleet.View.InstanceByMachineID(r.Context(), uuid.MustParse(app), machine, nil)
	if fault.CodeOf(err) == fault.NotFound || err == nil && (row.GroupID == nil || *row.GroupID != group) {
		return endpoint.List{}, endpoint.Missing("machine in this group")
	}
	if err != nil {
		return endpoint.List{}, err
	}
	return endpoint.NewestFirst(limit, h.Fleet.View.History(row.ID), func(e *db.HistoryEntry) entryJSON {
		return entryJSON{Status: statusOfState(e.State), Version: e.Version, CreatedTS: e.At.UTC()}
	}), nil
}
