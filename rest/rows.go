package rest

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
)

// pathID returns an id of the path.
func pathID(r *http.Request, name string) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue(name))
	if err != nil {
		return id, fault.Errorf(fault.Invalid, "id", "%s: must be an id such as %s", name, catalog.FlatcarID())
	}
	return id, nil
}

// known returns the application of the path if it exists.
func (h *Handler) known(r *http.Request) (uuid.UUID, error) {
	id, err := pathID(r, "app")
	if err == nil {
		_, err = h.Fleet.View.Application(r.Context(), id, nil)
	}
	return id, err
}

func missing(what string) error {
	return fault.Errorf(fault.NotFound, "id", "there is no such %s", what)
}

// wholePackage loads everything that a package shows.
func wholePackage() view.With { return view.Edges(view.Edge("action"), view.Edge("blacklistings")) }

// wholeChannel loads everything that a channel shows.
func wholeChannel() view.With { return view.Edge("package", wholePackage()) }

// newestFirst returns a page of a list of the view.
func newestFirst[T, J any](limit int, all *view.List[T], show func(T) J) list {
	return listOf(limit, func(ctx context.Context, n int) ([]J, error) {
		rows, err := all.Rows(ctx, n)
		if len(rows) > 0 {
			all.AfterRow(rows[len(rows)-1])
		}
		return each(rows, show), err
	})
}

// each converts rows.
func each[T, J any](rows []T, show func(T) J) []J {
	all := make([]J, len(rows))
	for i, row := range rows {
		all[i] = show(row)
	}
	return all
}

// orNull returns nil for "".
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
