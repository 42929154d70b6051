package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
)

// ReplaceGroup is the input of Service.ReplaceGroup.
type ReplaceGroup struct {
	ID          uuid.UUID
	Name        string
	Description string
	ChannelID   *uuid.UUID // nil = none
	// Policy lays what is wanted over the policy as it is stored, from which it
	// may keep what the caller does not know. Its UpdatesEnabled says whether
	// the group is to grant at all: see ReplaceGroup. It may be called again.
	Policy func(rollout.Policy) rollout.Policy
}

// ReplaceGroup changes what a group is and how it updates in one transaction.
// Asking for updates lifts a halt as well as a pause, and a halted group asked
// not to update stays halted: it grants nothing already. A call that changes
// one thing is in the audit as the verb of that thing (updatePolicy,
// pauseUpdates, resumeUpdates), any other as updateGroup; one that changes
// nothing leaves nothing behind.
func (s *Service) ReplaceGroup(ctx context.Context, in ReplaceGroup) (*db.Group, error) {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return nil, err
	}
	var p problems
	in.Name = p.name("name", in.Name, maxName)
	in.Description = p.text("description", in.Description, maxDescription)
	if err := p.err(); err != nil {
		return nil, err
	}
	v := verb{name: "updateGroup", by: who}
	return s.changeGroup(ctx, v, in.ID, "id", func(c *change, g *Group, row *db.Group) error { return c.replaceGroup(in, g, row) })
}

func (c *change) replaceGroup(in ReplaceGroup, g *Group, row *db.Group) error {
	if err := c.lock(g.ID); err != nil {
		return err
	}
	halted := c.states[g.ID] != nil && c.states[g.ID].Rollout.State == rollout.RolloutHalted
	wanted := in.Policy(row.Policy)
	grants := row.Policy.UpdatesEnabled && !halted
	switched := wanted.UpdatesEnabled != grants
	if !switched {
		wanted.UpdatesEnabled = row.Policy.UpdatesEnabled
	}
	var p problems
	if p.policy(wanted); p.err() != nil {
		return p.err()
	}
	alike := wanted
	alike.UpdatesEnabled = row.Policy.UpdatesEnabled
	repoliced := !samePolicy(alike, row.Policy)
	renamed := in.Name != row.Name || in.Description != row.Description || !same(in.ChannelID, row.ChannelID)
	switch {
	case renamed:
	case repoliced:
		c.name = "updatePolicy"
	case switched && wanted.UpdatesEnabled:
		c.name = "resumeUpdates"
	case switched:
		c.name = "pauseUpdates"
	default:
		return errUnchanged
	}
	if renamed {
		update := UpdateGroup{Name: &in.Name, Description: &in.Description, SetChannel: true, ChannelID: in.ChannelID}
		if err := c.updateGroup(update, g, row); err != nil {
			return err
		}
	}
	if !samePolicy(wanted, row.Policy) {
		if err := c.setPolicy(row, wanted); err != nil {
			return err
		}
	}
	if switched && wanted.UpdatesEnabled && row.Policy.UpdatesEnabled { // not paused: halted
		_, err := c.resumeHalted(g, !renamed && !repoliced)
		return err
	}
	return nil
}

// resumeHalted lets a group's halted rollout go on, and reports whether there
// was one. The rollout is what the audit shows when it is all that changes.
func (c *change) resumeHalted(g *Group, shown bool) (halted bool, err error) {
	err = c.run(g, func(w *rollout.World, fx *rollout.Effects) {
		if halted = w.Rollout.State == rollout.RolloutHalted; !halted {
			return
		}
		before := w.Rollout
		w.ResumeUpdates(c.by.Name, c.reason, c.now, fx)
		if shown {
			c.before, c.is = before, w.Rollout
		}
	})
	return halted, err
}
