package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
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
}

func channelOf(row *db.Channel) *channelJSON {
	if row == nil {
		return nil
	}
	return &channelJSON{
		ID: row.ID, Name: row.Name, Color: row.Color, CreatedTS: row.CreatedAt.UTC(), ApplicationID: row.ApplicationID,
		PackageID: row.PackageID, Package: packageOf(row.Edges.Package),
	}
}

func (h *Handler) channels(r *http.Request) (list, error) {
	app, p, err := h.pageIn(r)
	if err != nil {
		return list{}, err
	}
	all, err := h.Fleet.View.ChannelIDs(r.Context(), app)
	return cut(p, all, func(ctx context.Context, ids []uuid.UUID) ([]*channelJSON, error) {
		rows, err := h.Fleet.View.ChannelsByID(ctx, ids, wholeChannel())
		return each(rows, channelOf), err
	}), err
}

func (h *Handler) channel(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := h.channelIn(r)
	if err != nil {
		return nil, err
	}
	return h.shownChannel(r.Context(), id)
}

// channelIn returns the channel of the path, which must be in the application.
func (h *Handler) channelIn(r *http.Request) (uuid.UUID, error) {
	return inApp(r, "channel", func(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
		row, err := h.Fleet.View.Channel(ctx, id, nil)
		if err != nil {
			return uuid.Nil, err
		}
		return row.ApplicationID, nil
	})
}

func (h *Handler) createChannel(w http.ResponseWriter, r *http.Request) (any, error) {
	app, err := pathID(r, "app")
	if err != nil {
		return nil, err
	}
	b, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	in := fleet.CreateChannel{ApplicationID: app, Name: b.text("name"), Color: b.text("color"), PackageID: b.id("package_id")}
	if err := b.err(); err != nil {
		return nil, err
	}
	row, err := h.Fleet.CreateChannel(r.Context(), in)
	if err != nil {
		return nil, err
	}
	return h.shownChannel(r.Context(), row.ID)
}

// updateChannel replaces a channel; without package_id it points to no package.
func (h *Handler) updateChannel(w http.ResponseWriter, r *http.Request) (any, error) {
	b, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	id, err := h.channelIn(r)
	if err != nil {
		return nil, err
	}
	name, color, pkg := b.text("name"), b.text("color"), b.id("package_id")
	if err := b.err(); err != nil {
		return nil, err
	}
	_, err = h.Fleet.UpdateChannel(r.Context(), fleet.UpdateChannel{ID: id, Name: &name, Color: &color, SetPackage: true, PackageID: pkg})
	if err != nil {
		return nil, err
	}
	return h.shownChannel(r.Context(), id)
}

func (h *Handler) shownChannel(ctx context.Context, id uuid.UUID) (any, error) {
	rows, err := h.Fleet.View.ChannelsByID(ctx, []uuid.UUID{id}, wholeChannel())
	if err != nil || len(rows) == 0 {
		return nil, gone(err, "channel")
	}
	return channelOf(rows[0]), nil
}

func (h *Handler) deleteChannel(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := h.channelIn(r)
	if err != nil {
		return nil, err
	}
	return nil, h.Fleet.DeleteChannel(r.Context(), fleet.DeleteChannel{ID: id})
}
