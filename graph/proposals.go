package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/proposal"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

// maxSent is how many open proposals a message of proposalsChanged has.
const maxSent = 100

func (r *queryResolver) Proposal(ctx context.Context, id uuid.UUID) (*db.Proposal, error) {
	return maybe(r.fleet.View.Proposal(ctx, id))
}

func (r *queryResolver) Proposals(ctx context.Context, open *bool, first *int, after *string) (*model.ProposalConnection, error) {
	return readPage(ctx, r.fleet.View.Proposals(value(open)), first, after)
}

func (r *queryResolver) OpenProposals(ctx context.Context) (int, error) {
	return r.fleet.View.OpenProposals(ctx)
}

func (r *mutationResolver) Propose(ctx context.Context, input model.ProposeInput) (*model.ProposalPayload, error) {
	in := fleet.Propose{
		PromotePackage: input.PromotePackage, RollBack: input.RollBack, AddFloor: input.AddFloor, RemoveFloor: input.RemoveFloor,
		UpdateChannel: input.UpdateChannel, UpdateGroup: input.UpdateGroup,
		PauseUpdates: input.PauseUpdates, HaltRollout: input.HaltRollout, ResumeUpdates: input.ResumeUpdates,
		AdvanceWave: input.AdvanceWave, MoveInstance: input.MoveInstance, ExpiresIn: value(input.ExpiresIn),
	}
	if input.UpdatePolicy != nil {
		complete, err := r.completePolicy(ctx, *input.UpdatePolicy)
		if err != nil {
			return payload[db.Proposal](nil, err)
		}
		in.UpdatePolicy = &complete
	}
	return payload(r.fleet.Propose(ctx, in))
}

func (r *mutationResolver) ApproveProposal(ctx context.Context, input fleet.DecideProposal) (*model.ProposalPayload, error) {
	return payload(r.fleet.ApproveProposal(ctx, input))
}

func (r *mutationResolver) RefuseProposal(ctx context.Context, input fleet.DecideProposal) (*model.ProposalPayload, error) {
	return payload(r.fleet.RefuseProposal(ctx, input))
}

func (r *mutationResolver) WithdrawProposal(ctx context.Context, input fleet.DecideProposal) (*model.ProposalPayload, error) {
	return payload(r.fleet.WithdrawProposal(ctx, input))
}

func (r *proposalResolver) State(_ context.Context, obj *db.Proposal) (proposal.State, error) {
	return proposal.StateOf(obj, r.Now()), nil
}

func (r *proposalResolver) Application(ctx context.Context, obj *db.Proposal) (*db.Application, error) {
	return maybe(r.fleet.View.Application(ctx, obj.ApplicationID, with(ctx)))
}

func (r *proposalResolver) Group(ctx context.Context, obj *db.Proposal) (*db.Group, error) {
	if obj.GroupID == nil {
		return nil, nil
	}
	return maybe(r.fleet.View.Group(ctx, *obj.GroupID, with(ctx)))
}

func (r *proposalResolver) Channel(ctx context.Context, obj *db.Proposal) (*db.Channel, error) {
	if obj.ChannelID == nil {
		return nil, nil
	}
	return maybe(r.fleet.View.Channel(ctx, *obj.ChannelID, with(ctx)))
}

func (r *proposalResolver) Package(ctx context.Context, obj *db.Proposal) (*db.Release, error) {
	if obj.PackageID == nil {
		return nil, nil
	}
	return loadersOf(ctx).packages.load(ctx, *obj.PackageID)
}

func (r *proposalResolver) Current(ctx context.Context, obj *db.Proposal) (bool, error) {
	return r.fleet.View.ProposalIsCurrent(ctx, obj)
}

func (r *proposalResolver) Impact(ctx context.Context, obj *db.Proposal) (*view.Impact, error) {
	if proposal.StateOf(obj, r.Now()) != proposal.Open {
		return nil, nil
	}
	return r.fleet.View.ProposalImpact(ctx, obj)
}

func (r *proposalResolver) Undecidable(ctx context.Context, obj *db.Proposal) (*string, error) {
	why, err := r.fleet.View.Undecidable(ctx, obj)
	if why == "" {
		return nil, err
	}
	return &why, err
}

func (r *proposalResolver) Own(ctx context.Context, obj *db.Proposal) (bool, error) {
	p, _ := auth.From(ctx)
	return p.UserID == obj.UserID, nil
}

func (r *subscriptionResolver) ProposalsChanged(ctx context.Context) (<-chan *model.ProposalsChange, error) {
	wanted := func(e event.Event) bool { return e.Kind == event.ProposalChanged }
	return watch(ctx, r.Resolver, messageInterval, wanted, func(ctx context.Context, snapshot bool) (*model.ProposalsChange, bool, error) {
		page, err := r.fleet.View.Proposals(true).Page(ctx, maxSent)
		if err != nil {
			return nil, false, err
		}
		open, err := r.fleet.View.OpenProposals(ctx)
		return &model.ProposalsChange{AsOf: r.Now(), Snapshot: snapshot, Open: open, Proposals: page.Rows}, false, err
	})
}

// PromotionNeedsApproval reads the catalog.
func (r *channelResolver) PromotionNeedsApproval(_ context.Context, obj *db.Channel) (bool, error) {
	app := r.fleet.Catalog().App(obj.ApplicationID)
	if app == nil || app.Channel(obj.ID) == nil {
		return obj.RequireApproval, nil
	}
	return app.PromotionNeedsApproval(app.Channel(obj.ID)), nil
}
