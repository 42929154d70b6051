package graph

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/event"
)

const (
	// pace is the shortest time between two messages of a subscription: a few a
	// second look alive, more only cost. It is most of how long a pause may take
	// to show, also on another process: 200 ms are promised.
	pace = 150 * time.Millisecond
	// fleetPace is that of messages that sum over all groups.
	fleetPace = time.Second
	// recheckTime is how soon a session that ended elsewhere loses its
	// subscriptions.
	recheckTime = 30 * time.Second
)

// watch is a subscription: it sends what read returns at once, and again after
// an event that is wanted. The bus keeps what waits, bounded and merged, so the
// publisher never waits for a reader, and events during a message become one.
// read is told whether its message stands for everything (the first, or events
// may have been lost) and says when there is nothing more to come.
func watch[T any](ctx context.Context, r *Resolver, pace time.Duration, wanted func(event.Event) bool,
	read func(ctx context.Context, snapshot bool) (message T, last bool, err error),
) (<-chan T, error) {
	done, err := socketOf(ctx).watch()
	if err != nil {
		return nil, err
	}
	// Before the first read: what changes after it is not missed.
	sub := r.Store.Bus().Subscribe(wanted)
	message, last, err := read(ctx, true)
	if err != nil {
		sub.Close()
		done()
		return nil, err
	}
	out := make(chan T)
	go func() {
		defer done()
		defer sub.Close()
		defer close(out)
		recheck := time.NewTicker(recheckTime)
		defer recheck.Stop()
		for {
			select {
			case out <- message:
			case <-ctx.Done():
				return
			}
			if last {
				return
			}
			snapshot, err := r.next(ctx, paceOf(ctx, pace), recheck.C, sub)
			if err == nil {
				message, last, err = read(ctx, snapshot)
			}
			if err != nil {
				r.broken(ctx, err)
				return
			}
		}
	}()
	return out, nil
}

// next waits for an event, but at least for pace.
func (r *Resolver) next(ctx context.Context, pace time.Duration, recheck <-chan time.Time, sub event.Subscription) (snapshot bool, err error) {
	early := time.NewTimer(pace)
	defer early.Stop()
	ready := sub.Ready()
	for paced := false; ; {
		// A nil channel is never ready: events wait until the pace allows one.
		now := ready
		if !paced {
			now = nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-early.C:
			paced = true
		case <-recheck:
			if err := r.Guard.Recheck(ctx); err != nil {
				return false, err
			}
		case <-now:
			events := sub.Take()
			if len(events) == 0 {
				continue
			}
			return slices.ContainsFunc(events, func(e event.Event) bool { return e.Kind == event.Resync }), nil
		}
	}
}

// broken ends a subscription that cannot go on, with an error where the
// connection can carry one.
func (r *Resolver) broken(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // the client has gone
	}
	if sh, shared := ctx.Value(shareOwner{}).(*share); shared {
		sh.fail(err)
		return
	}
	c := socketOf(ctx)
	if c == nil {
		return // an event stream ends with "complete"
	}
	if errors.Is(err, auth.ErrUnauthenticated) {
		c.end(closeUnauthorized)
		return
	}
	transport.AddSubscriptionError(ctx, r.present(ctx, err))
}

// aboutGroup wants events of one group, and of its application, which may have
// changed its channel or deleted it.
func (r *Resolver) aboutGroup(id uuid.UUID) func(event.Event) bool {
	var app uuid.UUID
	if g := r.fleet.Catalog().Group(id); g != nil {
		app = g.App.ID
	}
	return func(e event.Event) bool {
		return e.Kind == event.GroupChanged && e.Group == id || e.Kind == event.AppChanged && e.App == app
	}
}
