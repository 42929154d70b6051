package graph

import (
	"cmp"
	"context"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/attempt"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/ent/db/historyentry"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
)

// maybe returns nil instead of a not-found error.
func maybe[T any](row *T, err error) (*T, error) {
	if db.IsNotFound(err) {
		return nil, nil
	}
	return row, err
}

// sortedBy returns a sorted copy of rows. The original may be read concurrently
// by other fields.
func sortedBy[T any, K cmp.Ordered](rows []T, key func(T) K) []T {
	return slices.SortedStableFunc(slices.Values(rows), func(a, b T) int { return cmp.Compare(key(a), key(b)) })
}

func channelName(c *db.Channel) string { return c.Name + "\x00" + c.Arch }
func groupName(g *db.Group) string     { return g.Name + "\x00" + g.Arch }

// lowestFirst sorts floors by version.
func lowestFirst(rows []*db.Floor) []*db.Floor {
	version := func(f *db.Floor) (v rollout.Version) {
		if f.Edges.Package != nil {
			v, _ = rollout.ParseVersion(f.Edges.Package.Version)
		}
		return v
	}
	return slices.SortedStableFunc(slices.Values(rows), func(a, b *db.Floor) int { return version(a).Compare(version(b)) })
}

func revision(n *int) *int64 {
	if n == nil {
		return nil
	}
	v := int64(*n)
	return &v
}

// given counts the ids that are not nil.
func given(ids ...*uuid.UUID) (n int) {
	for _, id := range ids {
		if id != nil {
			n++
		}
	}
	return n
}

func rangeLength(r model.TimelineRange) time.Duration {
	const day = 24 * time.Hour
	switch r {
	case model.TimelineRangeHour:
		return time.Hour
	case model.TimelineRangeWeek:
		return 7 * day
	case model.TimelineRangeMonth:
		return 30 * day
	case model.TimelineRangeDay:
	}
	return day
}

// packageChanges converts the input for the fleet.
func packageChanges(in model.UpdatePackageInput) fleet.UpdatePackage {
	out := fleet.UpdatePackage{
		ID: in.ID, Type: in.Type, Version: in.Version, URL: in.URL, Filename: in.Filename, Size: in.Size,
		SHA1: in.Sha1, SHA256: in.Sha256, Description: in.Description, Action: in.Action, Reason: value(in.Reason),
	}
	if in.Files != nil {
		out.Files = new([]fleet.FileInput)
		setAll(out.Files, in.Files)
	}
	if in.BlacklistedChannelIds != nil {
		out.Blacklist = &in.BlacklistedChannelIds
	}
	return out
}

// groupState combines the catalog's target, the pause of the row and the state of
// the current rollout.
func (r *Resolver) groupState(ctx context.Context, row *db.Group) (model.GroupState, error) {
	if g := r.fleet.Catalog().Group(row.ID); g == nil || g.Target == nil {
		return model.GroupStateNoPackage, nil
	}
	if !row.Policy.UpdatesEnabled {
		return model.GroupStatePaused, nil
	}
	current, err := loadersOf(ctx).current.load(ctx, row.ID)
	if err != nil || current == nil {
		return model.GroupStateRollingOut, err
	}
	switch current.State {
	case rollout.RolloutPaused:
		return model.GroupStatePaused, nil
	case rollout.RolloutHalted:
		return model.GroupStateHalted, nil
	case rollout.RolloutCompleted:
		n, err := loadersOf(ctx).groupNumbers.load(ctx, row.ID)
		if err != nil || n == nil || n.Waiting+n.InFlight > 0 { // machines were added after completion
			return model.GroupStateRollingOut, err
		}
		return model.GroupStateUpToDate, nil
	case rollout.RolloutActive, rollout.RolloutSuperseded:
	}
	return model.GroupStateRollingOut, nil
}

// groupNumbers returns the numbers of a group.
func (r *Resolver) groupNumbers(ctx context.Context, id uuid.UUID) (*view.GroupNumbers, error) {
	n, err := loadersOf(ctx).groupNumbers.load(ctx, id)
	if err == nil && n == nil {
		return nil, fault.Errorf(fault.NotFound, "", "the group was deleted")
	}
	return n, err
}

// attemptDescription describes how an attempt failed; "" when it did not fail and
// has no code.
func attemptDescription(a *db.Attempt) string {
	if a.Outcome.Failure() {
		return failureDescription(a.Outcome, a.Code)
	}
	return codeDescription(a.Code)
}

func (r *Resolver) packages(ctx context.Context, app *db.Application, f *model.PackageFilter, first *int, after *string) (*model.PackageConnection, error) {
	q := app.QueryPackages()
	if f != nil && f.Arch != nil {
		q.Where(release.Arch(*f.Arch))
	}
	if f != nil && f.Version != nil {
		q.Where(release.VersionHasPrefix(*f.Version))
	}
	o := newestCreated(func(p *db.Release) (time.Time, uuid.UUID) { return p.CreatedAt, p.ID })
	p, err := readPage(ctx, first, after, o, q.Clone().Limit(maxCounted).IDs, func(after func(*sql.Selector), n int) ([]*db.Release, error) {
		q.Where(after).Order(release.ByCreatedAt(sql.OrderDesc()), release.ByID(sql.OrderDesc())).Limit(n)
		return preloads(ctx).packages(q, nodes(ctx)).All(ctx)
	})
	return &model.PackageConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.Release) *model.PackageEdge {
			return &model.PackageEdge{Cursor: cursor, Node: node}
		}),
	}, err
}

func (r *Resolver) rollouts(ctx context.Context, g *db.Group, first *int, after *string) (*model.RolloutConnection, error) {
	q := g.QueryRollouts()
	o := newestCreated(func(r *db.GroupRollout) (time.Time, uuid.UUID) { return r.CreatedAt, r.ID })
	p, err := readPage(ctx, first, after, o, q.Clone().Limit(maxCounted).IDs, func(after func(*sql.Selector), n int) ([]*db.GroupRollout, error) {
		q.Where(after).Order(grouprollout.ByCreatedAt(sql.OrderDesc()), grouprollout.ByID(sql.OrderDesc())).Limit(n)
		return preloads(ctx).rollouts(q, nodes(ctx)).All(ctx)
	})
	return &model.RolloutConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.GroupRollout) *model.RolloutEdge {
			return &model.RolloutEdge{Cursor: cursor, Node: node}
		}),
	}, err
}

func attempts(ctx context.Context, m *db.Instance, first *int, after *string) (*model.AttemptConnection, error) {
	q := m.QueryAttempts()
	o := newestID(func(a *db.Attempt) uuid.UUID { return a.ID })
	p, err := readPage(ctx, first, after, o, q.Clone().Limit(maxCounted).IDs, func(after func(*sql.Selector), n int) ([]*db.Attempt, error) {
		page := q.Where(after).Order(attempt.ByID(sql.OrderDesc())).Limit(n)
		return preloads(ctx).attempts(page, nodes(ctx)).All(ctx)
	})
	return attemptConnection(p), err
}

func attemptConnection(p page[*db.Attempt]) *model.AttemptConnection {
	return &model.AttemptConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.Attempt) *model.AttemptEdge {
			return &model.AttemptEdge{Cursor: cursor, Node: node}
		}),
	}
}

func history(ctx context.Context, m *db.Instance, first *int, after *string) (*model.HistoryConnection, error) {
	q := m.QueryHistory()
	o := newestID(func(e *db.HistoryEntry) uuid.UUID { return e.ID })
	p, err := readPage(ctx, first, after, o, q.Clone().Limit(maxCounted).IDs, func(after func(*sql.Selector), n int) ([]*db.HistoryEntry, error) {
		return q.Where(after).Order(historyentry.ByID(sql.OrderDesc())).Limit(n).All(ctx)
	})
	return &model.HistoryConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.HistoryEntry) *model.HistoryEdge {
			return &model.HistoryEdge{Cursor: cursor, Node: node}
		}),
	}, err
}

func (r *Resolver) updatePath(ctx context.Context, channel uuid.UUID, from string) (*model.UpdatePath, error) {
	path, err := r.fleet.View.UpdatePath(ctx, channel, from)
	if err != nil {
		return nil, err
	}
	out := &model.UpdatePath{Steps: []*db.Release{}, Reason: path.Reason, Sentence: path.Sentence}
	if len(path.Steps) == 0 {
		return out, nil
	}
	rows, err := preloads(ctx).packages(r.reader.Release.Query().Where(release.IDIn(path.Steps...)), fields(ctx, []string{"steps"})).All(ctx)
	for _, id := range path.Steps {
		if i := slices.IndexFunc(rows, func(p *db.Release) bool { return p.ID == id }); i >= 0 {
			out.Steps = append(out.Steps, rows[i])
		}
	}
	return out, err
}
