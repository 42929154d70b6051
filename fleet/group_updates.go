package fleet

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
)

// UpdatePolicy is the input of Service.UpdatePolicy.
type UpdatePolicy struct {
	GroupID          uuid.UUID
	Policy           rollout.Policy // whole
	Reason           string
	ExpectedRevision *int64 // refuse with conflict when the group changed since
}

// UpdatePolicy replaces the policy of a group. A policy that differs in
// updatesEnabled also pauses or resumes.
func (s *Service) UpdatePolicy(ctx context.Context, in UpdatePolicy) (*db.Group, error) {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return nil, err
	}
	var p problems
	p.policy(in.Policy)
	if err := p.err(); err != nil {
		return nil, err
	}
	v := verb{name: "updatePolicy", by: who, reason: in.Reason}
	return s.changeGroup(ctx, v, in.GroupID, "groupId", func(c *change, g *Group, row *db.Group) error {
		if err := expect(in.ExpectedRevision, row); err != nil {
			return err
		}
		if samePolicy(row.Policy, in.Policy) {
			return errUnchanged
		}
		return c.setPolicy(row, in.Policy)
	})
}

// setPolicy stores a policy, and who paused when it is one that pauses.
func (c *change) setPolicy(row *db.Group, p rollout.Policy) error {
	update := c.tx.Client().Group.UpdateOneID(row.ID).AddRevision(1).SetPolicy(p)
	switch {
	case row.Policy.UpdatesEnabled && !p.UpdatesEnabled:
		update.SetPausedAt(c.now).SetPausedBy(c.by.Name).SetPauseReason(c.reason)
	case !row.Policy.UpdatesEnabled && p.UpdatesEnabled:
		update.ClearPausedAt().SetPausedBy("").SetPauseReason("")
	}
	return c.saved(update.Save(c.ctx))
}

// PauseUpdates is the input of Service.PauseUpdates.
type PauseUpdates struct {
	GroupID uuid.UUID
	Reason  string
}

// PauseUpdates stops new grants of a group; machines that are downloading
// finish. A group that is paused already stays as it is.
func (s *Service) PauseUpdates(ctx context.Context, in PauseUpdates) (*db.Group, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "pauseUpdates", by: who, reason: in.Reason}
	return s.changeGroup(ctx, v, in.GroupID, "groupId", func(c *change, _ *Group, row *db.Group) error {
		if !row.Policy.UpdatesEnabled {
			return errUnchanged
		}
		p := row.Policy
		p.UpdatesEnabled = false
		return c.setPolicy(row, p)
	})
}

// ResumeUpdates is the input of Service.ResumeUpdates.
type ResumeUpdates struct {
	GroupID uuid.UUID
	Reason  string
}

// ResumeUpdates lets a paused or halted group go on; what failed before is set
// aside and cannot halt it again.
func (s *Service) ResumeUpdates(ctx context.Context, in ResumeUpdates) (*db.Group, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "resumeUpdates", by: who, reason: in.Reason}
	return s.changeGroup(ctx, v, in.GroupID, "groupId", func(c *change, g *Group, row *db.Group) error {
		if !row.Policy.UpdatesEnabled {
			p := row.Policy
			p.UpdatesEnabled = true
			return c.setPolicy(row, p) // settle resumes the rollout, halted or not
		}
		halted, err := c.resumeHalted(g, true)
		if err == nil && !halted {
			return errUnchanged
		}
		return err
	})
}

// HaltRollout is the input of Service.HaltRollout.
type HaltRollout struct {
	GroupID uuid.UUID
	Reason  string
}

// HaltRollout stops the current rollout of a group at once, as a rule would.
func (s *Service) HaltRollout(ctx context.Context, in HaltRollout) (*db.Group, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "haltRollout", by: who, reason: in.Reason}
	return s.steer(ctx, v, in.GroupID, func(c *change, w *rollout.World, fx *rollout.Effects) error {
		if w.Rollout.State == rollout.RolloutHalted {
			return errUnchanged
		}
		w.HaltRollout(c.by.Name, c.reason, c.now, fx)
		return nil
	})
}

// AdvanceWave is the input of Service.AdvanceWave.
type AdvanceWave struct {
	GroupID uuid.UUID
	Reason  string
}

// AdvanceWave opens the next wave now, whatever its gate, soak or approval says.
func (s *Service) AdvanceWave(ctx context.Context, in AdvanceWave) (*db.Group, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "advanceWave", by: who, reason: in.Reason}
	return s.steer(ctx, v, in.GroupID, func(c *change, w *rollout.World, fx *rollout.Effects) error {
		if !w.NextWave(c.by.Name, c.reason, c.now, fx) {
			return errNoWave()
		}
		return nil
	})
}

// ApproveWave is the input of Service.ApproveWave.
type ApproveWave struct {
	GroupID uuid.UUID
	Reason  string
}

// ApproveWave gives a person's word for leaving the current wave; the next one
// opens as soon as gate and soak allow.
func (s *Service) ApproveWave(ctx context.Context, in ApproveWave) (*db.Group, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "approveWave", by: who, reason: in.Reason}
	return s.steer(ctx, v, in.GroupID, func(c *change, w *rollout.World, fx *rollout.Effects) error {
		if !w.ApproveWave(c.now, fx) {
			return Errorf(Conflict, "groupId", "the current wave waits for nobody's approval")
		}
		return nil
	})
}

// steer lets a person act on the current rollout of a group.
func (s *Service) steer(ctx context.Context, v verb, id uuid.UUID, f func(*change, *rollout.World, *rollout.Effects) error) (*db.Group, error) {
	if err := checkReason(v.reason); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().Group.Get(ctx, id)
	if err != nil {
		return nil, v.expected(found(err, "groupId", "group"))
	}
	v.app, v.object, v.id = row.ApplicationID, "rollout", id
	err = s.operate(ctx, v, []uuid.UUID{id}, func(c *change) error {
		g, err := c.group(id, "groupId")
		if err != nil {
			return err
		}
		refused := error(nil)
		err = c.run(g, func(w *rollout.World, fx *rollout.Effects) {
			if w.Rollout.ID == (rollout.ID{}) {
				refused = errNoRollout()
				return
			}
			c.id, c.before = uuid.UUID(w.Rollout.ID), w.Rollout
			refused = f(c, w, fx)
			c.is = w.Rollout
		})
		return cmp.Or(err, refused)
	})
	if err != nil {
		return nil, err
	}
	return s.readGroup(ctx, id)
}
