package fleet

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/phrase"
)

// UpdatePolicy is the input of Service.UpdatePolicy.
type UpdatePolicy struct {
	GroupID          uuid.UUID
	Policy           rollout.Policy // complete; replaces the stored one
	Reason           string
	ExpectedRevision *int64 // Conflict if the group has another revision
}

// UpdatePolicy replaces the policy of a group. A change of UpdatesEnabled also
// pauses or resumes.
func (s *Service) UpdatePolicy(ctx context.Context, in UpdatePolicy) (*db.Group, error) {
	var p input.Problems
	p.Policy(in.Policy)
	v := change.Verb{Name: "updatePolicy", Reason: in.Reason, Invalid: p.Err()}
	return s.changeGroup(ctx, v, in.GroupID, "groupId", func(c *change.Change, g *catalog.Group, row *db.Group) error {
		if err := expect(in.ExpectedRevision, row); err != nil {
			return err
		}
		if change.SamePolicy(row.Policy, in.Policy) {
			return change.ErrUnchanged
		}
		return setPolicy(c, row, in.Policy)
	})
}

// setPolicy stores a policy and, if it pauses, who paused and why.
func setPolicy(c *change.Change, row *db.Group, p rollout.Policy) error {
	if err := approvePolicy(c, c.Config.Group(row.ID), p); err != nil {
		return err
	}
	update := c.Tx.Client().Group.UpdateOneID(row.ID).AddRevision(1).SetPolicy(p)
	switch {
	case row.Policy.UpdatesEnabled && !p.UpdatesEnabled:
		update.SetPausedAt(c.Now).SetPausedBy(c.By.Name).SetPauseReason(c.Reason)
	case !row.Policy.UpdatesEnabled && p.UpdatesEnabled:
		update.ClearPausedAt().SetPausedBy("").SetPauseReason("")
	}
	return c.Saved(update.Save(c.Ctx))
}

// PauseUpdates is the input of Service.PauseUpdates.
type PauseUpdates struct {
	GroupID          uuid.UUID
	Reason           string
	ExpectedRevision *int64 // Conflict if the group has another revision
}

// PauseUpdates stops new grants of a group; machines that are downloading finish. When
// the group is paused already it does nothing, or returns Conflict for another reason,
// which would be lost.
func (s *Service) PauseUpdates(ctx context.Context, in PauseUpdates) (*db.Group, error) {
	v := change.Verb{Name: "pauseUpdates", Reason: in.Reason}
	return s.changeGroup(ctx, v, in.GroupID, "groupId", func(c *change.Change, _ *catalog.Group, row *db.Group) error {
		if err := expect(in.ExpectedRevision, row); err != nil {
			return err
		}
		if !row.Policy.UpdatesEnabled {
			return already("paused", row.PausedBy, row.PauseReason, in.Reason)
		}
		if err := suggestStop(c, row.ID, "pause updates of", row.Name, "enabled", "paused"); err != nil {
			return err
		}
		p := row.Policy
		p.UpdatesEnabled = false
		return setPolicy(c, row, p)
	})
}

// ResumeUpdates is the input of Service.ResumeUpdates.
type ResumeUpdates struct {
	GroupID          uuid.UUID
	Reason           string
	ExpectedRevision *int64 // Conflict if the group has another revision
}

// ResumeUpdates resumes a paused or halted group. Earlier failures are set aside
// and cannot halt it again.
func (s *Service) ResumeUpdates(ctx context.Context, in ResumeUpdates) (*db.Group, error) {
	v := change.Verb{Name: "resumeUpdates", Reason: in.Reason}
	return s.changeGroup(ctx, v, in.GroupID, "groupId", func(c *change.Change, g *catalog.Group, row *db.Group) error {
		if err := expect(in.ExpectedRevision, row); err != nil {
			return err
		}
		if !row.Policy.UpdatesEnabled {
			p := row.Policy
			p.UpdatesEnabled = true
			return setPolicy(c, row, p) // the change resumes the rollout, halted or not
		}
		halted, err := resumeHalted(c, g, true)
		if err == nil && !halted {
			return change.ErrUnchanged
		}
		return err
	})
}

// HaltRollout is the input of Service.HaltRollout.
type HaltRollout struct {
	GroupID uuid.UUID
	Reason  string
}

// HaltRollout halts the current rollout of a group at once. When it is halted already it
// does nothing, or returns Conflict for another reason, which would be lost.
func (s *Service) HaltRollout(ctx context.Context, in HaltRollout) (*db.Group, error) {
	v := change.Verb{Name: "haltRollout", Reason: in.Reason}
	return s.steer(ctx, v, in.GroupID, func(c *change.Change, w *rollout.World, fx *rollout.Effects) error {
		if h := &w.Rollout.Halt; w.Rollout.State == rollout.RolloutHalted {
			return already("halted", cmp.Or(h.By, "a rule"), h.Reason, in.Reason)
		}
		if err := suggestStop(c, in.GroupID, "halt the rollout of", c.Config.Group(in.GroupID).Name, "running", "halted"); err != nil {
			return err
		}
		w.HaltRollout(c.By.Name, c.Reason, c.Now, fx)
		return nil
	})
}

// suggestStop lets another person decide about a pause or halt, if it is proposed.
func suggestStop(c *change.Change, group uuid.UUID, what, name, was, is string) error {
	return c.Suggest(change.Step{
		Summary: what + " group " + name, Group: group, Changes: []string{phrase.Change("updates of group "+name, was, is)},
	})
}

// AdvanceWave is the input of Service.AdvanceWave.
type AdvanceWave struct {
	GroupID      uuid.UUID
	Reason       string
	ExpectedWave *int // Conflict if another wave is current; counted from 1
}

// AdvanceWave opens the next wave now, regardless of gate, soak and approval.
func (s *Service) AdvanceWave(ctx context.Context, in AdvanceWave) (*db.Group, error) {
	v := change.Verb{Name: "advanceWave", Reason: in.Reason}
	return s.steer(ctx, v, in.GroupID, func(c *change.Change, w *rollout.World, fx *rollout.Effects) error {
		if now := w.Rollout.Wave + 1; in.ExpectedWave != nil && *in.ExpectedWave != now {
			return fault.Errorf(fault.Conflict, "expectedWave", "the rollout is at wave %d, not %d: it was opened meanwhile", now, *in.ExpectedWave)
		}
		if err := approveWave(c, c.Config.Group(in.GroupID), w.Rollout.Wave); err != nil {
			return err
		}
		if !w.NextWave(c.By.Name, c.Reason, c.Now, fx) {
			return view.ErrNoWave()
		}
		return nil
	})
}

// already returns ErrUnchanged for a group that is paused or halted already, and
// Conflict when another reason would be lost.
func already(state, by, reason, given string) error {
	if given == "" || given == reason {
		return change.ErrUnchanged
	}
	return fault.Errorf(fault.Conflict, "groupId", "the group is %s already, by %s%s", state, by, change.Because(reason))
}

// steer runs f on the current rollout of a group.
func (s *Service) steer(ctx context.Context, v change.Verb, id uuid.UUID, f func(*change.Change, *rollout.World, *rollout.Effects) error) (*db.Group, error) {
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().Group.Get(ctx, id)
	if err != nil {
		return nil, v.Expected(fault.Missing(err, "groupId", "group"))
	}
	v.App, v.Object, v.ID, v.Groups = row.ApplicationID, "rollout", id, []uuid.UUID{id}
	err = s.changes.Operate(ctx, v, func(c *change.Change) error {
		g, err := c.Group(id, "groupId")
		if err != nil {
			return err
		}
		refused := error(nil)
		err = c.Run(g, func(w *rollout.World, fx *rollout.Effects) {
			if w.Rollout.ID == (rollout.ID{}) {
				refused = view.ErrNoRollout()
				return
			}
			c.ID, c.Before = uuid.UUID(w.Rollout.ID), w.Rollout
			refused = f(c, w, fx)
			c.After = w.Rollout
		})
		return cmp.Or(err, refused)
	})
	if err != nil {
		return nil, err
	}
	return s.View.Group(ctx, id, nil)
}
