package nebraska

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
	ProductID   *string        `json:"product_id"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	CreatedTS   time.Time      `json:"created_ts"`
	Groups      []*groupJSON   `json:"groups"`
	Channels    []*channelJSON `json:"channels"`
	Instances   countJSON      `json:"instances"`
}

type countJSON struct {
	Count int `json:"count"`
}

// applicationChunk is how many applications are in memory at once.
const applicationChunk = 20

// applicationRows reads applications with their configuration, in a fixed number of
// statements.
func (h *Handler) applicationRows(ctx context.Context, ids []uuid.UUID) ([]*applicationJSON, error) {
	rows, err := h.Fleet.View.ApplicationsByID(ctx, ids, view.Edges(view.Edge("groups", view.Edge("channel", wholeChannel())), view.Edge("channels", wholeChannel())))
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
			ID: row.ID, ProductID: row.ProductID, Name: row.Name, Description: row.Description, CreatedTS: row.CreatedAt.UTC(), Groups: []*groupJSON{},
			Channels: endpoint.Each(channels, channelOf), Instances: countJSON{numbers[row.ID].Active},
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
	return endpoint.Noun[*applicationJSON]{Name: "application", Rows: h.applicationRows}
}

func (h *Handler) applications(r *http.Request) (endpoint.List, error) {
	q := endpoint.ParamsOf(r)
	p := q.Page(perPage)
	if q.Err != nil {
		return endpoint.List{}, q.Err
	}
	all, err := h.Fleet.View.ApplicationIDs(r.Context())
	l := endpoint.Cut(p, all, h.applicationRows)
	l.Max, l.In = applicationChunk, counted("applications", len(all))
	return l, err
}

func (h *Handler) application(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := h.Known(r)
	if err != nil {
		return nil, err
	}
	return h.applicationRoutes().Show(r.Context(), id)
}

// newApplication reads an application. The lists that an answer contains are read-only.
func newApplication(b *endpoint.Body) (name, description, product string) {
	b.Required("name")
	name, description, product = b.Text("name"), b.Text("description"), b.Text("product_id")
	b.Only("id", "created_ts", "groups", "channels", "packages", "instances")
	return name, description, product
}

func (h *Handler) createApplication(w http.ResponseWriter, r *http.Request) (any, error) {
	in := fleet.CreateApplication{}
	if from := r.URL.Query().Get("clone_from"); from != "" {
		id, err := h.Fleet.View.ApplicationNamed(r.Context(), from)
		if err != nil {
			return nil, err
		}
		in.CloneFrom = &id
	}
	b, err := h.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	newID(b)
	name, description, product := newApplication(b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	in.Name, in.Description, in.ProductID = name, description, &product
	row, err := h.Fleet.CreateApplication(r.Context(), in)
	if err != nil {
		return nil, err
	}
	return h.applicationRoutes().Show(r.Context(), row.ID)
}

// updateApplication replaces an application: without product_id it has none.
func (h *Handler) updateApplication(w http.ResponseWriter, r *http.Request) (any, error) {
	id, err := h.App(r)
	if err != nil {
		return nil, err
	}
	b, err := h.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	keepID(b, id)
	name, description, product := newApplication(b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if _, err := h.Fleet.UpdateApplication(r.Context(), fleet.UpdateApplication{ID: id, Name: &name, Description: &description, ProductID: &product}); err != nil {
		return nil, err
	}
	return h.applicationRoutes().Show(r.Context(), id)
}

func (h *Handler) deleteApplication(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := h.App(r)
	if err != nil {
		return nil, err
	}
	return nil, h.Fleet.DeleteApplication(r.Context(), fleet.DeleteApplication{ID: id, Force: endpoint.Forced(r)})
}
