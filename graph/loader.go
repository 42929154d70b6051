package graph

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/vikstrous/dataloadgen"

	"github.com/coreroller/coreroller/ent/db"
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
	groupHolds         loader[*view.Hold]
	applicationNumbers loader[*view.Numbers]
	applicationChecks  loader[[]int]
	current            loader[*db.GroupRollout] // by group
	rollouts           loader[*db.GroupRollout]
	packages           loader[*db.Release]
	applications       loader[*db.Application]
	groups             loader[*db.Group]
	instances          loader[*db.Instance]
	rebootSlots        loader[*view.RebootSlots]    // by group
	machineSlots       loader[*view.RebootSlot]     // by machine
	labels             loader[[]*db.MachineLabel]   // by machine
	reassignments      loader[*db.Reassignment]     // by application
	waves              loader[[]*db.Wave]           // by rollout
	failures           loader[[]*db.Failure]        // by rollout
	shares             loader[[]*db.FailureShare]   // by rollout
	deliveryCounts     loader[*view.DeliveryCounts] // by notifier
	teams              func() ([]*db.Team, error)   // of the caller, read once
}

type loadersKey struct{}

func withLoaders(ctx context.Context, r *Resolver) context.Context {
	return context.WithValue(ctx, loadersKey{}, &loaders{
		groupNumbers:       newLoader(r.fleet.View.ManyGroupNumbers),
		groupHolds:         newLoader(r.fleet.View.GroupHolds),
		applicationNumbers: newLoader(r.fleet.View.ApplicationNumbers),
		applicationChecks:  newLoader(r.fleet.View.ApplicationChecks),
		current:            newLoader(r.fleet.View.CurrentRollouts),
		rollouts:           newLoader(r.fleet.View.RolloutByID),
		packages:           newLoader(r.fleet.View.PackageByID),
		applications:       newLoader(r.fleet.View.ApplicationByID),
		groups:             newLoader(r.fleet.View.GroupByID),
		instances:          newLoader(r.fleet.View.InstanceByID),
		rebootSlots:        newLoader(r.fleet.View.ManyRebootSlots),
		machineSlots:       newLoader(r.fleet.View.InstanceRebootSlots),
		labels:             newLoader(r.fleet.View.MachineLabels),
		reassignments:      newLoader(r.fleet.View.Reassignments),
		waves:              newLoader(r.fleet.View.Waves),
		failures:           newLoader(r.fleet.View.Failures),
		shares:             newLoader(r.fleet.View.FailureShares),
		deliveryCounts:     newLoader(r.fleet.View.DeliveryCounts),
		teams:              sync.OnceValues(func() ([]*db.Team, error) { return r.fleet.Accounts.Teams(ctx) }),
	})
}

func loadersOf(ctx context.Context) *loaders { return ctx.Value(loadersKey{}).(*loaders) }

// team returns a team of the caller, nil for another.
func (l *loaders) team(_ context.Context, id uuid.UUID) (*db.Team, error) {
	all, err := l.teams()
	i := slices.IndexFunc(all, func(t *db.Team) bool { return t.ID == id })
	if i < 0 {
		return nil, err
	}
	return all[i], nil
}
