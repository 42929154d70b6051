package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/coreroller/coreroller/fleet/view"
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

// asked reports whether a field is selected directly below the current one.
func asked(ctx context.Context, name string) bool {
	return slices.ContainsFunc(fields(ctx, nil), func(f graphql.CollectedField) bool { return f.Name == name })
}

// with returns the edges that the document selects below the field being
// resolved, along a path of names; several paths are joined.
func with(ctx context.Context, paths ...[]string) view.With {
	if len(paths) == 0 {
		paths = [][]string{nil}
	}
	return func(load func(string, view.With)) {
		edgesOf(graphql.GetOperationContext(ctx), fields(ctx, paths...))(load)
	}
}

// withNodes is with for the entries of a connection.
func withNodes(ctx context.Context) view.With {
	return with(ctx, []string{"nodes"}, []string{"edges", "node"})
}

// edgesOf returns the edges among the selected fields. Other objects are
// connections, or come from loaders.
func edgesOf(op *graphql.OperationContext, selected []graphql.CollectedField) view.With {
	return func(load func(string, view.With)) {
		for _, f := range selected {
			switch f.Name {
			case "application", "group", "groups", "channel", "channels", "package", "files", "action", "floors", "blacklistings", "instance":
				if len(f.Selections) > 0 {
					load(f.Name, edgesOf(op, graphql.CollectFields(op, f.Selections, nil)))
				}
			}
		}
	}
}
