package nebraska

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rest/endpoint"
)

// channelJSON is a channel with the package it points to.
type channelJSON struct {
	ID            uuid.UUID    `json:"id"`
	Name          string       `json:"name"`
	Color         string       `json:"color"`
	CreatedTS     time.Time    `json:"created_ts"`
	ApplicationID uuid.UUID    `json:"application_id"`
	PackageID     *uuid.UUID   `json:"package_id"`
	Package       *packageJSON `json:"package"`
	Arch          int          `json:"arch"`
}

func channelOf(row *db.Channel) *channelJSON {
	if row == nil {
		return nil
	}
	return &channelJSON{
		ID: row.ID, Name: row.Name, Color: row.Color, CreatedTS: row.CreatedAt.UTC(), ApplicationID: row.ApplicationID,
		PackageID: row.PackageID, Package: packageOf(row.Edges.Package), Arch: numberOf(row.Arch),
	}
}

// wholeChannel loads everything that a channel shows.
func wholeChannel() view.With { return view.Edge("package", wholePackage()) }

func (h *Handler) channelRoutes() endpoint.Noun[*channelJSON] {
	return endpoint.Noun[*channelJSON]{
		PerPage: perPage, In: of("channels"), Name: "channel", On: h.Server, IDs: h.Fleet.View.ChannelIDs, Make: h.createChannel, Change: h.updateChannel,
		Rows: func(ctx context.Context, ids []uuid.UUID) ([]*channelJSON, error) {
			rows, err := h.Fleet.View.ChannelsByID(ctx, ids, wholeChannel())
			return endpoint.Each(rows, channelOf), err
		},
		Owner: endpoint.OwnerOf(h.Fleet.View.Channel, func(row *db.Channel) uuid.UUID { return row.ApplicationID }),
		Drop: func(ctx context.Context, id uuid.UUID, force bool) error {
			return h.Fleet.DeleteChannel(ctx, fleet.DeleteChannel{ID: id, Force: force})
		},
	}
}

// onlyChannel refuses other fields. The path, not the body, names the application.
func onlyChannel(b *endpoint.Body) error {
	b.Only("id", "created_ts", "application_id", "package")
	return b.Err()
}

func (h *Handler) createChannel(ctx context.Context, app uuid.UUID, b *endpoint.Body) (uuid.UUID, error) {
	newID(b)
	in := fleet.CreateChannel{ApplicationID: app, Name: b.Text("name"), Color: b.Text("color"), Arch: newArch(b), PackageID: b.ID("package_id")}
	if err := onlyChannel(b); err != nil {
		return uuid.Nil, err
	}
	row, err := h.Fleet.CreateChannel(ctx, in)
	if err != nil {
		return uuid.Nil, err
	}
	return row.ID, nil
}

// updateChannel replaces a channel; without package_id it points to no package.
func (h *Handler) updateChannel(ctx context.Context, id uuid.UUID, b *endpoint.Body) error {
	row, err := h.Fleet.View.Channel(ctx, id, nil)
	if err != nil {
		return err
	}
	keepID(b, id)
	keepArch(b, row.Arch)
	name, color, pkg := b.Text("name"), b.Text("color"), b.ID("package_id")
	if err := onlyChannel(b); err != nil {
		return err
	}
	_, err = h.Fleet.UpdateChannel(ctx, fleet.UpdateChannel{ID: id, Name: &name, Color: &color, SetPackage: true, PackageID: pkg})
	return err
}
