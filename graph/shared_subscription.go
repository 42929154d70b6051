package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/coreroller/coreroller/auth"
)

// executions holds the subscriptions that are executed once for all subscribers
// with the same document and variables, so that a hundred dashboards on one group
// cost the reads of one. Only subscriptions whose messages hold the complete
// current state are shared: a slow subscriber skips messages and loses nothing.
type executions struct {
	mu      sync.Mutex
	open    map[executionKey]*execution
	running sync.WaitGroup
}

// executionKey is everything the messages depend on.
type executionKey struct {
	grants                    string // of the caller: what is read and may be called
	document, name, variables string
}

// execution is one running subscription with its subscribers.
type execution struct {
	key         executionKey
	cancel      context.CancelFunc
	subscribers atomic.Int64 // changed with executions.mu held

	mu       sync.Mutex
	latest   *graphql.Response
	sequence int                          // of latest, counted from 1; 0 before the first message
	changed  [notifyBatches]chan struct{} // closed with the next message, and at the end
	joined   int                          // number of subscribers so far, including those that left
	ended    bool
	err      error // why it ended early
}

// notifyBatches is the number of batches in which subscribers are notified, one
// batch after the other. A thousand goroutines that wake at once would occupy
// all processors for 50 ms and delay check-ins.
const notifyBatches = 64

func newExecution(key executionKey) *execution {
	e := &execution{key: key}
	for i := range e.changed {
		e.changed[i] = make(chan struct{})
	}
	return e
}

type executionContextKey struct{}

// delayPerSubscriber extends the time between two messages for each subscriber.
// Sending one message takes about 30 us of a core, so sending takes less than a
// tenth of a core with any number of subscribers. A thousand subscribers get
// four messages in three seconds.
const delayPerSubscriber = 600 * time.Microsecond

// intervalOf returns the shortest time between two messages of the subscription
// that runs with this context.
func intervalOf(ctx context.Context, interval time.Duration) time.Duration {
	if e, shared := ctx.Value(executionContextKey{}).(*execution); shared {
		interval += time.Duration(e.subscribers.Load()) * delayPerSubscriber
	}
	return interval
}

// shareable returns the key of an operation, and whether it may be shared.
func shareable(ctx context.Context, op *graphql.OperationContext) (executionKey, bool) {
	fields := rootFields(op)
	if op.Operation.Operation != ast.Subscription || len(fields) != 1 {
		return executionKey{}, false
	}
	switch fields[0].Name {
	case "fleetChanged", "applicationChanged", "groupChanged", "rolloutProgressed", "instanceChanged":
	default:
		return executionKey{}, false
	}
	p, known := auth.From(ctx)
	variables, err := json.Marshal(op.Variables)
	grants, _ := json.Marshal(p.AllGrants()) // plain values
	return executionKey{grants: string(grants), document: op.RawQuery, name: op.OperationName, variables: string(variables)}, known && err == nil
}

// join returns the messages of a shared execution and starts it if needed. A
// subscriber that joins later gets a first message of its own: a snapshot.
func (s *executions) join(ctx context.Context, r *Resolver, key executionKey, next graphql.OperationHandler) graphql.ResponseHandler {
	done, err := socketOf(ctx).addSubscription()
	if err != nil {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{r.present(ctx, err)}})
	}
	s.mu.Lock()
	e := s.open[key]
	first := e == nil
	var running context.Context
	if first {
		e = newExecution(key)
		running, e.cancel = context.WithCancel(context.WithValue(detached(ctx), executionContextKey{}, e))
		s.open[key] = e
		s.running.Add(1)
	}
	e.subscribers.Add(1)
	s.mu.Unlock()
	context.AfterFunc(ctx, func() { s.leave(e); done() })

	batch, sequence := e.add()
	var own *graphql.Response
	switch {
	case first:
		messages := next(running)
		go func() {
			defer s.running.Done()
			e.run(running, messages)
			s.mu.Lock()
			s.delete(e) // the next subscriber starts a new execution
			s.mu.Unlock()
		}()
	case sequence > 0:
		alone, cancel := context.WithCancel(detached(ctx))
		own = next(alone)(alone)
		cancel()
	}
	if !first { // the execution still needs the operation of the first subscriber
		releaseOperation(graphql.GetOperationContext(ctx))
	}
	return r.follow(ctx, e, batch, sequence, own)
}

// detached returns a context with the same caller that outlives the connection.
func detached(ctx context.Context) context.Context {
	return auth.Detach(context.WithValue(context.WithoutCancel(ctx), socketKey{}, (*socket)(nil)))
}

// releaseOperation drops the parts of an operation that a subscriber without its
// own execution no longer needs. gqlgen keeps the operation as long as the
// subscription; its document and collected fields take some 20 kB for a page.
func releaseOperation(op *graphql.OperationContext) {
	*op = graphql.OperationContext{RecoverFunc: op.RecoverFunc}
}

// follow returns the messages of one subscriber: its own first one, if any, then
// the latest message whenever it is newer than sequence.
func (r *Resolver) follow(ctx context.Context, e *execution, batch, sequence int, own *graphql.Response) graphql.ResponseHandler {
	over := false
	return func(context.Context) *graphql.Response {
		if m := own; m != nil {
			own, over = nil, len(m.Errors) > 0
			return m
		}
		for !over && ctx.Err() == nil {
			n, m, changed := e.newer(sequence, batch)
			if m != nil {
				sequence, over = n, len(m.Errors) > 0
				if c := socketOf(ctx); c != nil {
					m = c.placeholders.replace(m)
				}
				return m
			}
			if changed == nil {
				if e.err != nil {
					r.fail(ctx, e.err)
				}
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
		return nil
	}
}

// run stores each message and notifies the subscribers until there are no more.
func (e *execution) run(ctx context.Context, messages graphql.ResponseHandler) {
	defer func() {
		p := recover() // a panic while a message is marshalled must not stop the server
		e.mu.Lock()
		defer e.mu.Unlock()
		if p != nil {
			e.err = fmt.Errorf("panic in a subscription: %v", p)
		}
		e.ended = true
		for _, changed := range e.changed {
			close(changed)
		}
	}()
	for m := messages(ctx); m != nil; m = messages(ctx) {
		kept := *m
		kept.Data = bytes.Clone(m.Data) // gqlgen reuses its buffer
		e.mu.Lock()
		e.latest, e.sequence = &kept, e.sequence+1
		e.mu.Unlock()
		e.notify()
	}
}

// notify wakes the subscribers batch by batch. With more subscribers than
// batches it spreads them over a quarter of their additional delay.
func (e *execution) notify() {
	pause := time.Duration(0)
	if n := e.subscribers.Load(); n > notifyBatches {
		pause = time.Duration(n) * delayPerSubscriber / 4 / notifyBatches
	}
	for i := range e.changed {
		e.mu.Lock()
		close(e.changed[i])
		e.changed[i] = make(chan struct{})
		e.mu.Unlock()
		time.Sleep(pause)
	}
}

// add assigns a subscriber to a batch and returns the current sequence number.
func (e *execution) add() (batch, sequence int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.joined++
	return e.joined % notifyBatches, e.sequence
}

// newer returns the latest message if it is newer than sequence, else a channel
// that is closed with the next message. The channel is nil after the end.
func (e *execution) newer(sequence, batch int) (int, *graphql.Response, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.sequence > sequence:
		return e.sequence, e.latest, nil
	case e.ended:
		return e.sequence, nil, nil
	default:
		return e.sequence, nil, e.changed[batch]
	}
}

func (s *executions) leave(e *execution) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.subscribers.Add(-1) == 0 {
		e.cancel()
		s.delete(e)
	}
}

// delete removes an execution; s.mu must be held.
func (s *executions) delete(e *execution) {
	if s.open[e.key] == e {
		delete(s.open, e.key)
	}
}
