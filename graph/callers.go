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

// endWithCaller ends a connection once its caller's credentials are not valid any more.
// A websocket then closes with a code that asks for a new sign-in.
func (h *Handler) endWithCaller(ctx context.Context, end context.CancelFunc) {
	tick := time.NewTicker(recheckInterval)
	defer tick.Stop()
	for {
		changed := h.callers.next() // before the check, so that no change is missed
		if _, err := h.guard.Again(ctx); errors.Is(err, auth.ErrUnauthenticated) {
			if c := socketOf(ctx); c != nil {
				c.code.Store(closeUnauthorized)
			}
			end()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-tick.C:
		}
	}
}
