// Package fleet is what an operator or a machine can do. It is the only room
// that creates, changes or deletes records: every verb checks the permission,
// validates, runs one transaction of the store, lets the engine decide and
// leaves activity and audit behind.
//
// It knows no protocol (Omaha, REST and GraphQL translate to it), writes no
// SQL text and decides nothing about a rollout itself.
package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/store"
	"github.com/coreroller/coreroller/store/lane"
)

// Options is what a Service is made of. Now is the only clock it looks at.
type Options struct {
	Store *store.Store
	Now   func() time.Time
	Log   *slog.Logger
	Demo  DemoFleet // nil: none can be started
}

// Service carries the verbs. It is safe for concurrent use.
type Service struct {
	store *store.Store
	now   func() time.Time // UTC, microseconds, as the databases keep it
	log   *slog.Logger

	catalog   atomic.Pointer[Catalog]
	reloading sync.Mutex // held from reading the configuration to replacing the catalog

	hashing chan struct{} // one slot per password hash under way

	demo    DemoFleet
	demoing sync.Mutex // held while the demo is started or stopped

	lane    *lane.Lane[*call]
	idle    *idleMemory
	rate    rate // of check-ins that were answered
	jobs    *jobs
	meters  meters
	batches atomic.Uint64 // numbers batches, so that the newest view of a group wins

	// Of the worker alone.
	swept    uuid.UUID // how far the walk over all machines got
	pointed  [len(resolutions)]time.Time
	sampled  time.Time
	retained time.Time
}

// New makes a Service and loads the catalog. The caller keeps the store and
// closes it after the Service is no longer used.
func New(ctx context.Context, o Options) (*Service, error) {
	s := &Service{
		store:   o.Store,
		now:     func() time.Time { return o.Now().UTC().Truncate(time.Microsecond) },
		log:     o.Log,
		hashing: make(chan struct{}, maxHashing),
		demo:    o.Demo,
	}
	s.catalog.Store(&Catalog{})
	if err := s.reloadAll(ctx); err != nil {
		return nil, fmt.Errorf("load the catalog: %w", err)
	}
	s.idle, s.jobs = newIdleMemory(), newJobs()
	s.meters.written = s.now()
	s.lane = store.NewLane(s.store, lane.Options{Batch: laneBatch, Waiting: laneWaiting}, s.now, s.process)
	return s, nil
}

const (
	// laneBatch is how many check-ins share a transaction: at a few hundred the
	// cost of the commit is spread thin and nobody waits long for his neighbours.
	laneBatch = 400
	// laneWaiting is how many check-ins may wait before machines are told to
	// come back later: some ten batches, well under a second of work.
	laneWaiting = 4000
)

// Run does what happens without being asked, until the context ends: it follows
// other processes, ends leases, opens waves, keeps statistics and deletes what
// is old.
func (s *Service) Run(ctx context.Context) error {
	var g sync.WaitGroup
	for _, f := range []func(context.Context){s.watchCatalog, s.watchMachines, s.touch, s.work, s.recall} {
		g.Go(func() { f(ctx) })
	}
	g.Wait()
	return nil
}

// Close commits the check-ins that wait and takes no more.
func (s *Service) Close() { s.lane.Close() }

// Catalog is the configuration as it stands; it never changes once returned.
func (s *Service) Catalog() *Catalog { return s.catalog.Load() }
