package nebraska

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rest/endpoint"
)

// floorsPerPage is the default page size of floors.
const floorsPerPage = 100

// floors lists the floors of a channel, lowest version first. The answer has the counts of
// Nebraska's server and those of its description, which differ.
func (h *Handler) floors(r *http.Request) (endpoint.List, error) {
	q := endpoint.ParamsOf(r)
	p := q.Page(floorsPerPage)
	if q.Err != nil {
		return endpoint.List{}, q.Err
	}
	id, err := endpoint.PathID(r, "channel")
	if err != nil {
		return endpoint.List{}, err
	}
	ch, err := h.Fleet.View.Channel(r.Context(), id, nil)
	if err != nil {
		return endpoint.List{}, err
	}
	all, err := h.Fleet.View.ChannelFloors(r.Context(), ch, nil)
	if err != nil {
		return endpoint.List{}, err
	}
	reasons, ids := map[uuid.UUID]string{}, make([]uuid.UUID, len(all))
	for i, f := range all {
		ids[i], reasons[f.PackageID] = f.PackageID, f.Reason
	}
	l := endpoint.Cut(p, ids, func(ctx context.Context, part []uuid.UUID) ([]*packageJSON, error) {
		rows, err := h.packageRows(ctx, part)
		for _, row := range rows {
			row.IsFloor, row.FloorReason = true, endpoint.OrNull(reasons[row.ID])
		}
		return rows, err
	})
	total := len(all)
	l.In = &endpoint.Envelope{Name: "packages", End: func(count int) map[string]any {
		return map[string]any{
			"count": count, "totalCount": total,
			"total_count": total, "current_page": p.Skip/p.Limit + 1, "last_page": max(1, (total-1)/p.Limit+1),
		}
	}}
	return l, nil
}

// floorOf returns the channel and the package of the path, which must both exist.
func (h *Handler) floorOf(r *http.Request) (ch, pkg uuid.UUID, err error) {
	if ch, err = endpoint.PathID(r, "channel"); err != nil {
		return ch, pkg, err
	}
	if pkg, err = endpoint.PathID(r, "package"); err != nil {
		return ch, pkg, err
	}
	if _, err = h.Fleet.View.Channel(r.Context(), ch, nil); err != nil {
		return ch, pkg, err
	}
	_, err = h.Fleet.View.Package(r.Context(), pkg, nil)
	return ch, pkg, err
}

type floorJSON struct {
	ChannelID uuid.UUID `json:"channel_id"`
	PackageID uuid.UUID `json:"package_id"`
	Status    string    `json:"status"`
}

// setFloor makes a package a floor, or changes the reason of the floor.
func (h *Handler) setFloor(w http.ResponseWriter, r *http.Request) (any, error) {
	ch, pkg, err := h.floorOf(r)
	if err != nil {
		return nil, err
	}
	reason := ""
	if r.ContentLength != 0 { // the body is optional
		b, err := h.ReadBody(w, r)
		if err != nil {
			return nil, err
		}
		reason = b.Text("floor_reason")
		b.Only()
		if err := b.Err(); err != nil {
			return nil, err
		}
	}
	if _, err := h.Fleet.AddFloor(r.Context(), fleet.AddFloor{ChannelID: ch, PackageID: pkg, Reason: reason, Again: true}); err != nil {
		return nil, err
	}
	return floorJSON{ch, pkg, "ok"}, nil
}

func (h *Handler) removeFloor(_ http.ResponseWriter, r *http.Request) (any, error) {
	ch, pkg, err := h.floorOf(r)
	if err != nil {
		return nil, err
	}
	_, err = h.Fleet.RemoveFloor(r.Context(), fleet.RemoveFloor{ChannelID: ch, PackageID: pkg})
	if fault.CodeOf(err) == fault.NotFound {
		err = endpoint.Missing("floor")
	}
	return nil, err
}

type floorChannelJSON struct {
	Channel     *channelJSON `json:"channel"`
	FloorReason *string      `json:"floor_reason"`
}

// floorChannels lists the channels of which a package is a floor.
func (h *Handler) floorChannels(r *http.Request) (endpoint.List, error) {
	id, err := h.packageRoutes().Find(r)
	if err != nil {
		return endpoint.List{}, err
	}
	pkg, err := h.Fleet.View.Package(r.Context(), id, nil)
	if err != nil {
		return endpoint.List{}, err
	}
	all, err := h.Fleet.View.PackageFloors(r.Context(), pkg, view.Edge("channel", wholeChannel()))
	if err != nil {
		return endpoint.List{}, err
	}
	l := endpoint.Cut(endpoint.Page{Limit: max(1, len(all))}, all, func(_ context.Context, part []*db.Floor) ([]floorChannelJSON, error) {
		return endpoint.Each(part, func(f *db.Floor) floorChannelJSON {
			return floorChannelJSON{channelOf(f.Edges.Channel), endpoint.OrNull(f.Reason)}
		}), nil
	})
	l.In = &endpoint.Envelope{Name: "channels", End: func(count int) map[string]any { return map[string]any{"count": count} }}
	return l, nil
}
