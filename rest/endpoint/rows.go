package endpoint

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
)

// PathID returns an id of the path.
func PathID(r *http.Request, name string) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue(name))
	if err != nil {
		return id, fault.Errorf(fault.Invalid, "id", "%s: must be an id such as %s", name, catalog.FlatcarID())
	}
	return id, nil
}

// App returns the application that the path names.
func (s *Server) App(r *http.Request) (uuid.UUID, error) {
	if s.Named != nil {
		return s.Named(r.Context(), r.PathValue("app"))
	}
	return PathID(r, "app")
}

// Known returns the application of the path if it exists.
func (s *Server) Known(r *http.Request) (uuid.UUID, error) {
	id, err := s.App(r)
	if err == nil {
		_, err = s.Fleet.View.Application(r.Context(), id, nil)
	}
	return id, err
}

// Missing is the error for an object that does not exist.
func Missing(what string) error {
	return fault.Errorf(fault.NotFound, "id", "there is no such %s", what)
}

// WholePackage loads everything that a package shows.
func WholePackage() view.With { return view.Edges(view.Edge("action"), view.Edge("blacklistings")) }

// WholeChannel loads everything that a channel shows.
func WholeChannel() view.With { return view.Edge("package", WholePackage()) }

// NewestFirst returns a page of a list of the view.
func NewestFirst[T, J any](limit int, all *view.List[T], show func(T) J) List {
	return ListOf(limit, func(ctx context.Context, n int) ([]J, error) {
		rows, err := all.Rows(ctx, n)
		if len(rows) > 0 {
			all.AfterRow(rows[len(rows)-1])
		}
		return Each(rows, show), err
	})
}

// Each converts rows.
func Each[T, J any](rows []T, show func(T) J) []J {
	all := make([]J, len(rows))
	for i, row := range rows {
		all[i] = show(row)
	}
	return all
}

// OrNull returns nil for "".
func OrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
