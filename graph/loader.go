package graph

import (
	"context"
	"errors"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/vikstrous/dataloadgen"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/failure"
	"github.com/coreroller/coreroller/ent/db/grouprollout"
	"github.com/coreroller/coreroller/ent/db/ledger"
	"github.com/coreroller/coreroller/ent/db/release"
	"github.com/coreroller/coreroller/ent/db/wave"
	"github.com/coreroller/coreroller/fleet/view"
)

// loaderWait is how long a loader collects keys before it reads. gqlgen resolves
// the entries of a list concurrently, so their keys arrive within this time.
var loaderWait = 2 * time.Millisecond // a variable for tests that count statements

// loader reads what many fields of one response need with one statement, and
// caches it until the response is complete.
type loader[V any] struct {
	*dataloadgen.Loader[uuid.UUID, V]
}

func newLoader[V any](fetch func(context.Context, []uuid.UUID) (map[uuid.UUID]V, error)) loader[V] {
	return loader[V]{dataloadgen.NewMappedLoader(fetch, dataloadgen.WithWait(loaderWait))}
}

// load returns the value of a key, the zero value when there is none.
func (l loader[V]) load(ctx context.Context, key uuid.UUID) (V, error) {
	value, err := l.Load(ctx, key)
	if errors.Is(err, dataloadgen.ErrNotFound) {
		err = nil
	}
	return value, err
}

// loaders are the loaders of one response.
type loaders struct {
	groupNumbers       loader[*view.GroupNumbers]
	groupWaits         loader[*view.Wait]
	applicationNumbers loader[view.Numbers]
	applicationChecks  loader[[]int]
	current            loader[*db.GroupRollout] // by group
	rollouts           loader[*db.GroupRollout]
	packages           loader[*db.Release]
	waves              loader[[]*db.Wave]         // by rollout
	failures           loader[[]*db.Failure]      // by rollout
	shares             loader[[]*db.FailureShare] // by rollout
}

type loadersKey struct{}

func withLoaders(ctx context.Context, r *Resolver) context.Context {
	return context.WithValue(ctx, loadersKey{}, &loaders{
		groupNumbers:       newLoader(r.fleet.View.ManyGroupNumbers),
		groupWaits:         newLoader(r.fleet.View.GroupWaits),
		applicationNumbers: newLoader(r.fleet.View.ApplicationNumbers),
		applicationChecks:  newLoader(r.fleet.View.ApplicationChecks),
		current:            newLoader(r.currentRollouts),
		rollouts:           newLoader(r.rolloutsByID),
		packages:           newLoader(r.packagesByID),
		waves:              newLoader(r.wavesByRollout),
		failures:           newLoader(r.failuresByRollout),
		shares:             newLoader(r.sharesByRollout),
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
