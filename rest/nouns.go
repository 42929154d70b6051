package rest

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
)

// noun serves the routes of one kind of object below an application. Its fields are
// the parts that differ between kinds; its methods are the routes.
type noun[J any] struct {
	name   string                                                               // as in paths and errors
	known  func(r *http.Request) (uuid.UUID, error)                             // returns the application of the path
	owner  func(ctx context.Context, id uuid.UUID) (uuid.UUID, error)           // returns the application of an object
	ids    func(ctx context.Context, app uuid.UUID) ([]uuid.UUID, error)        // returns all objects of an application, in order
	rows   func(ctx context.Context, ids []uuid.UUID) ([]J, error)              // reads objects
	make   func(ctx context.Context, app uuid.UUID, b *body) (uuid.UUID, error) // creates an object
	change func(ctx context.Context, id uuid.UUID, b *body) error               // replaces the fields of an object
	drop   func(ctx context.Context, id uuid.UUID, force bool) error            // deletes an object
}

// ownerOf returns the owner of an object that the view reads.
func ownerOf[T any](read func(context.Context, uuid.UUID, view.With) (T, error), app func(T) uuid.UUID) func(context.Context, uuid.UUID) (uuid.UUID, error) {
	return func(ctx context.Context, id uuid.UUID) (owner uuid.UUID, err error) {
		row, err := read(ctx, id, nil)
		if err == nil {
			owner = app(row)
		}
		return owner, err
	}
}

// find returns the object of the path, which must be in the application of the path.
func (n noun[J]) find(r *http.Request) (uuid.UUID, error) {
	app, err := pathID(r, "app")
	if err != nil {
		return app, err
	}
	id, err := pathID(r, n.name)
	if err != nil {
		return id, err
	}
	owner, err := n.owner(r.Context(), id)
	if err == nil && owner != app {
		err = missing(n.name)
	}
	return id, err
}

func (n noun[J]) list(r *http.Request) (list, error) {
	q := paramsOf(r)
	p := q.page()
	if q.err != nil {
		return list{}, q.err
	}
	app, err := n.known(r)
	if err != nil {
		return list{}, err
	}
	ids, err := n.ids(r.Context(), app)
	return cut(p, ids, n.rows), err
}

func (n noun[J]) read(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := n.find(r)
	if err != nil {
		return nil, err
	}
	return n.show(r.Context(), id)
}

func (n noun[J]) create(w http.ResponseWriter, r *http.Request) (any, error) {
	app, err := pathID(r, "app")
	if err != nil {
		return nil, err
	}
	b, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	id, err := n.make(r.Context(), app, b)
	if err != nil {
		return nil, err
	}
	return n.show(r.Context(), id)
}

func (n noun[J]) replace(w http.ResponseWriter, r *http.Request) (any, error) {
	b, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	id, err := n.find(r)
	if err != nil {
		return nil, err
	}
	b.forced = forced(r)
	if err := n.change(r.Context(), id, b); err != nil {
		return nil, err
	}
	return n.show(r.Context(), id)
}

func (n noun[J]) remove(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := n.find(r)
	if err != nil {
		return nil, err
	}
	return nil, n.drop(r.Context(), id, forced(r))
}

func (n noun[J]) show(ctx context.Context, id uuid.UUID) (any, error) {
	rows, err := n.rows(ctx, []uuid.UUID{id})
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, fault.Errorf(fault.Conflict, "id", "the %s was deleted meanwhile", n.name)
	}
	return rows[0], nil
}

// forced reports whether a change ignores what relies on the object: ?force=true.
func forced(r *http.Request) bool { return r.URL.Query().Get("force") == "true" }
