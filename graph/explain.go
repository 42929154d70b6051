package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
)

func (r *queryResolver) ExplainUpdate(ctx context.Context, instanceID uuid.UUID) (*view.Explanation, error) {
	return r.fleet.View.ExplainUpdate(ctx, instanceID)
}

func (r *decisionResolver) OfferedVersion(_ context.Context, obj *rollout.Decision) (string, error) {
	if obj.Offer == nil {
		return "", nil
	}
	return obj.Offer.Version.String(), nil
}

func (r *ruleStepResolver) Outcome(_ context.Context, obj *rollout.RuleStep) (model.RuleOutcome, error) {
	switch {
	case obj.Settled:
		return model.RuleOutcomeDecided, nil
	case obj.Passed:
		return model.RuleOutcomePassed, nil
	case obj.Reason == rollout.ReasonGranted:
		return model.RuleOutcomeNotReached, nil
	}
	return model.RuleOutcomeWouldHold, nil
}

// SimulateRollout converts a forecast to columns.
func (r *queryResolver) SimulateRollout(ctx context.Context, input model.SimulateRolloutInput) (*model.Simulation, error) {
	in := view.SimulateRollout{
		GroupID: input.GroupID, PackageID: input.PackageID, FailureShare: value(input.FailureShare), SilentShare: value(input.SilentShare),
		Whole: value(input.FromStart),
	}
	if input.Policy != nil {
		policy, _, err := r.policyOf(ctx, input.GroupID, input.Policy)
		if err != nil {
			return nil, err
		}
		in.Policy = &policy
	}
	f, err := r.fleet.View.SimulateRollout(ctx, in)
	if err != nil {
		return nil, err
	}
	s := &model.Simulation{
		FinalState: rollout.RolloutActive, Halt: f.Halted, Scale: f.Each, CheckInterval: f.CheckEvery, UpdateDuration: f.UpdateTakes,
		Sentence: "after 14 days the rollout would still be going on",
	}
	if !f.Ends.IsZero() {
		s.ProjectedEnd, s.FinalState = &f.Ends, rollout.RolloutCompleted
		s.Sentence = "the rollout would be done on " + f.Ends.UTC().Format("Monday 2 January 15:04 UTC")
	}
	if f.Halted != nil {
		s.FinalState, s.Sentence = rollout.RolloutHalted, f.Halted.Sentence()
	}
	for i := range f.LeftOut {
		s.NotUpdated = append(s.NotUpdated, &f.LeftOut[i])
	}
	for i := range f.Points {
		p := &f.Points[i]
		s.Times = append(s.Times, &p.At)
		s.OnTarget = append(s.OnTarget, p.OnTarget)
		s.InFlight = append(s.InFlight, p.InFlight)
		s.Waiting = append(s.Waiting, p.Waiting)
		s.Failed = append(s.Failed, p.Failed)
	}
	return s, nil
}
