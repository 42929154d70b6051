package fleet

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Explanation is why a machine updates or does not.
type Explanation struct {
	Instance *db.Instance
	AsOf     time.Time
	Decision rollout.Decision
	Steps    []rollout.RuleStep // every rule in the order it is tried; none for a machine without group
}

// ExplainUpdate runs the engine for one machine as if it asked now. It writes
// nothing.
func (s *Service) ExplainUpdate(ctx context.Context, instanceID uuid.UUID) (*Explanation, error) {
	if _, err := require(ctx, auth.Read); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().Instance.Get(ctx, instanceID)
	if err != nil {
		return nil, found(err, "instanceId", "machine")
	}
	out := &Explanation{Instance: row, AsOf: s.now(), Decision: rollout.Decision{Reason: rollout.ReasonUnknownGroup}}
	if row.GroupID == nil {
		return out, nil
	}
	err = s.store.View(ctx, out.AsOf, func(tx *store.Tx) error {
		c := &change{verb: verb{app: row.ApplicationID}, ctx: ctx, tx: tx, now: out.AsOf, states: map[uuid.UUID]*store.GroupState{}}
		if err := c.lock(*row.GroupID); err != nil {
			return err
		}
		if err := c.load(); err != nil {
			return err
		}
		machines, err := tx.Machines(ctx, []uuid.UUID{instanceID})
		if err != nil {
			return err
		}
		m, g, st := machines[instanceID], c.app.Group(*row.GroupID), c.states[*row.GroupID]
		if m == nil || g == nil || st == nil || m.GroupID != g.ID {
			return nil // left its group this very moment
		}
		w := g.World(st)
		out.Decision = rollout.Decide(&w, &m.Machine, rollout.Check{}, out.AsOf)
		out.Steps = rollout.Explain(&w, &m.Machine, rollout.Check{}, out.AsOf)
		return nil
	})
	return out, err
}
