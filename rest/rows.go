package rest

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/blacklisting"
	"github.com/coreroller/coreroller/ent/db/channel"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// pathID is an id of the path.
func pathID(r *http.Request, name string) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue(name))
	if err != nil {
		return id, fault.Errorf(fault.Invalid, "id", "%s: must be an id such as %s", name, catalog.FlatcarID())
	}
	return id, nil
}

// pathIDs are the ids of an application and of something in it.
func pathIDs(r *http.Request, name string) (app, id uuid.UUID, err error) {
	if app, err = pathID(r, "app"); err != nil {
		return app, id, err
	}
	id, err = pathID(r, name)
	return app, id, err
}

// known is the application of the path, if there is one.
func (h *Handler) known(r *http.Request) (uuid.UUID, error) {
	id, err := pathID(r, "app")
	if err != nil {
		return id, err
	}
	there, err := h.reader.Application.Query().Where(application.ID(id)).Exist(r.Context())
	if err == nil && !there {
		err = missing("application")
	}
	return id, err
}

func missing(what string) error {
	return fault.Errorf(fault.NotFound, "id", "there is no such %s", what)
}

// within makes a row of another application, or none, a missing one.
func within(app, of uuid.UUID, err error, what string) error {
	switch {
	case db.IsNotFound(err), err == nil && app != of:
		return missing(what)
	}
	return err
}

// wholePackage makes a query read all that a package shows.
func wholePackage(q *db.ReleaseQuery) {
	q.WithAction().WithBlacklistings(func(q *db.BlacklistingQuery) { q.Order(blacklisting.ByChannelID()) })
}

// wholeChannel makes a query read all that a channel shows.
func wholeChannel(q *db.ChannelQuery) { q.WithPackage(wholePackage) }

// The orders of lists, those of CoreRoller 1.0. They are made here because
// databases sort text in orders of their own, and none knows versions.

// key is what a row is sorted by and found with.
type key struct {
	id      uuid.UUID
	created time.Time
	text    string
	version rollout.Version
}

func youngest(a, b key) int {
	return cmp.Or(b.created.Compare(a.created), cmp.Compare(a.text, b.text), compareIDs(a, b))
}

func alphabetic(a, b key) int { return cmp.Or(cmp.Compare(a.text, b.text), compareIDs(a, b)) }

func newest(a, b key) int {
	return cmp.Or(b.version.Compare(a.version), cmp.Compare(a.text, b.text), compareIDs(a, b))
}

func compareIDs(a, b key) int { return slices.Compare(a.id[:], b.id[:]) }

func keyOfApplication(a *db.Application) key {
	return key{id: a.ID, created: a.CreatedAt, text: a.Name}
}
func keyOfGroup(g *db.Group) key {
	return key{id: g.ID, created: g.CreatedAt, text: g.Name + "\x00" + g.Arch}
}
func keyOfChannel(c *db.Channel) key { return key{id: c.ID, text: c.Name + "\x00" + c.Arch} }
func keyOfPackage(p *db.Release) key {
	v, _ := rollout.ParseVersion(p.Version)
	return key{id: p.ID, text: p.Arch, version: v}
}

// sortRows sorts rows by their keys.
func sortRows[T any](rows []T, keyOf func(T) key, order func(a, b key) int) []T {
	return slices.SortedFunc(slices.Values(rows), func(a, b T) int { return order(keyOf(a), keyOf(b)) })
}

// keys are the sorted keys of rows.
func keys[T any](rows []T, err error, keyOf func(T) key, order func(a, b key) int) ([]key, error) {
	all := make([]key, len(rows))
	for i, row := range rows {
		all[i] = keyOf(row)
	}
	slices.SortFunc(all, order)
	return all, err
}

func idsOf(part []key) []uuid.UUID {
	ids := make([]uuid.UUID, len(part))
	for i, k := range part {
		ids[i] = k.id
	}
	return ids
}

// channelRows reads channels with their packages.
func (h *Handler) channelRows(ctx context.Context, ids []uuid.UUID) ([]*db.Channel, error) {
	q := h.reader.Channel.Query().Where(channel.IDIn(ids...))
	wholeChannel(q)
	rows, err := q.All(ctx)
	return sortRows(rows, keyOfChannel, alphabetic), err
}

// packageRows reads packages whole.
func (h *Handler) packageRows(ctx context.Context, ids []uuid.UUID) ([]*db.Release, error) {
	q := h.reader.Release.Query().Where(release.IDIn(ids...))
	wholePackage(q)
	rows, err := q.All(ctx)
	return sortRows(rows, keyOfPackage, newest), err
}

// each makes what is shown of rows.
func each[T, J any](rows []T, show func(T) J) []J {
	all := make([]J, len(rows))
	for i, row := range rows {
		all[i] = show(row)
	}
	return all
}

// orNull is nil for empty text.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
