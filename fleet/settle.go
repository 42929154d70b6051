package fleet

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// settle makes every group follow the configuration a verb left: a group with
// another target starts another rollout, a group that was paused or resumed
// says so. It is done here for all verbs, so that none can forget it.
func (c *change) settle() error {
	if c.verb.app == uuid.Nil {
		return nil
	}
	after, err := loadApp(c.ctx, c.tx.Client(), c.verb.app)
	if err != nil || after == nil {
		return err
	}
	c.after = after
	if err := c.prepare(); err != nil {
		return err
	}
	for _, g := range after.Groups {
		before := c.app.Group(g.ID)
		if before == nil {
			before = &Group{Schedule: g.Schedule, policy: g.policy} // new: only its target is news
		}
		if !sameTarget(before.Target, g.Target) {
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

// prepare makes the ledgers of new groups and reads those of groups that will
// be changed, in one go; they are locked already.
func (c *change) prepare() error {
	var ids []uuid.UUID
	var lifted []uuid.UUID
	for _, g := range c.after.Groups {
		before := c.app.Group(g.ID)
		if before == nil {
			st, err := c.tx.CreateLedger(c.ctx, g.ID, c.after.Revision)
			if err != nil {
				return err
			}
			c.keep(st)
			continue
		}
		if moved := !sameTarget(before.Target, g.Target); moved || !samePolicy(before.policy, g.policy) {
			ids = append(ids, g.ID)
			if moved && g.Target != nil {
				lifted = append(lifted, g.ID)
			}
		}
	}
	if err := c.lock(ids...); err != nil || len(lifted) == 0 {
		return err
	}
	return c.tx.LiftQuarantines(c.ctx, lifted) // the next version is a new chance
}

// retarget starts the rollout to the group's target, or ends the last one when
// there is none any more.
func (c *change) retarget(g *Group) error {
	var version rollout.Version
	if g.Target != nil {
		version = g.Target.Version
	}
	census, err := c.tx.Census(c.ctx, g.ID, version)
	if err != nil {
		return err
	}
	id := store.NewID(c.now)
	return c.run(g, func(w *rollout.World, fx *rollout.Effects) {
		// The id is random enough to bucket machines anew.
		old := w.Retarget(g.Target, g.Floors, rollout.ID(id), id.String(), census, c.now, fx)
		if st := c.states[g.ID]; old.ID != (rollout.ID{}) {
			st.Superseded = append(st.Superseded, old)
		}
	})
}

// repolicy applies a change of the policy to the running rollout.
func (c *change) repolicy(before, g *Group) error {
	if samePolicy(before.policy, g.policy) {
		return nil
	}
	return c.run(g, func(w *rollout.World, fx *rollout.Effects) {
		// Waves may have become fewer; the last one takes everybody who is left.
		w.Rollout.Wave = min(w.Rollout.Wave, max(len(g.policy.Waves)-1, 0))
		switch {
		case before.policy.UpdatesEnabled && !g.policy.UpdatesEnabled:
			w.PauseUpdates(g.Pause, fx)
		case !before.policy.UpdatesEnabled && g.policy.UpdatesEnabled:
			w.ResumeUpdates(c.by.Name, c.reason, c.now, fx)
		}
		was := before.policy
		was.UpdatesEnabled = g.policy.UpdatesEnabled // has activities of its own
		if lines := rollout.Changes(was, g.policy); len(lines) > 0 {
			fx.Activities = append(fx.Activities, rollout.Activity{
				Kind: rollout.ActivityPolicyChanged, Severity: rollout.SeverityInfo,
				Detail: strings.Join(lines, "; "),
			})
		}
		w.Advance(c.now, fx) // a gate may be lower now
	})
}

func sameTarget(a, b *rollout.Package) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ID == b.ID && a.Version == b.Version
}

// samePolicy compares policies as they are stored.
func samePolicy(a, b rollout.Policy) bool { return bytes.Equal(policyText(a), policyText(b)) }

func policyText(p rollout.Policy) []byte {
	text, _ := json.Marshal(p) // plain values always marshal
	return text
}
