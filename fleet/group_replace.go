package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/rollout"
)

// ReplaceGroup is the input of Service.ReplaceGroup.
type ReplaceGroup struct {
	ID          uuid.UUID
	Name        string
	Description string
	ChannelID   *uuid.UUID // nil = none
	Track       *string    // nil: unchanged; the old one becomes an alias
	// Policy returns the new policy, given the stored one, so that it can keep
	// fields that the caller does not know. UpdatesEnabled says whether the group
	// grants at all; see ReplaceGroup. It may be called more than once.
	Policy func(rollout.Policy) rollout.Policy
}

// ReplaceGroup changes a group and its policy in one transaction. Enabling updates
// ends a pause and a halt. Disabling them leaves a halted group halted, because it
// grants nothing already. If only one thing changes, the audit records the verb of
// that change (updatePolicy, pauseUpdates, resumeUpdates), else updateGroup. A call
// that changes nothing leaves no trace.
func (s *Service) ReplaceGroup(ctx context.Context, in ReplaceGroup) (*db.Group, error) {
	var p input.Problems
	in.Name = p.Name("name", in.Name, input.MaxName)
	in.Description = p.Text("description", in.Description, input.MaxDescription)
	in.Track = input.Checked(in.Track, func(text string) string { return p.Name("track", text, input.MaxTrack) })
	v := change.Verb{Name: "updateGroup", Invalid: p.Err()}
	return s.changeGroup(ctx, v, in.ID, "id", func(c *change.Change, g *catalog.Group, row *db.Group) error { return replaceGroup(c, in, g, row) })
}

func replaceGroup(c *change.Change, in ReplaceGroup, g *catalog.Group, row *db.Group) error {
	if err := c.Lock(g.ID); err != nil {
		return err
	}
	halted := c.States[g.ID] != nil && c.States[g.ID].Rollout.State == rollout.RolloutHalted
	wanted := in.Policy(row.Policy)
	grants := row.Policy.UpdatesEnabled && !halted
	switched := wanted.UpdatesEnabled != grants
	if !switched {
		wanted.UpdatesEnabled = row.Policy.UpdatesEnabled
	}
	var p input.Problems
	if p.Policy(wanted); p.Err() != nil {
		return p.Err()
	}
	alike := wanted
	alike.UpdatesEnabled = row.Policy.UpdatesEnabled
	repoliced := !change.SamePolicy(alike, row.Policy)
	renamed := in.Name != row.Name || input.Or(in.Track, row.Track) != row.Track || in.Description != row.Description || !same(in.ChannelID, row.ChannelID)
	switch {
	case renamed:
	case repoliced:
		c.Name = "updatePolicy"
	case switched && wanted.UpdatesEnabled:
		c.Name = "resumeUpdates"
	case switched:
		c.Name = "pauseUpdates"
	default:
		return change.ErrUnchanged
	}
	if renamed {
		update := UpdateGroup{Name: &in.Name, Track: in.Track, Description: &in.Description, SetChannel: true, ChannelID: in.ChannelID}
		if err := updateGroup(c, update, g, row); err != nil {
			return err
		}
	}
	if !change.SamePolicy(wanted, row.Policy) {
		if err := setPolicy(c, row, wanted); err != nil {
			return err
		}
	}
	if switched && wanted.UpdatesEnabled && row.Policy.UpdatesEnabled { // not paused: halted
		_, err := resumeHalted(c, g, !renamed && !repoliced)
		return err
	}
	return nil
}

// resumeHalted resumes a group's rollout if it, or its newcomers, are halted, and
// reports whether they were.
// With shown the audit records the rollout before and after.
func resumeHalted(c *change.Change, g *catalog.Group, shown bool) (halted bool, err error) {
	if err := approveResume(c, g); err != nil {
		return false, err
	}
	err = c.Run(g, func(w *rollout.World, fx *rollout.Effects) {
		r := &w.Rollout
		if halted = r.State == rollout.RolloutHalted || r.Newcomers.Failing(w.Policy.Policy(), r.Proofs); !halted {
			return
		}
		before := w.Rollout
		w.ResumeUpdates(c.By.Name, c.Reason, c.Now, fx)
		if shown {
			c.Before, c.After = before, w.Rollout
		}
	})
	return halted, err
}
