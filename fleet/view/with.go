package view

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/group"
)

// With lists the edges that a read loads together with its rows, one statement
// for each edge regardless of the number of rows: it calls load with the name of
// an edge and what to load with that. Nil loads nothing; unknown edges are ignored.
type With func(load func(edge string, below With))

// Edge loads one edge.
func Edge(name string, below ...With) With {
	return func(load func(string, With)) { load(name, Edges(below...)) }
}

// Edges loads several edges.
func Edges(all ...With) With {
	return func(load func(string, With)) {
		for _, with := range all {
			if with != nil {
				with(load)
			}
		}
	}
}

// edges are the edges of a kind of row, each with the function that loads it.
type edges map[string]func(below With)

func (w With) load(known edges) {
	if w == nil {
		return
	}
	w(func(edge string, below With) {
		if load := known[edge]; load != nil {
			load(below)
		}
	})
}

// edge returns the rows of an edge if they were loaded with their parent, else it
// reads the rows of a query that match.
func edge[Q query[Q, P, O, T], P, O ~func(*sql.Selector), T any](ctx context.Context, loaded func() ([]T, error), all func() Q, match P, with func(Q)) ([]T, error) {
	rows, err := loaded()
	if db.IsNotLoaded(err) {
		return read(ctx, "rows of an edge", loading(all().Where(match), with).All)
	}
	return rows, err
}

// loading adds edges to a query.
func loading[Q any](query Q, edges func(Q)) Q {
	edges(query)
	return query
}

func (w With) applications(q *db.ApplicationQuery) {
	w.load(edges{
		"channels": func(w With) { q.WithChannels(w.channels) },
		"groups":   func(w With) { q.WithGroups(w.groups) },
		"packages": func(w With) { q.WithPackages(w.packages) },
	})
}

// groups leaves deleted groups out.
func (w With) groups(q *db.GroupQuery) {
	q.Where(group.DeletedAtIsNil())
	w.load(edges{
		"application": func(w With) { q.WithApplication(w.applications) },
		"channel":     func(w With) { q.WithChannel(w.channels) },
	})
}

func (w With) channels(q *db.ChannelQuery) {
	w.load(edges{
		"application":   func(w With) { q.WithApplication(w.applications) },
		"package":       func(w With) { q.WithPackage(w.packages) },
		"groups":        func(w With) { q.WithGroups(w.groups) },
		"floors":        func(w With) { q.WithFloors(w.floors) },
		"blacklistings": func(w With) { q.WithBlacklistings(w.blacklistings) },
	})
}

func (w With) packages(q *db.ReleaseQuery) {
	w.load(edges{
		"application":   func(w With) { q.WithApplication(w.applications) },
		"files":         func(With) { q.WithFiles() },
		"action":        func(With) { q.WithAction() },
		"channels":      func(w With) { q.WithChannels(w.channels) },
		"floors":        func(w With) { q.WithFloors(w.floors) },
		"blacklistings": func(w With) { q.WithBlacklistings(w.blacklistings) },
	})
}

// floors always loads the packages: floors are sorted by their versions.
func (w With) floors(q *db.FloorQuery) {
	q.WithPackage()
	w.load(edges{
		"channel": func(w With) { q.WithChannel(w.channels) },
		"package": func(w With) { q.WithPackage(w.packages) },
	})
}

func (w With) blacklistings(q *db.BlacklistingQuery) {
	w.load(edges{
		"channel": func(w With) { q.WithChannel(w.channels) },
		"package": func(w With) { q.WithPackage(w.packages) },
	})
}

func (w With) instances(q *db.InstanceQuery) {
	w.load(edges{
		"application": func(w With) { q.WithApplication(w.applications) },
		"group":       func(w With) { q.WithGroup(w.groups) },
	})
}

func (w With) attempts(q *db.AttemptQuery) {
	w.load(edges{"instance": func(w With) { q.WithInstance(w.instances) }})
}

// rollouts always loads the group: its policy describes the waves.
func (w With) rollouts(q *db.GroupRolloutQuery) {
	q.WithGroup()
	w.load(edges{"group": func(w With) { q.WithGroup(w.groups) }})
}
