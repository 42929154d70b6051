package graph

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/graph/model"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
	"github.com/coreroller/coreroller/rollout/policy"
)

func (r *policyResolver) Timezone(_ context.Context, obj *rollout.Policy) (string, error) {
	return cmp.Or(obj.Timezone, "UTC"), nil
}

func (r *policyResolver) PollInterval(_ context.Context, obj *rollout.Policy) (*time.Duration, error) {
	if obj.PollInterval == 0 {
		return nil, nil
	}
	return &obj.PollInterval, nil
}

func (r *mutationResolver) UpdatePolicy(ctx context.Context, input model.UpdatePolicyInput) (*model.GroupPayload, error) {
	complete, err := r.completePolicy(ctx, input)
	if err != nil {
		return payload[db.Group](nil, err)
	}
	return payload(r.fleet.UpdatePolicy(ctx, complete))
}

// completePolicy returns an input with the whole policy, and the revision on which it rests.
func (r *Resolver) completePolicy(ctx context.Context, input model.UpdatePolicyInput) (fleet.UpdatePolicy, error) {
	if _, err := fault.RequireVerb(ctx, "updatePolicy"); err != nil { // before the group is read
		return fleet.UpdatePolicy{}, err
	}
	policy, row, err := r.policyOf(ctx, input.GroupID, input.Policy)
	if err != nil {
		return fleet.UpdatePolicy{}, err
	}
	seen := row.Revision
	if input.ExpectedRevision != nil {
		seen = int64(*input.ExpectedRevision)
	}
	return fleet.UpdatePolicy{GroupID: input.GroupID, Policy: policy, Reason: value(input.Reason), ExpectedRevision: &seen}, nil
}

func (r *queryResolver) PolicyPreview(ctx context.Context, input model.PolicyPreviewInput) (*model.PolicyPreview, error) {
	if input.GroupID == nil {
		return r.preview(ctx, nil, newPolicy(input.Policy))
	}
	policy, group, err := r.policyOf(ctx, *input.GroupID, input.Policy)
	if err != nil {
		return nil, err
	}
	return r.preview(ctx, group, policy)
}

// policyOver returns a policy with the changes of an input.
func policyOver(p rollout.Policy, in *model.PolicyInput) rollout.Policy {
	if in == nil {
		return p
	}
	set(&p.UpdatesEnabled, in.UpdatesEnabled)
	set(&p.SafeMode, in.SafeMode)
	set(&p.MaxUpdatesPerPeriod, in.MaxUpdatesPerPeriod)
	set(&p.PeriodInterval, in.PeriodInterval)
	set(&p.MaxConcurrentUpdates, in.MaxConcurrentUpdates)
	set(&p.UpdateTimeout, in.UpdateTimeout)
	set(&p.RebootTimeout, in.RebootTimeout)
	set(&p.LostAfter, in.LostAfter)
	set(&p.EvidenceAge, in.EvidenceAge)
	set(&p.EnrolledOnly, in.EnrolledOnly)
	set(&p.Timezone, in.Timezone)
	set(&p.OfficeHours, in.OfficeHours)
	setAll(&p.Windows, in.Windows)
	setAll(&p.Freezes, in.Freezes)
	setAll(&p.Waves, in.Waves)
	set(&p.HaltFailureShare, in.HaltFailureShare)
	set(&p.HaltMinAttempts, in.HaltMinAttempts)
	set(&p.MaxAttempts, in.MaxAttempts)
	set(&p.OnDemand, in.OnDemand)
	set(&p.RebootSlots, in.RebootSlots)
	setAll(&p.RebootWindows, in.RebootWindows)
	set(&p.RebootOverdueAfter, in.RebootOverdueAfter)
	set(&p.RebootReleaseAfter, in.RebootReleaseAfter)
	set(&p.RebootOverdueLimit, in.RebootOverdueLimit)
	if interval, given := in.PollInterval.ValueOK(); given {
		p.PollInterval = 0
		set(&p.PollInterval, interval)
	}
	return p
}

// newPolicy returns the policy of a new group. maxConcurrentUpdates defaults to
// maxUpdatesPerPeriod.
func newPolicy(in *model.PolicyInput) rollout.Policy {
	p := policyOver(policy.Default(), in)
	if in != nil && in.MaxUpdatesPerPeriod != nil && in.MaxConcurrentUpdates == nil {
		p.MaxConcurrentUpdates = p.MaxUpdatesPerPeriod
	}
	return p
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// setAll replaces a list; nil means that the input omitted it.
func setAll[T any](to *[]T, from []*T) {
	if from == nil {
		return
	}
	*to = make([]T, len(from))
	for i, v := range from {
		(*to)[i] = *v
	}
}

// value returns what a pointer points to, or the zero value for nil.
func value[T any](p *T) (v T) {
	set(&v, p)
	return v
}

// policyOf returns the current policy of a group with changes, and its row.
func (r *Resolver) policyOf(ctx context.Context, id uuid.UUID, in *model.PolicyInput) (rollout.Policy, *db.Group, error) {
	row, err := r.fleet.View.Group(ctx, id, nil)
	if fault.CodeOf(err) == fault.NotFound {
		return rollout.Policy{}, nil, fault.Errorf(fault.NotFound, "groupId", "there is no such group")
	}
	if err != nil {
		return rollout.Policy{}, nil, err
	}
	return policyOver(row.Policy, in), row, nil
}

// maxWindows limits the windows in a preview.
const maxWindows = 14

// preview describes a policy, for a group or, with nil, for a new one.
func (r *Resolver) preview(ctx context.Context, group *db.Group, p rollout.Policy) (*model.PolicyPreview, error) {
	out := &model.PolicyPreview{UserErrors: []*model.UserError{}, Changes: []string{}, Warnings: []string{}, Windows: []*calendar.Span{}}
	schedule, problems := policy.Compile(p)
	for _, problem := range problems {
		if problem.Warning {
			out.Warnings = append(out.Warnings, problem.Message)
			continue
		}
		out.UserErrors = append(out.UserErrors, &model.UserError{
			Code: model.ErrorCodeInvalid, Field: &problem.Field, Message: problem.Message,
		})
	}
	if schedule == nil {
		out.Warnings = []string{}
		return out, nil
	}
	out.Policy, out.Sentence = &p, schedule.Describe()
	for _, span := range r.openings(schedule, p) {
		out.Windows = append(out.Windows, &span)
	}
	if group != nil {
		out.Changes = append(out.Changes, policy.Changes(group.Policy, p)...)
		current, _ := policy.Compile(group.Policy) // nil when invalid: it grants nothing
		out.Loosens = current == nil || policy.Grows(current, schedule, r.Now())
		var err error
		if out.Impact, err = r.fleet.View.PolicyImpact(ctx, group.ID, p); err != nil {
			return nil, err
		}
		out.Warnings = append(out.Warnings, out.Impact.Warnings...)
	}
	return out, nil
}

// openings returns the next periods in which updates are granted; nil when they
// always are.
func (r *Resolver) openings(schedule *rollout.Schedule, p rollout.Policy) []calendar.Span {
	now := r.Now()
	restricted := p.OfficeHours || len(p.Windows) > 0
	for _, f := range p.Freezes {
		restricted = restricted || f.Until.After(now)
	}
	if !restricted {
		return nil
	}
	return schedule.NextWindows(now, maxWindows)
}

// describe returns the text of a stored policy, and its warnings.
func describe(p rollout.Policy) (sentence string, warnings []string) {
	schedule, problems := policy.Compile(p)
	warnings = []string{}
	for _, problem := range problems {
		warnings = append(warnings, problem.Message)
	}
	if schedule == nil {
		return "", warnings
	}
	return schedule.Describe(), warnings
}
