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

func (r *queryResolver) Group(ctx context.Context, id uuid.UUID) (*db.Group, error) {
	return maybe(r.fleet.View.Group(ctx, id, with(ctx)))
}

func (r *queryResolver) ControlImpact(ctx context.Context, groupID uuid.UUID, control view.Control) (*view.Impact, error) {
	return r.fleet.View.ControlImpact(ctx, groupID, control)
}

func (r *queryResolver) Timeline(ctx context.Context, groupID uuid.UUID, length model.TimelineRange) (*view.Timeline, error) {
	until := r.Now()
	return r.fleet.View.Timeline(ctx, groupID, until.Add(-timelineLengths[length]), until)
}

var timelineLengths = map[model.TimelineRange]time.Duration{
	model.TimelineRangeHour:  time.Hour,
	model.TimelineRangeDay:   24 * time.Hour,
	model.TimelineRangeWeek:  7 * 24 * time.Hour,
	model.TimelineRangeMonth: 30 * 24 * time.Hour,
}

// State combines the catalog's target, the pause of the row and the state of the
// current rollout.
func (r *groupResolver) State(ctx context.Context, obj *db.Group) (model.GroupState, error) {
	if g := r.fleet.Catalog().Group(obj.ID); g == nil || g.Target == nil {
		return model.GroupStateNoPackage, nil
	}
	if !obj.Policy.UpdatesEnabled {
		return model.GroupStatePaused, nil
	}
	current, err := loadersOf(ctx).current.load(ctx, obj.ID)
	if err != nil || current == nil {
		return model.GroupStateRollingOut, err
	}
	switch current.State {
	case rollout.RolloutPaused:
		return model.GroupStatePaused, nil
	case rollout.RolloutHalted:
		return model.GroupStateHalted, nil
	case rollout.RolloutCompleted:
		n, err := loadersOf(ctx).groupNumbers.load(ctx, obj.ID)
		if err != nil || n == nil || n.Waiting+n.InFlight+n.Recalled > 0 { // machines were added after completion
			return model.GroupStateRollingOut, err
		}
		if n.Below() > 0 {
			return model.GroupStateIncomplete, nil
		}
		return model.GroupStateUpToDate, nil
	case rollout.RolloutActive, rollout.RolloutSuperseded:
		if !current.Stall.Since.IsZero() {
			return model.GroupStateStalled, nil
		}
	}
	return model.GroupStateRollingOut, nil
}

func (r *groupResolver) PolicySentence(_ context.Context, obj *db.Group) (string, error) {
	sentence, _ := describe(obj.Policy)
	return sentence, nil
}

func (r *groupResolver) PolicyWarnings(ctx context.Context, obj *db.Group) ([]string, error) {
	_, warnings := describe(obj.Policy)
	canaries, err := r.fleet.View.PolicyCanaries(ctx, obj.ID, obj.Policy, nil)
	return append(warnings, canaries...), err
}

func (r *groupResolver) Pause(_ context.Context, obj *db.Group) (*model.Pause, error) {
	if obj.Policy.UpdatesEnabled {
		return nil, nil
	}
	return &model.Pause{By: obj.PausedBy, Reason: obj.PauseReason, At: obj.PausedAt}, nil
}

func (r *groupResolver) CurrentHold(ctx context.Context, obj *db.Group) (*view.Hold, error) {
	return loadersOf(ctx).groupHolds.load(ctx, obj.ID)
}

func (r *groupResolver) Numbers(ctx context.Context, obj *db.Group) (*view.GroupNumbers, error) {
	n, err := loadersOf(ctx).groupNumbers.load(ctx, obj.ID)
	if err == nil && n == nil {
		return nil, fault.Errorf(fault.NotFound, "", "the group was deleted")
	}
	return n, err
}

func (r *groupResolver) Rollout(ctx context.Context, obj *db.Group) (*db.GroupRollout, error) {
	row, err := loadersOf(ctx).current.load(ctx, obj.ID)
	if row == nil || err != nil {
		return nil, err
	}
	own := *row // the loader shares the rollout with fields that select other parts of its group
	own.Edges.Group = obj
	return &own, nil
}

func (r *groupResolver) Rollouts(ctx context.Context, obj *db.Group, first *int, after *string) (*model.RolloutConnection, error) {
	return readPage(ctx, r.fleet.View.Rollouts(obj.ID, withNodes(ctx)), first, after)
}

func (r *groupNumbersResolver) Funnel(ctx context.Context, obj *view.GroupNumbers) (*rollout.Counts, error) {
	counted, err := loadersOf(ctx).waves.load(ctx, obj.RolloutID)
	return new(view.SumWaves(counted)), err
}

func (r *groupNumbersResolver) Failures(ctx context.Context, obj *view.GroupNumbers) ([]*db.Failure, error) {
	rows, err := loadersOf(ctx).failures.load(ctx, obj.RolloutID)
	return view.FailureCounts(rows), err
}

func (r *mutationResolver) CreateGroup(ctx context.Context, input model.CreateGroupInput) (*model.GroupPayload, error) {
	policy := newPolicy(input.Policy)
	return payload(r.fleet.CreateGroup(ctx, fleet.CreateGroup{
		ApplicationID: input.ApplicationID, Name: input.Name, Track: value(input.Track), Aliases: input.Aliases, Arch: value(input.Arch),
		Description: value(input.Description), ChannelID: input.ChannelID, Policy: &policy, Expression: value(input.Expression), Priority: value(input.Priority),
	}))
}

func (r *mutationResolver) UpdateGroup(ctx context.Context, input fleet.UpdateGroup) (*model.GroupPayload, error) {
	return payload(r.fleet.UpdateGroup(ctx, input))
}

// ChannelID is called when the input has the field, which may be null.
func (r *updateGroupInputResolver) ChannelID(_ context.Context, obj *fleet.UpdateGroup, id *uuid.UUID) error {
	obj.SetChannel, obj.ChannelID = true, id
	return nil
}

func (r *mutationResolver) DeleteGroup(ctx context.Context, input fleet.DeleteGroup) (*model.DeletePayload, error) {
	return deletePayload(input.ID, r.fleet.DeleteGroup(ctx, input))
}

func (r *mutationResolver) PauseUpdates(ctx context.Context, input fleet.PauseUpdates) (*model.GroupPayload, error) {
	return payload(r.fleet.PauseUpdates(ctx, input))
}

func (r *mutationResolver) ResumeUpdates(ctx context.Context, input fleet.ResumeUpdates) (*model.GroupPayload, error) {
	return payload(r.fleet.ResumeUpdates(ctx, input))
}

func (r *subscriptionResolver) GroupChanged(ctx context.Context, groupID uuid.UUID) (<-chan *model.GroupChange, error) {
	return watch(ctx, r.Resolver, messageInterval, r.groupEvents(groupID), func(ctx context.Context, snapshot bool) (*model.GroupChange, bool, error) {
		row, err := maybe(r.fleet.View.Group(ctx, groupID, with(ctx, []string{"group"})))
		return &model.GroupChange{AsOf: r.Now(), Snapshot: snapshot, Group: row}, row == nil, err
	})
}
