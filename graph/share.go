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
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/coreroller/coreroller/auth"
)

// shares are the subscriptions that are read once for everybody who asks the
// same: a hundred dashboards on one group cost as much as one, and a message to
// each. Only subscriptions whose messages are the present state are shared: a
// reader that was slow gets the latest and misses nothing.
type shares struct {
	mu      sync.Mutex
	open    map[shareKey]*share
	running sync.WaitGroup
}

// shareKey is what answers depend on.
type shareKey struct {
	team                      uuid.UUID
	document, name, variables string
}

// share is one subscription that is being read.
type share struct {
	key     shareKey
	cancel  context.CancelFunc
	readers atomic.Int64 // changed with shares.mu held

	mu      sync.Mutex
	latest  *graphql.Response
	number  int                  // of latest, counted from 1; 0: none yet
	changed [seats]chan struct{} // closed with the next message, and with the end
	joined  int                  // readers, also those that left
	ended   bool
	err     error // why, when that was not to be
}

// seats are the parts that readers are told in, one part after the other: a
// thousand that run at once would keep everything else from the processors for
// 50 ms, and machines with it.
const seats = 64

func newShare(key shareKey) *share {
	sh := &share{key: key}
	for i := range sh.changed {
		sh.changed[i] = make(chan struct{})
	}
	return sh
}

type shareOwner struct{}

// perReader is how much longer a shared subscription waits between messages for
// each of its readers. A message takes some 30 us of a core to send, so however
// many watch, sending takes less than a tenth of a core; a thousand see four
// messages in three seconds, and few see no difference.
const perReader = 600 * time.Microsecond

// paceOf is the shortest time between two messages of the subscription that is
// read in this context.
func paceOf(ctx context.Context, pace time.Duration) time.Duration {
	if sh, shared := ctx.Value(shareOwner{}).(*share); shared {
		pace += time.Duration(sh.readers.Load()) * perReader
	}
	return pace
}

// shareable answers the key of a subscription that can be shared.
func shareable(ctx context.Context, op *graphql.OperationContext) (shareKey, bool) {
	fields := rootFields(op)
	if op.Operation.Operation != ast.Subscription || len(fields) != 1 {
		return shareKey{}, false
	}
	switch fields[0].Name {
	case "fleetChanged", "applicationChanged", "groupChanged", "rolloutProgressed", "instanceChanged":
	default:
		return shareKey{}, false
	}
	p, known := auth.From(ctx)
	variables, err := json.Marshal(op.Variables)
	return shareKey{team: p.TeamID, document: op.RawQuery, name: op.OperationName, variables: string(variables)}, known && err == nil
}

// join answers with the messages of a subscription that others may have begun.
// Whoever comes later gets a first message of its own.
func (s *shares) join(ctx context.Context, r *Resolver, key shareKey, next graphql.OperationHandler) graphql.ResponseHandler {
	done, err := socketOf(ctx).watch()
	if err != nil {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{r.present(ctx, err)}})
	}
	s.mu.Lock()
	sh := s.open[key]
	first := sh == nil
	var reading context.Context
	if first {
		sh = newShare(key)
		reading, sh.cancel = context.WithCancel(context.WithValue(detached(ctx), shareOwner{}, sh))
		s.open[key] = sh
		s.running.Add(1)
	}
	sh.readers.Add(1)
	s.mu.Unlock()
	context.AfterFunc(ctx, func() { s.leave(sh); done() })

	seat, from := sh.sit()
	var own *graphql.Response
	switch {
	case first:
		messages := next(reading)
		go func() {
			defer s.running.Done()
			sh.read(reading, messages)
			s.forget(sh)
		}()
	case from > 0:
		alone, cancel := context.WithCancel(detached(ctx))
		own = next(alone)(alone)
		cancel()
	}
	if !first { // whose operation is the one that is read
		lighten(graphql.GetOperationContext(ctx))
	}
	return r.follow(ctx, sh, seat, from, own)
}

// detached is a context of the same caller that outlives the connection.
func detached(ctx context.Context) context.Context {
	return auth.Detach(context.WithValue(context.WithoutCancel(ctx), socketKey{}, (*socket)(nil)))
}

// lighten lets go of an operation but for what may still be asked of one that
// only follows. gqlgen keeps it as long as it is watched: the document, and the
// fields it collected, some 20 kB for a page.
func lighten(op *graphql.OperationContext) {
	*op = graphql.OperationContext{RecoverFunc: op.RecoverFunc}
}

// follow answers a reader's messages: its own first one, then each newest that
// is later than number.
func (r *Resolver) follow(ctx context.Context, sh *share, seat, number int, own *graphql.Response) graphql.ResponseHandler {
	over := false
	return func(context.Context) *graphql.Response {
		if m := own; m != nil {
			own, over = nil, len(m.Errors) > 0
			return m
		}
		for !over && ctx.Err() == nil {
			n, m, changed := sh.after(number, seat)
			if m != nil {
				number, over = n, len(m.Errors) > 0
				if c := socketOf(ctx); c != nil {
					m = c.tickets.take(m)
				}
				return m
			}
			if changed == nil {
				if sh.err != nil {
					r.broken(ctx, sh.err)
				}
				break
			}
			if err := r.await(ctx, changed); err != nil {
				r.broken(ctx, err)
				break
			}
		}
		return nil
	}
}

// await waits for a message. A session may end elsewhere meanwhile.
func (r *Resolver) await(ctx context.Context, changed <-chan struct{}) error {
	recheck := time.NewTicker(recheckTime)
	defer recheck.Stop()
	for {
		select {
		case <-changed:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-recheck.C:
			if err := r.Guard.Recheck(ctx); err != nil {
				return err
			}
		}
	}
}

// read keeps the newest message until there are no more.
func (sh *share) read(ctx context.Context, messages graphql.ResponseHandler) {
	defer func() {
		p := recover() // a message that cannot be written must not end the server
		sh.mu.Lock()
		defer sh.mu.Unlock()
		if p != nil {
			sh.err = fmt.Errorf("panic in a subscription: %v", p)
		}
		sh.ended = true
		for _, seat := range sh.changed {
			close(seat)
		}
	}()
	for m := messages(ctx); m != nil; m = messages(ctx) {
		kept := *m
		kept.Data = bytes.Clone(m.Data) // its buffer is written again
		sh.mu.Lock()
		sh.latest, sh.number = &kept, sh.number+1
		sh.mu.Unlock()
		sh.tell()
	}
}

// tell wakes the readers, seat by seat; a crowd in a quarter of what it waits
// longer for being one.
func (sh *share) tell() {
	pause := time.Duration(0)
	if n := sh.readers.Load(); n > seats {
		pause = time.Duration(n) * perReader / 4 / seats
	}
	for i := range sh.changed {
		sh.mu.Lock()
		close(sh.changed[i])
		sh.changed[i] = make(chan struct{})
		sh.mu.Unlock()
		time.Sleep(pause)
	}
}

// sit gives a reader a seat, and the number of the newest message.
func (sh *share) sit() (seat, number int) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.joined++
	return sh.joined % seats, sh.number
}

// after returns the newest message if it is later than number, else what will
// be closed when there is one; that is nil after the end.
func (sh *share) after(number, seat int) (int, *graphql.Response, <-chan struct{}) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	switch {
	case sh.number > number:
		return sh.number, sh.latest, nil
	case sh.ended:
		return sh.number, nil, nil
	default:
		return sh.number, nil, sh.changed[seat]
	}
}

// fail notes why a subscription cannot go on.
func (sh *share) fail(err error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.err = err
}

func (s *shares) leave(sh *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh.readers.Add(-1) == 0 {
		sh.cancel()
		s.drop(sh)
	}
}

// forget lets the next reader begin anew.
func (s *shares) forget(sh *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(sh)
}

func (s *shares) drop(sh *share) {
	if s.open[sh.key] == sh {
		delete(s.open, sh.key)
	}
}
