package view

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
)

// projectionAge is how long a projected end is cached: computing it takes up to
// 100 ms, and every message of a subscription may contain it.
const projectionAge = 30 * time.Second

// projections caches the projected ends of rollouts, one entry per group.
type projections struct {
	mu      sync.Mutex
	byGroup map[uuid.UUID]*projection
}

type projection struct {
	mu       sync.Mutex // held during the computation, so that it runs once for concurrent callers
	rollout  uuid.UUID
	revision int64     // of the group: a new policy changes the end at once
	at       time.Time // when it was computed; zero: never
	end      time.Time // zero: cannot be computed
}

func (p *projections) of(group uuid.UUID) *projection {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byGroup[group] == nil {
		p.byGroup[group] = &projection{}
	}
	return p.byGroup[group]
}

// ProjectedEnd returns when an active rollout will complete at the current pace;
// nil when it has ended or the time cannot be computed.
func (s *Service) ProjectedEnd(ctx context.Context, row *db.GroupRollout) (*time.Time, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	if row.State != rollout.RolloutActive {
		return nil, nil
	}
	g := s.seen(ctx).Group(row.GroupID)
	if g == nil {
		return nil, nil
	}
	p := s.projections.of(row.GroupID)
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := s.now(); p.rollout != row.ID || p.revision != g.Revision || now.Sub(p.at) > projectionAge {
		impact, err := s.PolicyImpact(ctx, row.GroupID, *g.Schedule.Policy())
		if err != nil {
			return nil, err
		}
		p.rollout, p.revision, p.at, p.end = row.ID, g.Revision, now, impact.ProjectedEnd
	}
	if p.end.IsZero() {
		return nil, nil
	}
	end := p.end
	return &end, nil
}
