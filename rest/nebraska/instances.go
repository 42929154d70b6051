package nebraska

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/rest/endpoint"
	"github.com/coreroller/coreroller/rollout"
)

// instanceJSON is a machine. Its id is the one that the machine reports.
type instanceJSON struct {
	ID           string      `json:"id"`
	IP           string      `json:"ip"`
	OEM          string      `json:"oem,omitempty"`
	AlephVersion string      `json:"aleph_version,omitempty"`
	CreatedTS    time.Time   `json:"created_ts"`
	Application  runningJSON `json:"application"`
	Alias        string      `json:"alias,omitempty"`
}

// runningJSON is the state of the application on a machine.
type runningJSON struct {
	InstanceID          string         `json:"instance_id"`
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
		ID: row.MachineID, IP: row.Address, OEM: row.Oem, AlephVersion: row.AlephVersion, CreatedTS: row.CreatedAt.UTC(),
		Alias: cmp.Or(row.Alias, row.MachineAlias),
		Application: runningJSON{
			InstanceID: row.MachineID, ApplicationID: row.ApplicationID, GroupID: row.GroupID, Version: row.Version, CreatedTS: row.CreatedAt.UTC(),
			Status: statusOf(row.State), LastCheckForUpdates: row.LastSeenAt.UTC(), LastUpdateVersion: endpoint.OrNull(row.LastOfferVersion),
			UpdateInProgress: row.State.InFlight(),
		},
	}
	if row.LastGrantedAt != nil {
		m.Application.LastUpdateGrantedTS = new(row.LastGrantedAt.UTC())
	}
	return m
}

func statusOf(s rollout.State) *rollout.State {
	if s == rollout.StateNone {
		return nil
	}
	return &s
}

// instances lists machines of a group by id. A page that follows the previous one starts
// after its last machine; other pages skip index entries.
func (h *Handler) instances(r *http.Request) (endpoint.List, error) {
	id, err := h.groupRoutes().Find(r)
	if err != nil {
		return endpoint.List{}, err
	}
	q := endpoint.ParamsOf(r)
	p := q.Page(perPage)
	page := machines.List{Filter: h.within(q, id), Down: descending(q)}
	search(q, &page.Filter)
	status := q.Count("status")
	page.States = statesOf(status)
	version := q.Text("version")
	if version != "" {
		page.Versions = []string{version}
	}
	if q.Err != nil {
		return endpoint.List{}, q.Err
	}
	total, err := h.count(r.Context(), page.Filter)
	if err != nil {
		return endpoint.List{}, err
	}
	kind := fmt.Sprintf("%s %v %d %s %q %q", id, page.Down, status, q.Get("duration"), page.Search, version)
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
		return endpoint.Each(rows, listed), err
	})
	l.Done = func(last any) { h.Places.Put(kind, p.Skip+p.Limit, last.(*instanceJSON).ID, h.Now()) }
	l.In = &endpoint.Envelope{Name: "instances", End: func(int) map[string]any { return map[string]any{"total": total} }}
	return l, nil
}

// listed is a machine in a list, where the id replaces a missing alias.
func listed(row *db.Instance) *instanceJSON {
	m := instanceOf(row)
	m.Alias = cmp.Or(m.Alias, m.ID)
	return m
}

// from starts a list of one group after a machine.
func from(l *machines.List, machine string) {
	_ = l.After(func(values ...any) error {
		*values[0].(*string) = machine
		return nil
	})
}

// statesOf returns the states of a status in a filter; 0 is all.
func statesOf(status int) []rollout.State {
	switch {
	case status == 0:
		return nil
	case status == int(rollout.StateUndefined): // no update in progress
		return []rollout.State{rollout.StateNone, rollout.StateUndefined}
	case status > int(rollout.StateOnHold):
		return []rollout.State{} // no machine has it
	}
	return []rollout.State{rollout.State(status)} //nolint:gosec // G115: checked above
}

// descending reads the sort order; as in Nebraska descending is the default.
func descending(q *endpoint.Params) bool {
	if by := q.Get("sortFilter"); by != "" && by != "0" {
		q.Refuse("sortFilter", "must be 0: machines are sorted by id only")
	}
	order := q.Get("sortOrder")
	if order != "" && order != "0" && order != "1" {
		q.Refuse("sortOrder", "must be 0 (ascending) or 1 (descending)")
	}
	return order != "0"
}

// search reads a text that begins an id, alias or address.
func search(q *endpoint.Params, f *machines.Filter) {
	if in := q.Get("searchFilter"); in != "" && in != "All" {
		q.Refuse("searchFilter", "must be All: id, alias and address are searched together")
	}
	if f.Search = q.Text("searchValue"); f.Search != "" && q.Get("searchFilter") == "" {
		q.Refuse("searchFilter", "must be All if there is a searchValue")
	}
}

func (h *Handler) instanceCount(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := h.groupRoutes().Find(r)
	if err != nil {
		return nil, err
	}
	q := endpoint.ParamsOf(r)
	f := h.within(q, id)
	if q.Err != nil {
		return nil, q.Err
	}
	n, err := h.count(r.Context(), f)
	return countJSON{n}, err
}

// find returns the machine of the path, which must be in the group of the path.
func (h *Handler) find(r *http.Request) (*db.Instance, error) {
	group, err := h.groupRoutes().Find(r)
	if err != nil {
		return nil, err
	}
	app, err := h.App(r)
	if err != nil {
		return nil, err
	}
	machine := r.PathValue("instance")
	if !endpoint.Storable(machine) {
		return nil, endpoint.Missing("machine")
	}
	row, err := h.Fleet.View.InstanceByMachineID(r.Context(), app, machine, nil)
	if fault.CodeOf(err) == fault.NotFound || err == nil && (row.GroupID == nil || *row.GroupID != group) {
		return nil, endpoint.Missing("machine in this group")
	}
	return row, err
}

func (h *Handler) instance(_ http.ResponseWriter, r *http.Request) (any, error) {
	row, err := h.find(r)
	if err != nil {
		return nil, err
	}
	return instanceOf(row), nil
}

// updateInstance sets the alias of a machine in all applications, because Nebraska has one
// for all.
func (h *Handler) updateInstance(w http.ResponseWriter, r *http.Request) (any, error) {
	b, err := h.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	b.Required("alias")
	alias, machine := b.Text("alias"), r.PathValue("instance")
	b.Only()
	if err := b.Err(); err != nil {
		return nil, err
	}
	if !endpoint.Storable(machine) {
		return nil, endpoint.Missing("machine")
	}
	rows, err := h.Fleet.View.MachineEverywhere(r.Context(), machine, nil)
	if err == nil && len(rows) == 0 {
		err = endpoint.Missing("machine")
	}
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if rows[i], err = h.Fleet.SetInstanceAlias(r.Context(), fleet.SetInstanceAlias{ID: row.ID, Alias: alias}); err != nil {
			return nil, err
		}
	}
	return instanceOf(rows[0]), nil
}

const (
	historyLimit = 20
	mostHistory  = 10_000
)

// entryJSON is one state in a machine's history.
type entryJSON struct {
	Status    rollout.State `json:"status"` // 0: no update in progress
	Version   string        `json:"version"`
	CreatedTS time.Time     `json:"created_ts"`
	ErrorCode *string       `json:"error_code"`
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
	row, err := h.find(r)
	if err != nil {
		return endpoint.List{}, err
	}
	return endpoint.NewestFirst(limit, h.Fleet.View.History(row.ID), func(e *db.HistoryEntry) entryJSON {
		entry := entryJSON{Status: e.State, Version: e.Version, CreatedTS: e.At.UTC()}
		if e.State == rollout.StateError {
			entry.ErrorCode = new(strconv.Itoa(e.Code))
		}
		return entry
	}), nil
}
