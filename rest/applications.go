package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rest/endpoint"
)

// applicationJSON is an application with its configuration.
type applicationJSON struct {
	ID          uuid.UUID      `json:"id"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	CreatedTS   time.Time      `json:"created_ts"`
	Groups      []*groupJSON   `json:"groups"`
	Channels    []*channelJSON `json:"channels"`
	Packages    []*packageJSON `json:"packages"`
	Instances   countJSON      `json:"instances"`
}

type countJSON struct {
	Count int `json:"count"` // seen within 24 hours
}

// applicationChunk is how many applications are in memory at once: each contains
// all its packages.
const applicationChunk = 20

// applicationRows reads applications with their configuration, in a fixed number
// of statements.
func (h *Handler) applicationRows(ctx context.Context, ids []uuid.UUID) ([]*applicationJSON, error) {
	rows, err := h.Fleet.View.ApplicationsByID(ctx, ids, view.Edges(view.Edge("groups", view.Edge("channel", endpoint.WholeChannel())),
		view.Edge("channels", endpoint.WholeChannel()), view.Edge("packages", endpoint.WholePackage())))
	if err != nil {
		return nil, err
	}
	numbers, err := h.Fleet.View.ApplicationNumbers(ctx, ids)
	if err != nil {
		return nil, err
	}
	var groups []*db.Group
	for _, row := range rows {
		groups = append(groups, row.Edges.Groups...)
	}
	shown, err := h.groupsJSON(ctx, view.NewestGroups(groups))
	if err != nil {
		return nil, err
	}
	all := make([]*applicationJSON, len(rows))
	for i, row := range rows {
		channels, err := h.Fleet.View.ApplicationChannels(ctx, row, nil)
		if err != nil {
			return nil, err
		}
		a := &applicationJSON{
			ID: row.ID, Name: row.Name, Description: row.Description, CreatedTS: row.CreatedAt.UTC(), Groups: []*groupJSON{},
			Channels:  endpoint.Each(channels, channelOf),
			Packages:  endpoint.Each(view.HighestPackages(row.Edges.Packages), packageOf),
			Instances: countJSON{numbers[row.ID].Active},
		}
		for _, g := range shown {
			if g.ApplicationID == row.ID {
				a.Groups = append(a.Groups, g)
			}
		}
		all[i] = a
	}
	return all, nil
}

// applicationRoutes has only what the routes of applications share with others.
func (h *Handler) applicationRoutes() endpoint.Noun[*applicationJSON] {
	return endpoint.Noun[*applicationJSON]{PerPage: perPage, Name: "application", Rows: h.applicationRows}
}

func (h *Handler) applications(r *http.Request) (endpoint.List, error) {
	q := endpoint.ParamsOf(r)
	p := q.Page(perPage)
	if q.Err != nil {
		return endpoint.List{}, q.Err
	}
	all, err := h.Fleet.View.ApplicationIDs(r.Context())
	l := endpoint.Cut(p, all, h.applicationRows)
	l.Max = applicationChunk
	return l, err
}

func (h *Handler) application(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := h.Known(r)
	if err != nil {
		return nil, err
	}
	return h.applicationRoutes().Show(r.Context(), id)
}

func (h *Handler) createApplication(w http.ResponseWriter, r *http.Request) (any, error) {
	q := endpoint.ParamsOf(r)
	from := q.ID("clone_from")
	if q.Err != nil {
		return nil, q.Err
	}
	b, err := h.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	in := fleet.CreateApplication{Name: b.Text("name"), Description: b.Text("description"), CloneFrom: from}
	if err := b.Err(); err != nil {
		return nil, err
	}
	row, err := h.Fleet.CreateApplication(r.Context(), in)
	if err != nil {
		return nil, err
	}
	return h.applicationRoutes().Show(r.Context(), row.ID)
}

func (h *Handler) updateApplication(w http.ResponseWriter, r *http.Request) (any, error) {
	id, err := endpoint.PathID(r, "app")
	if err != nil {
		return nil, err
	}
	b, err := h.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	name, description := b.Text("name"), b.Text("description")
	if err := b.Err(); err != nil {
		return nil, err
	}
	if _, err := h.Fleet.UpdateApplication(r.Context(), fleet.UpdateApplication{ID: id, Name: &name, Description: &description}); err != nil {
		return nil, err
	}
	return h.applicationRoutes().Show(r.Context(), id)
}

func (h *Handler) deleteApplication(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := endpoint.PathID(r, "app")
	if err != nil {
		return nil, err
	}
	return nil, h.Fleet.DeleteApplication(r.Context(), fleet.DeleteApplication{ID: id, Force: endpoint.Forced(r)})
}
