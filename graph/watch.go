package graph

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/event"
	"github.com/coreroller/coreroller/fleet/reach"
)

const (
	// messageInterval is the shortest time between two messages of a
	// subscription. It dominates the delay until a pause is displayed, also on
	// another process; 200 ms are documented.
	messageInterval = 150 * time.Millisecond
	// fleetInterval is the same for messages that sum over all groups.
	fleetInterval = time.Second
)

// watch runs a subscription: it sends the result of read at once, and again after
// each wanted event that concerns what the caller may read. The bus queues events, bounded and merged: a publisher never
// waits for a subscriber, and events during a message become one. snapshot is true
// in the first call of read and after lost events. If read returns last, the
// subscription ends.
func watch[T any](ctx context.Context, r *Resolver, interval time.Duration, wanted func(event.Event) bool,
	read func(ctx context.Context, snapshot bool) (message T, last bool, err error),
) (<-chan T, error) {
	done, err := socketOf(ctx).addSubscription()
	if err != nil {
		return nil, err
	}
	// Subscribe before the first read, so that no later change is missed.
	mine := reach.Events(ctx, r.fleet.Catalog)
	sub := r.Store.Bus().Subscribe(func(e event.Event) bool { return wanted(e) && mine(e) })
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
		for {
			select {
			case out <- message:
			case <-ctx.Done():
				return
			}
			if last {
				return
			}
			snapshot, err := waitForEvents(ctx, intervalOf(ctx, interval), sub)
			if err == nil {
				message, last, err = read(ctx, snapshot)
			}
			if err != nil {
				r.fail(ctx, err)
				return
			}
		}
	}()
	return out, nil
}

// waitForEvents waits for events, at least for the interval. snapshot reports
// whether events were lost.
func waitForEvents(ctx context.Context, interval time.Duration, sub event.Subscription) (snapshot bool, err error) {
	timer := time.NewTimer(interval)
	defer timer.Stop()
	ready := sub.Ready()
	for elapsed := false; ; {
		// A nil channel is never ready: events wait until the interval has passed.
		now := ready
		if !elapsed {
			now = nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-timer.C:
			elapsed = true
		case <-now:
			events := sub.Take()
			if len(events) == 0 {
				continue
			}
			return slices.ContainsFunc(events, func(e event.Event) bool { return e.Kind == event.Resync }), nil
		}
	}
}

// fail ends a subscription that cannot continue, with an error if the
// connection can carry one.
func (r *Resolver) fail(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // the client has disconnected
	}
	if e, shared := ctx.Value(executionContextKey{}).(*execution); shared {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.err = err
		return
	}
	c := socketOf(ctx)
	if c == nil {
		return // an event stream ends with "complete"
	}
	transport.AddSubscriptionError(ctx, r.present(ctx, err))
}

// groupEvents selects the events of a group and of its application, which may
// change the channel of the group or delete it.
func (r *Resolver) groupEvents(id uuid.UUID) func(event.Event) bool {
	var app uuid.UUID
	if g := r.fleet.Catalog().Group(id); g != nil {
		app = g.App.ID
	}
	return func(e event.Event) bool {
		return e.Kind == event.GroupChanged && e.Group == id || e.Kind == event.AppChanged && e.App == app
	}
}
