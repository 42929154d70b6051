package change

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store"
)

// follow makes every group follow the changed configuration: a group with a new
// target starts a rollout, a new policy applies to the running rollout. All verbs
// share it, so that none can forget a step.
func (c *Change) follow() error {
	if c.App == uuid.Nil {
		return nil
	}
	after, err := catalog.LoadApp(c.Ctx, c.Tx.Client(), c.App)
	if err != nil || after == nil {
		return err
	}
	c.after = after
	if err := c.prepare(); err != nil {
		return err
	}
	for _, g := range after.Groups {
		before := c.Config.Group(g.ID)
		if before == nil {
			before = &catalog.Group{Schedule: g.Schedule, Policy: g.Policy} // a new group changes only its target
		}
		if !sameAim(before, g) {
			if err := c.retarget(g); err != nil {
				return err
			}
		}
		if err := c.repolicy(before, g); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the ledgers of new groups and reads those of changed groups with
// one statement. LockApplication has locked them.
func (c *Change) prepare() error {
	var ids []uuid.UUID
	var lifted []uuid.UUID
	for _, g := range c.after.Groups {
		before := c.Config.Group(g.ID)
		if before == nil {
			st, err := c.Tx.CreateLedger(c.Ctx, g.ID, c.after.Revision)
			if err != nil {
				return err
			}
			c.keep(st)
			continue
		}
		if moved := !sameAim(before, g); moved || !SamePolicy(before.Policy, g.Policy) {
			ids = append(ids, g.ID)
			if moved && g.Target != nil {
				lifted = append(lifted, g.ID)
			}
		}
	}
	if err := c.Lock(ids...); err != nil || len(lifted) == 0 {
		return err
	}
	return c.Tx.LiftQuarantines(c.Ctx, lifted) // a new version gives quarantined machines a new chance
}

// retarget starts the rollout to the group's target, or ends the current one when
// there is no target. When fewer versions are recalled the current one continues.
func (c *Change) retarget(g *catalog.Group) error {
	census, err := c.Tx.Census(c.Ctx, g.ID, g.Goal())
	if err != nil {
		return err
	}
	known, err := c.Tx.Known(c.Ctx, g.ID, g.Schedule.Policy().KnownBefore(c.Now))
	if err != nil {
		return err
	}
	id := store.NewID(c.Now)
	return c.Run(g, func(w *rollout.World, fx *rollout.Effects) {
		// The id is random enough to serve as the salt of the buckets.
		old := w.Retarget(g.Aim, rollout.ID(id), id.String(), census, known, c.Now, fx)
		if st := c.States[g.ID]; old.ID != (rollout.ID{}) {
			st.Superseded = append(st.Superseded, old)
		}
	})
}

// repolicy applies a new policy to the running rollout.
func (c *Change) repolicy(before, g *catalog.Group) error {
	if SamePolicy(before.Policy, g.Policy) {
		return nil
	}
	return c.Run(g, func(w *rollout.World, fx *rollout.Effects) {
		// With fewer waves than before, the last one reaches the remaining machines.
		w.Rollout.Wave = min(w.Rollout.Wave, max(len(g.Policy.Waves)-1, 0))
		switch {
		case before.Policy.UpdatesEnabled && !g.Policy.UpdatesEnabled:
			w.PauseUpdates(g.Pause, fx)
		case !before.Policy.UpdatesEnabled && g.Policy.UpdatesEnabled:
			w.ResumeUpdates(c.By.Name, c.Reason, c.Now, fx)
		}
		was := before.Policy
		was.UpdatesEnabled = g.Policy.UpdatesEnabled // pause and resume have their own activities
		if lines := policy.Changes(was, g.Policy); len(lines) > 0 {
			fx.Activities = append(fx.Activities, rollout.Activity{
				Kind: rollout.ActivityPolicyChanged, Severity: rollout.SeverityInfo,
				Detail: strings.Join(lines, "; "),
			})
		}
		w.Advance(c.Now, fx) // the new gate may already hold
	})
}

// sameAim reports whether the groups have the same target and recall the same versions.
func sameAim(a, b *catalog.Group) bool {
	if a.Target == nil || b.Target == nil {
		return a.Target == b.Target
	}
	return a.Target.ID == b.Target.ID && a.Target.Version == b.Target.Version && slices.Equal(a.Recalled, b.Recalled)
}

// SamePolicy compares policies in their stored form.
func SamePolicy(a, b rollout.Policy) bool { return bytes.Equal(policyText(a), policyText(b)) }

func policyText(p rollout.Policy) []byte {
	text, _ := json.Marshal(p) // plain values always marshal
	return text
}
