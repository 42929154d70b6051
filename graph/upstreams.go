package graph

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/graph/model"
)

func (r *queryResolver) Upstreams(ctx context.Context, applicationID *uuid.UUID) ([]*db.Upstream, error) {
	return r.fleet.View.Upstreams(ctx, applicationID, with(ctx))
}

func (r *queryResolver) Upstream(ctx context.Context, id uuid.UUID) (*db.Upstream, error) {
	return maybe(r.fleet.View.Upstream(ctx, id, with(ctx)))
}

func (r *queryResolver) MirrorRuns(ctx context.Context, upstreamID, upstreamChannelID *uuid.UUID, changedOrFailed *bool, first *int, after *string) (*model.MirrorRunConnection, error) {
	return readPage(ctx, r.fleet.View.MirrorRuns(upstreamID, upstreamChannelID, value(changedOrFailed)), first, after)
}

func (r *mutationResolver) CreateUpstream(ctx context.Context, input fleet.CreateUpstream) (*model.UpstreamPayload, error) {
	return payload(r.fleet.CreateUpstream(ctx, input))
}

func (r *mutationResolver) UpdateUpstream(ctx context.Context, input fleet.UpdateUpstream) (*model.UpstreamPayload, error) {
	return payload(r.fleet.UpdateUpstream(ctx, input))
}

func (r *mutationResolver) DeleteUpstream(ctx context.Context, input fleet.DeleteUpstream) (*model.DeletePayload, error) {
	return deletePayload(input.ID, r.fleet.DeleteUpstream(ctx, input))
}

func (r *mutationResolver) AddUpstreamChannel(ctx context.Context, input fleet.AddUpstreamChannel) (*model.UpstreamChannelPayload, error) {
	return payload(r.fleet.AddUpstreamChannel(ctx, input))
}

func (r *mutationResolver) UpdateUpstreamChannel(ctx context.Context, input fleet.UpdateUpstreamChannel) (*model.UpstreamChannelPayload, error) {
	return payload(r.fleet.UpdateUpstreamChannel(ctx, input))
}

func (r *mutationResolver) RemoveUpstreamChannel(ctx context.Context, input fleet.RemoveUpstreamChannel) (*model.DeletePayload, error) {
	return deletePayload(input.ID, r.fleet.RemoveUpstreamChannel(ctx, input))
}

func (r *mutationResolver) RunUpstream(ctx context.Context, input fleet.RunUpstream) (*model.UpstreamPayload, error) {
	return payload(r.fleet.RunUpstream(ctx, input))
}

func (r *mutationResolver) FollowFlatcar(ctx context.Context, input fleet.FollowFlatcar) (*model.UpstreamPayload, error) {
	return payload(r.fleet.FollowFlatcar(ctx, input))
}

// Application was read with the upstream.
func (r *upstreamResolver) Application(_ context.Context, obj *db.Upstream) (*db.Application, error) {
	return obj.Edges.Application, nil
}

func (r *upstreamResolver) Kind(_ context.Context, obj *db.Upstream) (view.UpstreamKind, error) {
	return view.UpstreamKind(obj.Kind), nil
}

func (r *upstreamResolver) Interval(_ context.Context, obj *db.Upstream) (time.Duration, error) {
	return view.UpstreamInterval(obj), nil
}

// Channels were read with the upstream.
func (r *upstreamResolver) Channels(_ context.Context, obj *db.Upstream) ([]*db.UpstreamChannel, error) {
	return obj.Edges.Channels, nil
}

// Channel was read with the channel of the mirror.
func (r *upstreamChannelResolver) Channel(_ context.Context, obj *db.UpstreamChannel) (*db.Channel, error) {
	return obj.Edges.Channel, nil
}

func (r *upstreamChannelResolver) ExtraFiles(_ context.Context, obj *db.UpstreamChannel) ([]string, error) {
	return strings.Fields(obj.ExtraFiles), nil
}

func (r *upstreamChannelResolver) Mode(_ context.Context, obj *db.UpstreamChannel) (view.MirrorMode, error) {
	return view.MirrorMode(obj.Mode), nil
}

// Upstream was read with the run.
func (r *mirrorRunResolver) Upstream(_ context.Context, obj *db.MirrorRun) (*db.Upstream, error) {
	if obj.Edges.UpstreamChannel == nil {
		return nil, nil
	}
	return obj.Edges.UpstreamChannel.Edges.Upstream, nil
}

// UpstreamChannel was read with the run.
func (r *mirrorRunResolver) UpstreamChannel(_ context.Context, obj *db.MirrorRun) (*db.UpstreamChannel, error) {
	return obj.Edges.UpstreamChannel, nil
}

func (r *mirrorRunResolver) Outcome(_ context.Context, obj *db.MirrorRun) (view.MirrorOutcome, error) {
	return view.MirrorOutcome(obj.Outcome), nil
}

func (r *subscriptionResolver) UpstreamsChanged(ctx context.Context) (<-chan *model.UpstreamsChange, error) {
	// A promotion changes what the channels have here.
	wanted := func(e event.Event) bool { return e.Kind == event.UpstreamChanged || e.Kind == event.AppChanged }
	return watch(ctx, r.Resolver, messageInterval, wanted, func(ctx context.Context, snapshot bool) (*model.UpstreamsChange, bool, error) {
		all, err := r.fleet.View.Upstreams(ctx, nil, with(ctx, []string{"upstreams"}))
		return &model.UpstreamsChange{AsOf: r.Now(), Snapshot: snapshot, Upstreams: all}, false, err
	})
}
