// Package view is the read layer: every read that a page, GraphQL or REST needs,
// with its paging, sorting and permission. It writes nothing. Numbers are sums of
// counters and lists read an index and stop, so that no read scans a group.
package view

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/clock"
	"github.com/coreroller/coreroller/fleet/disk"
	"github.com/coreroller/coreroller/fleet/reach"
	"github.com/coreroller/coreroller/fleet/view/machines"
	"github.com/coreroller/coreroller/store"
)

// Service carries the reads. It is safe for concurrent use.
type Service struct {
	store            *store.Store
	catalog          *catalog.Cache
	now              func() time.Time
	clock            func() clock.State
	hosting          func(context.Context) (string, error) // a warning about the storage of payloads
	disks            func() []disk.State
	projections      *projections
	*machines.Reader // CountMachines, Skip
}

// New makes a Service. now must return UTC microseconds; state is that of the clock
// behind it. hosting returns a warning about the storage of payloads, "" without one, and
// disks the free space of this process.
func New(s *store.Store, c *catalog.Cache, now func() time.Time, state func() clock.State, hosting func(context.Context) (string, error), disks func() []disk.State) *Service {
	return &Service{store: s, catalog: c, now: now, clock: state, hosting: hosting, disks: disks, projections: &projections{byGroup: map[uuid.UUID]*projection{}}, Reader: machines.New(s, c)}
}

// seen returns the part of the configuration that the caller may read.
func (s *Service) seen(ctx context.Context) *catalog.Catalog {
	return reach.Catalog(ctx, s.catalog.Catalog())
}

// db returns the read-only client.
func (s *Service) db() *db.Client { return s.store.Reader() }
