package graph

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/event"
)

// recheckInterval is the time after which the caller of an open connection is
// identified again without an event.
const recheckInterval = 30 * time.Second

// callers wakes the open connections when what their callers may do has changed.
type callers struct {
	mu      sync.Mutex
	changed chan struct{} // closed with the next change
}

func newCallers() *callers { return &callers{changed: make(chan struct{})} }

func (c *callers) next() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

func (c *callers) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.changed)
	c.changed = make(chan struct{})
}

// watch wakes the connections whenever users, passwords or sessions change, in any
// process, after forgetting the passwords that this process has verified.
func (c *callers) watch(ctx context.Context, bus event.Bus, guard Guard) {
	sub := bus.Subscribe(func(e event.Event) bool { return e.Kind == event.AccountsChanged })
	defer sub.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sub.Ready():
			if len(sub.Take()) > 0 {
				guard.Forget()
				c.wake()
			}
		}
	}
}

// untilRecheck returns when to identify a caller again: at the latest when its session or
// token expires.
func (h *Handler) untilRecheck(p auth.Principal) time.Duration {
	if p.Until.IsZero() {
		return recheckInterval
	}
	// Databases keep microseconds, so a check just before the end would repeat at once.
	left := p.Until.Sub(h.resolver.Now()) + time.Millisecond
	return max(time.Millisecond, min(recheckInterval, left))
}

// endWithCaller ends a connection once its caller's credentials are not valid any more.
// A websocket then closes with a code that asks for a new sign-in.
func (h *Handler) endWithCaller(ctx context.Context, end context.CancelFunc) {
	tick := time.NewTimer(recheckInterval)
	defer tick.Stop()
	for {
		changed := h.callers.next() // before the check, so that no change is missed
		p, err := h.guard.Again(ctx)
		if errors.Is(err, auth.ErrUnauthenticated) {
			if c := socketOf(ctx); c != nil {
				c.code.Store(closeUnauthorized)
			}
			end()
			return
		}
		tick.Reset(h.untilRecheck(p))
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-tick.C:
		}
	}
}
