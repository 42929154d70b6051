package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/delivery"
	"github.com/coreroller/coreroller/ent/db/machinejob"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/store"
)

// PoolUse is how connections to the database are used.
type PoolUse = store.PoolUse

// Pools returns the use of the connections of this process, for the metrics.
func (s *Service) Pools() []PoolUse { return s.store.Pools() }

// Queues is the background work that waits in the database.
type Queues struct {
	Messages    int        // of notifiers that are not delivered yet
	Oldest      *time.Time // when the oldest of them was made; nil: there is none
	MachineJobs int        // that run
}

// Queues counts the background work that waits, for the metrics. Both counts use indexes
// that have only what waits.
func (s *Service) Queues(ctx context.Context) (q Queues, err error) {
	ctx = forMetrics(ctx)
	reader := s.store.Reader()
	waits := reader.Delivery.Query().Where(delivery.NextAtNotNil())
	if q.Messages, err = waits.Clone().Count(ctx); err != nil {
		return q, fmt.Errorf("count messages: %w", err)
	}
	if q.Messages > 0 {
		oldest, err := waits.Order(delivery.ByCreatedAt()).Select(delivery.FieldCreatedAt).First(ctx)
		switch {
		case err == nil:
			q.Oldest = &oldest.CreatedAt
		case !db.IsNotFound(err): // else it was delivered meanwhile
			return q, fmt.Errorf("read the oldest message: %w", err)
		}
	}
	if q.MachineJobs, err = reader.MachineJob.Query().Where(machinejob.State(string(job.Running))).Count(ctx); err != nil {
		return q, fmt.Errorf("count machine jobs: %w", err)
	}
	return q, nil
}
