package graph

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/failure"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/ent/db/ledger"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/ent/db/wave"
	"github.com/coreroller/coreroller/fleet/view"
)

// A loader waits for more keys, because gqlgen resolves the entries of a list
// at the same time, each in its own goroutine: gatherTime, and again as long as
// keys come, gatherRounds times at most.
var gatherTime = time.Millisecond // a variable for tests that count statements

const gatherRounds = 8

// loader reads what many fields of one answer need with one statement. It
// remembers what it read for as long as the answer is made.
type loader[V any] struct {
	ctx   context.Context
	fetch func(ctx context.Context, keys []uuid.UUID) (map[uuid.UUID]V, error)

	mu      sync.Mutex
	waiting *batch[V]               // not yet read
	known   map[uuid.UUID]*batch[V] // by key
}

type batch[V any] struct {
	keys   []uuid.UUID
	seen   int // keys at the end of the last round
	rounds int
	done   chan struct{}
	values map[uuid.UUID]V
	err    error
}

func newLoader[V any](ctx context.Context, fetch func(context.Context, []uuid.UUID) (map[uuid.UUID]V, error)) *loader[V] {
	return &loader[V]{ctx: ctx, fetch: fetch, known: map[uuid.UUID]*batch[V]{}}
}

// load returns the value of a key, the zero value when there is none.
func (l *loader[V]) load(ctx context.Context, key uuid.UUID) (V, error) {
	l.mu.Lock()
	b := l.known[key]
	if b == nil {
		if b = l.waiting; b == nil {
			b = &batch[V]{done: make(chan struct{})}
			l.waiting = b
			time.AfterFunc(gatherTime, func() { l.run(b) })
		}
		b.keys = append(b.keys, key)
		l.known[key] = b
	}
	l.mu.Unlock()
	select {
	case <-b.done:
		return b.values[key], b.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func (l *loader[V]) run(b *batch[V]) {
	l.mu.Lock()
	if more := len(b.keys) > b.seen; more && b.rounds < gatherRounds {
		b.seen, b.rounds = len(b.keys), b.rounds+1
		l.mu.Unlock()
		time.AfterFunc(gatherTime, func() { l.run(b) })
		return
	}
	l.waiting = nil
	l.mu.Unlock()
	defer close(b.done)
	defer func() { // nobody else catches a panic on this goroutine
		if p := recover(); p != nil {
			b.err = fmt.Errorf("panic in a loader: %v\n%s", p, debug.Stack())
		}
	}()
	b.values, b.err = l.fetch(l.ctx, b.keys)
}

// loaders are those of one answer.
type loaders struct {
	groupNumbers       *loader[*view.GroupNumbers]
	groupWaits         *loader[*view.Wait]
	applicationNumbers *loader[view.Numbers]
	applicationChecks  *loader[[]int]
	current            *loader[*db.GroupRollout] // by group
	rollouts           *loader[*db.GroupRollout]
	packages           *loader[*db.Release]
	waves              *loader[[]*db.Wave]         // by rollout
	failures           *loader[[]*db.Failure]      // by rollout
	shares             *loader[[]*db.FailureShare] // by rollout
}

type loadersKey struct{}

func withLoaders(ctx context.Context, r *Resolver) context.Context {
	return context.WithValue(ctx, loadersKey{}, &loaders{
		groupNumbers:       newLoader(ctx, r.fleet.View.ManyGroupNumbers),
		groupWaits:         newLoader(ctx, r.fleet.View.GroupWaits),
		applicationNumbers: newLoader(ctx, r.fleet.View.ApplicationNumbers),
		applicationChecks:  newLoader(ctx, r.fleet.View.ApplicationChecks),
		current:            newLoader(ctx, r.currentRollouts),
		rollouts:           newLoader(ctx, r.rolloutsByID),
		packages:           newLoader(ctx, r.packagesByID),
		waves:              newLoader(ctx, r.wavesByRollout),
		failures:           newLoader(ctx, r.failuresByRollout),
		shares:             newLoader(ctx, r.sharesByRollout),
	})
}

func loadersOf(ctx context.Context) *loaders { return ctx.Value(loadersKey{}).(*loaders) }

func (r *Resolver) currentRollouts(ctx context.Context, groups []uuid.UUID) (map[uuid.UUID]*db.GroupRollout, error) {
	rows, err := r.reader.GroupRollout.Query().Where(grouprollout.GroupIDIn(groups...), current).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]*db.GroupRollout, len(rows))
	for _, row := range rows {
		out[row.GroupID] = row
	}
	return out, nil
}

func (r *Resolver) rolloutsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*db.GroupRollout, error) {
	rows, err := r.reader.GroupRollout.Query().Where(grouprollout.IDIn(ids...)).WithGroup().All(ctx)
	out := make(map[uuid.UUID]*db.GroupRollout, len(rows))
	for _, row := range rows {
		out[row.ID] = row
	}
	return out, err
}

// current is the condition that a rollout is the one in the ledger of its group.
func current(s *sql.Selector) {
	t := sql.Table(ledger.Table)
	s.Where(sql.In(s.C(grouprollout.FieldID), sql.Select(t.C(ledger.FieldRolloutID)).From(t).
		Where(sql.ColumnsEQ(t.C(ledger.FieldGroupID), s.C(grouprollout.FieldGroupID)))))
}

func (r *Resolver) packagesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*db.Release, error) {
	rows, err := r.reader.Release.Query().Where(release.IDIn(ids...)).All(ctx)
	out := make(map[uuid.UUID]*db.Release, len(rows))
	for _, row := range rows {
		out[row.ID] = row
	}
	return out, err
}

func (r *Resolver) wavesByRollout(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]*db.Wave, error) {
	rows, err := r.reader.Wave.Query().Where(wave.RolloutIDIn(ids...)).Order(wave.ByPosition()).All(ctx)
	out := make(map[uuid.UUID][]*db.Wave, len(ids))
	for _, row := range rows {
		out[row.RolloutID] = append(out[row.RolloutID], row)
	}
	return out, err
}

func (r *Resolver) failuresByRollout(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]*db.Failure, error) {
	rows, err := r.reader.Failure.Query().Where(failure.RolloutIDIn(ids...)).All(ctx)
	out := make(map[uuid.UUID][]*db.Failure, len(ids))
	for _, row := range rows {
		out[row.RolloutID] = append(out[row.RolloutID], row)
	}
	return out, err
}
