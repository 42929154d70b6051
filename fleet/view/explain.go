package view

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// Explanation explains the decision about a machine.
type Explanation struct {
	Instance *db.Instance
	AsOf     time.Time
	Decision rollout.Decision
	Steps    []rollout.RuleStep // every rule in evaluation order; none without a group

	RebootSlot *RebootSlot // nil: it neither holds one nor waits for one
}

// ExplainUpdate decides about a machine as for an update check now that demands
// what the machine's last one demanded.
func (s *Service) ExplainUpdate(ctx context.Context, instanceID uuid.UUID) (*Explanation, error) {
	if _, err := fault.Require(ctx, auth.Viewer); err != nil {
		return nil, err
	}
	row, err := s.db().Instance.Get(ctx, instanceID)
	if err != nil {
		return nil, fault.Missing(err, "instanceId", "machine")
	}
	out := &Explanation{Instance: row, AsOf: s.now(), Decision: rollout.Decision{Reason: rollout.ReasonUnknownGroup}}
	if row.GroupID == nil {
		return out, nil
	}
	err = s.store.View(ctx, out.AsOf, func(tx *store.Tx) error {
		states, err := tx.LockGroups(ctx, []uuid.UUID{*row.GroupID})
		if err != nil {
			return err
		}
		app, err := catalog.LoadApp(ctx, tx.Client(), row.ApplicationID)
		if err != nil {
			return err
		}
		machines, err := tx.Machines(ctx, []uuid.UUID{instanceID})
		if err != nil {
			return err
		}
		m, g := machines[instanceID], app.Group(*row.GroupID)
		if m == nil || g == nil || len(states) == 0 || m.GroupID != g.ID {
			return nil // the machine left the group meanwhile
		}
		w := g.World(states[0], s.now(), &rollout.Effects{})
		out.Decision = rollout.Decide(&w, &m.Machine, m.Check(), out.AsOf)
		out.Steps = rollout.Explain(&w, &m.Machine, m.Check(), out.AsOf)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, s.explainReboot(ctx, out)
}

// explainReboot adds the wait for a reboot slot to the rule that waits for the reboot.
func (s *Service) explainReboot(ctx context.Context, out *Explanation) error {
	slots, err := s.InstanceRebootSlots(ctx, []uuid.UUID{out.Instance.ID})
	if out.RebootSlot = slots[out.Instance.ID]; out.RebootSlot == nil || err != nil {
		return err
	}
	for i := range out.Steps {
		if step := &out.Steps[i]; step.Reason == rollout.ReasonUpdateInProgress && !step.Passed {
			step.Text += "; " + out.RebootSlot.Sentence
		}
	}
	return nil
}
