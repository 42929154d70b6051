package endpoint

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
)

// Noun serves the routes of one kind of object below an application. Its fields are
// the parts that differ between kinds; its methods are the routes.
type Noun[J any] struct {
	PerPage int                       // default page size
	In      func(total int) *Envelope // nil: lists are bare arrays
	Name    string                    // as in paths and errors
	On      *Server
	Owner   func(ctx context.Context, id uuid.UUID) (uuid.UUID, error)           // returns the application of an object
	IDs     func(ctx context.Context, app uuid.UUID) ([]uuid.UUID, error)        // returns all objects of an application, in order
	Rows    func(ctx context.Context, ids []uuid.UUID) ([]J, error)              // reads objects
	Make    func(ctx context.Context, app uuid.UUID, b *Body) (uuid.UUID, error) // creates an object
	Change  func(ctx context.Context, id uuid.UUID, b *Body) error               // replaces the fields of an object
	Drop    func(ctx context.Context, id uuid.UUID, force bool) error            // deletes an object
}

// OwnerOf returns the owner of an object that the view reads.
func OwnerOf[T any](read func(context.Context, uuid.UUID, view.With) (T, error), app func(T) uuid.UUID) func(context.Context, uuid.UUID) (uuid.UUID, error) {
	return func(ctx context.Context, id uuid.UUID) (owner uuid.UUID, err error) {
		row, err := read(ctx, id, nil)
		if err == nil {
			owner = app(row)
		}
		return owner, err
	}
}

// Find returns the object of the path, which must be in the application of the path.
func (n Noun[J]) Find(r *http.Request) (uuid.UUID, error) {
	app, err := n.On.App(r)
	if err != nil {
		return app, err
	}
	id, err := PathID(r, n.Name)
	if err != nil {
		return id, err
	}
	owner, err := n.Owner(r.Context(), id)
	if err == nil && owner != app {
		err = Missing(n.Name)
	}
	return id, err
}

// List is the route that lists the objects of an application.
func (n Noun[J]) List(r *http.Request) (List, error) {
	q := ParamsOf(r)
	p := q.Page(n.PerPage)
	if q.Err != nil {
		return List{}, q.Err
	}
	app, err := n.On.Known(r)
	if err != nil {
		return List{}, err
	}
	ids, err := n.IDs(r.Context(), app)
	l := Cut(p, ids, n.Rows)
	if n.In != nil {
		l.In = n.In(len(ids))
	}
	return l, err
}

// Read is the route that reads an object.
func (n Noun[J]) Read(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := n.Find(r)
	if err != nil {
		return nil, err
	}
	return n.Show(r.Context(), id)
}

// Create is the route that creates an object.
func (n Noun[J]) Create(w http.ResponseWriter, r *http.Request) (any, error) {
	app, err := n.On.App(r)
	if err != nil {
		return nil, err
	}
	b, err := n.On.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	id, err := n.Make(r.Context(), app, b)
	if err != nil {
		return nil, err
	}
	return n.Show(r.Context(), id)
}

// Replace is the route that replaces the fields of an object.
func (n Noun[J]) Replace(w http.ResponseWriter, r *http.Request) (any, error) {
	b, err := n.On.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	id, err := n.Find(r)
	if err != nil {
		return nil, err
	}
	b.Forced = Forced(r)
	if err := n.Change(r.Context(), id, b); err != nil {
		return nil, err
	}
	return n.Show(r.Context(), id)
}

// Remove is the route that deletes an object.
func (n Noun[J]) Remove(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := n.Find(r)
	if err != nil {
		return nil, err
	}
	return nil, n.Drop(r.Context(), id, Forced(r))
}

// Show reads an object for an answer.
func (n Noun[J]) Show(ctx context.Context, id uuid.UUID) (any, error) {
	rows, err := n.Rows(ctx, []uuid.UUID{id})
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, fault.Errorf(fault.Conflict, "id", "the %s was deleted meanwhile", n.Name)
	}
	return rows[0], nil
}

// Forced reports whether a change ignores what relies on the object: ?force=true.
func Forced(r *http.Request) bool { return r.URL.Query().Get("force") == "true" }
