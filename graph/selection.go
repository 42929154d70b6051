package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/coreroller/coreroller/ent/db"
)

// fields returns the fields that the document selects below the current field,
// along a path of names; the results of several paths are joined.
func fields(ctx context.Context, paths ...[]string) []graphql.CollectedField {
	fc, op := graphql.GetFieldContext(ctx), graphql.GetOperationContext(ctx)
	var out []graphql.CollectedField
	for _, path := range paths {
		level := []graphql.CollectedField{fc.Field}
		for _, name := range path {
			var next []graphql.CollectedField
			for _, f := range level {
				for _, child := range graphql.CollectFields(op, f.Selections, nil) {
					if child.Name == name {
						next = append(next, child)
					}
				}
			}
			level = next
		}
		for _, f := range level {
			out = append(out, graphql.CollectFields(op, f.Selections, nil)...)
		}
	}
	return out
}

// nodes returns the fields selected of the entries of a connection.
func nodes(ctx context.Context) []graphql.CollectedField {
	return fields(ctx, []string{"nodes"}, []string{"edges", "node"})
}

// asked reports whether a field is selected directly below the current one.
func asked(ctx context.Context, name string) bool {
	for _, f := range fields(ctx, nil) {
		if f.Name == name {
			return true
		}
	}
	return false
}

// preload adds the selected relations to a query, each with one statement for any
// number of rows. Connections and computed fields use loaders or are read for one
// parent at a time.
type preload struct{ op *graphql.OperationContext }

func preloads(ctx context.Context) preload { return preload{graphql.GetOperationContext(ctx)} }

func (p preload) each(selected []graphql.CollectedField, f func(name string, below []graphql.CollectedField)) {
	for _, s := range selected {
		if len(s.Selections) > 0 {
			f(s.Name, graphql.CollectFields(p.op, s.Selections, nil))
		}
	}
}

func (p preload) applications(q *db.ApplicationQuery, selected []graphql.CollectedField) *db.ApplicationQuery {
	p.each(selected, func(name string, below []graphql.CollectedField) {
		switch name {
		case "channels":
			q.WithChannels(func(q *db.ChannelQuery) { p.channels(q, below) })
		case "groups":
			q.WithGroups(func(q *db.GroupQuery) { p.groups(q, below) })
		}
	})
	return q
}

func (p preload) groups(q *db.GroupQuery, selected []graphql.CollectedField) *db.GroupQuery {
	p.each(selected, func(name string, below []graphql.CollectedField) {
		switch name {
		case "application":
			q.WithApplication(func(q *db.ApplicationQuery) { p.applications(q, below) })
		case "channel":
			q.WithChannel(func(q *db.ChannelQuery) { p.channels(q, below) })
		}
	})
	return q
}

func (p preload) channels(q *db.ChannelQuery, selected []graphql.CollectedField) *db.ChannelQuery {
	p.each(selected, func(name string, below []graphql.CollectedField) {
		switch name {
		case "application":
			q.WithApplication(func(q *db.ApplicationQuery) { p.applications(q, below) })
		case "package":
			q.WithPackage(func(q *db.ReleaseQuery) { p.packages(q, below) })
		case "groups":
			q.WithGroups(func(q *db.GroupQuery) { p.groups(q, below) })
		case "floors":
			q.WithFloors(func(q *db.FloorQuery) { p.floors(q, below) })
		case "blacklistings":
			q.WithBlacklistings(func(q *db.BlacklistingQuery) { p.blacklistings(q, below) })
		}
	})
	return q
}

func (p preload) packages(q *db.ReleaseQuery, selected []graphql.CollectedField) *db.ReleaseQuery {
	p.each(selected, func(name string, below []graphql.CollectedField) {
		switch name {
		case "application":
			q.WithApplication(func(q *db.ApplicationQuery) { p.applications(q, below) })
		case "files":
			q.WithFiles()
		case "action":
			q.WithAction()
		case "channels":
			q.WithChannels(func(q *db.ChannelQuery) { p.channels(q, below) })
		case "floors":
			q.WithFloors(func(q *db.FloorQuery) { p.floors(q, below) })
		case "blacklistings":
			q.WithBlacklistings(func(q *db.BlacklistingQuery) { p.blacklistings(q, below) })
		}
	})
	return q
}

// floors always loads the packages, because floors are sorted by version.
func (p preload) floors(q *db.FloorQuery, selected []graphql.CollectedField) *db.FloorQuery {
	q.WithPackage()
	p.each(selected, func(name string, below []graphql.CollectedField) {
		switch name {
		case "channel":
			q.WithChannel(func(q *db.ChannelQuery) { p.channels(q, below) })
		case "package":
			q.WithPackage(func(q *db.ReleaseQuery) { p.packages(q, below) })
		}
	})
	return q
}

func (p preload) blacklistings(q *db.BlacklistingQuery, selected []graphql.CollectedField) *db.BlacklistingQuery {
	q.WithPackage()
	p.each(selected, func(name string, below []graphql.CollectedField) {
		switch name {
		case "channel":
			q.WithChannel(func(q *db.ChannelQuery) { p.channels(q, below) })
		case "package":
			q.WithPackage(func(q *db.ReleaseQuery) { p.packages(q, below) })
		}
	})
	return q
}

func (p preload) instances(q *db.InstanceQuery, selected []graphql.CollectedField) *db.InstanceQuery {
	p.each(selected, func(name string, below []graphql.CollectedField) {
		switch name {
		case "application":
			q.WithApplication(func(q *db.ApplicationQuery) { p.applications(q, below) })
		case "group":
			q.WithGroup(func(q *db.GroupQuery) { p.groups(q, below) })
		}
	})
	return q
}

func (p preload) attempts(q *db.AttemptQuery, selected []graphql.CollectedField) *db.AttemptQuery {
	p.each(selected, func(name string, below []graphql.CollectedField) {
		if name == "instance" {
			q.WithInstance(func(q *db.InstanceQuery) { p.instances(q, below) })
		}
	})
	return q
}

func (p preload) rollouts(q *db.GroupRolloutQuery, selected []graphql.CollectedField) *db.GroupRolloutQuery {
	q.WithGroup() // the group's policy defines the waves
	p.each(selected, func(name string, below []graphql.CollectedField) {
		if name == "group" {
			q.WithGroup(func(q *db.GroupQuery) { p.groups(q, below) })
		}
	})
	return q
}
