package graph

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
)

func (r *queryResolver) Rollout(ctx context.Context, id uuid.UUID) (*db.GroupRollout, error) {
	return maybe(r.fleet.View.Rollout(ctx, id, with(ctx)))
}

func (r *rolloutResolver) Package(ctx context.Context, obj *db.GroupRollout) (*db.Release, error) {
	return loadersOf(ctx).packages.load(ctx, obj.PackageID)
}

// Waves combines the waves of the policy with the counters of a rollout. For a
// past rollout the policy may have changed since; it shows the current one.
func (r *rolloutResolver) Waves(ctx context.Context, obj *db.GroupRollout) ([]*model.Wave, error) {
	g, err := obj.Group(ctx)
	if err != nil {
		return nil, err
	}
	counted, err := loadersOf(ctx).waves.load(ctx, obj.ID)
	if err != nil {
		return nil, err
	}
	steps := g.Policy.Waves
	if len(steps) == 0 {
		steps = []rollout.Wave{{Share: 1}}
	}
	counts := map[int]rollout.Counts{}
	for _, w := range counted {
		counts[w.Position] = view.WaveCounts(w)
	}
	out := make([]*model.Wave, len(steps))
	for i, step := range steps {
		out[i] = wave(obj, i, step, counts[i])
		if out[i].State == model.WaveStateCurrent && i < len(steps)-1 {
			out[i].Gate = gate(obj, step, counts[i])
		}
		if err := r.canaries(ctx, obj, step, out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// canaries adds the warnings about the canaries of a wave that is not done.
func (r *rolloutResolver) canaries(ctx context.Context, row *db.GroupRollout, step rollout.Wave, w *model.Wave) (err error) {
	if w.State == model.WaveStateDone {
		return nil
	}
	var target *rollout.Package
	if w.Attempts.Granted == 0 {
		v, _ := rollout.ParseVersion(row.Version)
		target = &rollout.Package{Version: v}
	}
	w.CanaryWarnings, err = r.fleet.View.CanaryWarnings(ctx, row.GroupID, step, target)
	return err
}

func wave(row *db.GroupRollout, i int, step rollout.Wave, c rollout.Counts) *model.Wave {
	w := &model.Wave{
		Position: i + 1, Share: step.Share, Canaries: step.Canaries, Expression: step.Expression, Soak: step.Soak, Approval: step.Approval,
		State: model.WaveStatePending, Attempts: &c, CanaryWarnings: []string{},
	}
	if w.Canaries == nil {
		w.Canaries = []string{}
	}
	over := row.State == rollout.RolloutSuperseded
	switch {
	case row.State == rollout.RolloutCompleted, i < row.Wave, i == row.Wave && over:
		w.State = model.WaveStateDone
	case i == row.Wave:
		w.State, w.OpenedAt = model.WaveStateCurrent, &row.WaveAt
	}
	return w
}

// gate returns the conditions for opening the next wave.
func gate(row *db.GroupRollout, step rollout.Wave, c rollout.Counts) *model.Gate {
	g := &model.Gate{
		Satisfied: row.GateAt != nil, SatisfiedSince: row.GateAt,
		Finished: c.Finished(), MinFinished: step.MinFinished, MinSuccessShare: step.MinSuccessShare,
		NeedsApproval: step.Approval && !row.Approved,
	}
	if n := c.Finished(); n > 0 {
		g.SuccessShare = float64(c.Succeeded) / float64(n)
	}
	if row.GateAt != nil {
		g.SoakEndsAt = new(row.GateAt.Add(step.Soak))
	}
	return g
}

func (r *rolloutResolver) CurrentWave(_ context.Context, obj *db.GroupRollout) (int, error) {
	return obj.Wave + 1, nil
}

func (r *rolloutResolver) Attempts(ctx context.Context, obj *db.GroupRollout) (*rollout.Counts, error) {
	counted, err := loadersOf(ctx).waves.load(ctx, obj.ID)
	return new(view.SumWaves(counted)), err
}

func (r *rolloutResolver) Newcomers(ctx context.Context, obj *db.GroupRollout) (*model.Newcomers, error) {
	n := obj.Newcomers
	if n.Since.IsZero() {
		return nil, nil
	}
	g, err := obj.Group(ctx)
	if err != nil {
		return nil, err
	}
	counted, err := loadersOf(ctx).waves.load(ctx, obj.ID)
	if err != nil {
		return nil, err
	}
	out := &model.Newcomers{Since: n.Since, Waiting: n.Wait, Failing: n.Failing(&g.Policy, obj.Proofs), Attempts: &rollout.Counts{}}
	if len(counted) > 0 && counted[0].Position == rollout.NewcomerWave {
		*out.Attempts = view.WaveCounts(counted[0])
	}
	return out, nil
}

func (r *rolloutResolver) Failures(ctx context.Context, obj *db.GroupRollout) ([]*db.Failure, error) {
	rows, err := loadersOf(ctx).failures.load(ctx, obj.ID)
	return view.FailureCounts(rows), err
}

func (r *failureCountResolver) Description(_ context.Context, obj *db.Failure) (string, error) {
	return failureDescription(obj.Outcome, obj.Code), nil
}

func (r *rolloutResolver) FailuresByOem(ctx context.Context, obj *db.GroupRollout) ([]*db.FailureShare, error) {
	rows, err := loadersOf(ctx).shares.load(ctx, obj.ID)
	return view.SharesOf(rows, view.TraitOEM), err
}

func (r *rolloutResolver) FailuresByVersion(ctx context.Context, obj *db.GroupRollout) ([]*db.FailureShare, error) {
	rows, err := loadersOf(ctx).shares.load(ctx, obj.ID)
	return view.SharesOf(rows, view.TraitFromVersion), err
}

func (r *rolloutResolver) FailuresByAddressBlock(ctx context.Context, obj *db.GroupRollout) ([]*db.FailureShare, error) {
	rows, err := loadersOf(ctx).shares.load(ctx, obj.ID)
	return view.SharesOf(rows, view.TraitAddressBlock), err
}

func (r *rolloutResolver) FailuresByAttribute(ctx context.Context, obj *db.GroupRollout, name *string, first *int) (*view.FailureSlices, error) {
	return r.fleet.View.FailureSlices(ctx, obj.ID, name, first)
}

func (r *rolloutResolver) FailedAttempts(ctx context.Context, obj *db.GroupRollout, filter *view.FailureFilter, first *int, after *string) (*model.AttemptConnection, error) {
	cached := loadersOf(ctx)
	counters := view.FailureCounters{Waves: cached.waves.load, Failures: cached.failures.load, Shares: cached.shares.load}
	l, err := r.fleet.View.FailedAttempts(ctx, obj.ID, value(filter), counters, withNodes(ctx))
	if err != nil {
		return nil, err
	}
	return readPage(ctx, l, first, after)
}

func (r *rolloutResolver) SafeModePassed(_ context.Context, obj *db.GroupRollout) (bool, error) {
	return obj.Proofs > 0, nil
}

func (r *rolloutResolver) SafeModeMachineID(_ context.Context, obj *db.GroupRollout) (*string, error) {
	if obj.Leader == "" || obj.Proofs > 0 {
		return nil, nil
	}
	return &obj.Leader, nil
}

func (r *haltResolver) Failure(_ context.Context, obj *rollout.Halt) (*db.Failure, error) {
	if obj.Outcome == 0 {
		return nil, nil
	}
	return &db.Failure{Outcome: obj.Outcome, Code: obj.Code, Attempts: max(1, obj.Alike)}, nil
}

func (r *rolloutResolver) Halt(_ context.Context, obj *db.GroupRollout) (*rollout.Halt, error) {
	if obj.State != rollout.RolloutHalted {
		return nil, nil
	}
	h := obj.Halt.Since(obj.Failing)
	return &h, nil
}

func (r *rolloutResolver) Stall(_ context.Context, obj *db.GroupRollout) (*rollout.Stall, error) {
	if obj.Stall.Since.IsZero() {
		return nil, nil
	}
	return &obj.Stall, nil
}

func (r *rolloutResolver) ProjectedEnd(ctx context.Context, obj *db.GroupRollout) (*time.Time, error) {
	return r.fleet.View.ProjectedEnd(ctx, obj)
}

func (r *mutationResolver) HaltRollout(ctx context.Context, input fleet.HaltRollout) (*model.GroupPayload, error) {
	return payload(r.fleet.HaltRollout(ctx, input))
}

func (r *mutationResolver) AdvanceWave(ctx context.Context, input fleet.AdvanceWave) (*model.GroupPayload, error) {
	return payload(r.fleet.AdvanceWave(ctx, input))
}

func (r *subscriptionResolver) RolloutProgressed(ctx context.Context, groupID uuid.UUID) (<-chan *model.RolloutProgress, error) {
	return watch(ctx, r.Resolver, messageInterval, r.groupEvents(groupID), func(ctx context.Context, snapshot bool) (*model.RolloutProgress, bool, error) {
		numbers, err := r.fleet.View.GroupNumbers(ctx, groupID)
		if err != nil {
			return nil, false, err
		}
		current, err := r.fleet.View.CurrentRollouts(ctx, []uuid.UUID{groupID})
		return &model.RolloutProgress{AsOf: r.Now(), Snapshot: snapshot, Rollout: current[groupID], Numbers: numbers}, false, err
	})
}
