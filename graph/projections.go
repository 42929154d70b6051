package graph

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
)

// projectionAge is how long a projected end is shown before it is worked out
// again: it costs up to a tenth of a second, and every push of every watcher
// wants it.
const projectionAge = 30 * time.Second

// projections remembers when rollouts will be done. One entry per group; the
// groups bound it.
type projections struct {
	mu      sync.Mutex
	byGroup map[uuid.UUID]*projection
}

type projection struct {
	mu      sync.Mutex // held while it is worked out: others wait for the same
	rollout uuid.UUID
	at      time.Time // when it was worked out; zero: never
	end     time.Time // zero: cannot be said
}

func newProjections() *projections { return &projections{byGroup: map[uuid.UUID]*projection{}} }

func (p *projections) of(group uuid.UUID) *projection {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byGroup[group] == nil {
		p.byGroup[group] = &projection{}
	}
	return p.byGroup[group]
}

// projectedEnd is when an active rollout will be done at the present pace, nil
// when it is over or it cannot be said.
func (r *Resolver) projectedEnd(ctx context.Context, row *db.GroupRollout) (*time.Time, error) {
	if row.State != rollout.RolloutActive {
		return nil, nil
	}
	g := r.fleet.Catalog().Group(row.GroupID)
	if g == nil {
		return nil, nil
	}
	p := r.projections.of(row.GroupID)
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := r.Now(); p.rollout != row.ID || now.Sub(p.at) > projectionAge {
		reach, err := r.fleet.View.PolicyReach(ctx, row.GroupID, *g.Schedule.Policy())
		if err != nil {
			return nil, err
		}
		p.rollout, p.at, p.end = row.ID, now, reach.ProjectedEnd
	}
	if p.end.IsZero() {
		return nil, nil
	}
	end := p.end
	return &end, nil
}
