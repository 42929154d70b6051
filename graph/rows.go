package graph

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
)

// maybe returns nil instead of a not-found error.
func maybe[T any](row *T, err error) (*T, error) {
	if fault.CodeOf(err) == fault.NotFound {
		return nil, nil
	}
	return row, err
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

func attention(all []*view.Attention) []*model.Attention {
	out := make([]*model.Attention, len(all))
	for i, a := range all {
		out[i] = &model.Attention{Kind: model.AttentionKind(a.Kind), Severity: a.Severity, Since: a.Since, Sentence: a.Sentence, Group: a.Group}
		if a.Group != nil {
			out[i].Application = a.Group.Edges.Application
		}
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

func (r *Resolver) packages(ctx context.Context, app *db.Application, f model.PackageFilter, first *int, after *string) (*model.PackageConnection, error) {
	l := r.fleet.View.Packages(view.PackageFilter{Application: app.ID, Arch: f.Arch, Version: f.Version}, withNodes(ctx))
	p, err := readPage(ctx, l, first, after)
	return &model.PackageConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.Release) *model.PackageEdge {
			return &model.PackageEdge{Cursor: cursor, Node: node}
		}),
	}, err
}

func (r *Resolver) rollouts(ctx context.Context, g *db.Group, first *int, after *string) (*model.RolloutConnection, error) {
	p, err := readPage(ctx, r.fleet.View.Rollouts(g.ID, withNodes(ctx)), first, after)
	return &model.RolloutConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.GroupRollout) *model.RolloutEdge {
			return &model.RolloutEdge{Cursor: cursor, Node: node}
		}),
	}, err
}

func attemptConnection(p page[*db.Attempt], err error) (*model.AttemptConnection, error) {
	return &model.AttemptConnection{
		Nodes: p.rows, PageInfo: p.info, TotalCount: p.total,
		Edges: edges(p, func(cursor string, node *db.Attempt) *model.AttemptEdge {
			return &model.AttemptEdge{Cursor: cursor, Node: node}
		}),
	}, err
}

func (r *Resolver) history(ctx context.Context, m *db.Instance, first *int, after *string) (*model.HistoryConnection, error) {
	p, err := readPage(ctx, r.fleet.View.History(m.ID), first, after)
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
	if len(path.Steps) > 0 {
		out.Steps, err = r.fleet.View.PackagesByID(ctx, path.Steps, with(ctx, []string{"steps"}))
	}
	return out, err
}
