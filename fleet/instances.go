package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// HoldInstance is the input of Service.HoldInstance.
type HoldInstance struct {
	ID     uuid.UUID
	Reason string
	Until  *time.Time // nil: until released
}

// HoldInstance keeps one machine at the version it runs. It does not count for
// the completion of rollouts meanwhile.
func (s *Service) HoldInstance(ctx context.Context, in HoldInstance) (*db.Instance, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "holdInstance", by: who, reason: in.Reason}
	return s.override(ctx, v, in.ID, rollout.Override{Kind: rollout.OverrideHold, Until: timeOf(in.Until)})
}

// PinInstance is the input of Service.PinInstance.
type PinInstance struct {
	ID      uuid.UUID
	Version string // semantic; nothing above it is offered
	Reason  string
	Until   *time.Time // nil: until released
}

// PinInstance lets one machine update up to a version and no further.
func (s *Service) PinInstance(ctx context.Context, in PinInstance) (*db.Instance, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	version, ok := rollout.ParseVersion(in.Version)
	if !ok || len(in.Version) > maxVersion {
		return nil, Errorf(Invalid, "version", "%q is not a semantic version such as 1.2.3", in.Version)
	}
	v := verb{name: "pinInstance", by: who, reason: in.Reason}
	return s.override(ctx, v, in.ID, rollout.Override{Kind: rollout.OverridePin, Version: version, Until: timeOf(in.Until)})
}

func (s *Service) override(ctx context.Context, v verb, id uuid.UUID, o rollout.Override) (*db.Instance, error) {
	if !o.Until.IsZero() && !o.Until.After(s.now()) {
		return nil, Errorf(Invalid, "until", "must be in the future")
	}
	o.Until = o.Until.UTC().Truncate(time.Microsecond)
	o.By, o.Reason = v.by.Name, v.reason
	return s.changeInstance(ctx, v, id, nil, func(c *change, m *store.Machine, g *Group) error {
		return c.runFor(g, func(w *rollout.World, fx *rollout.Effects) { w.Hold(&m.Machine, o, c.now, fx) })
	})
}

// ReleaseInstance is the input of Service.ReleaseInstance.
type ReleaseInstance struct {
	ID     uuid.UUID
	Reason string
}

// ReleaseInstance takes a hold, a pin or a quarantine off a machine.
func (s *Service) ReleaseInstance(ctx context.Context, in ReleaseInstance) (*db.Instance, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	v := verb{name: "releaseInstance", by: who, reason: in.Reason}
	return s.changeInstance(ctx, v, in.ID, nil, func(c *change, m *store.Machine, g *Group) error {
		return c.runFor(g, func(w *rollout.World, fx *rollout.Effects) { w.Release(&m.Machine, c.by.Name, c.now, fx) })
	})
}

// SetInstanceAlias is the input of Service.SetInstanceAlias.
type SetInstanceAlias struct {
	ID    uuid.UUID
	Alias string // "" = none
}

// SetInstanceAlias names a machine for people; what the machine calls itself is
// kept beside it.
func (s *Service) SetInstanceAlias(ctx context.Context, in SetInstanceAlias) (*db.Instance, error) {
	who, err := require(ctx, auth.Operate)
	if err != nil {
		return nil, err
	}
	var p problems
	alias := p.line("alias", in.Alias, maxAlias)
	if err := p.err(); err != nil {
		return nil, err
	}
	v := verb{name: "setInstanceAlias", by: who}
	return s.changeInstance(ctx, v, in.ID, nil, func(_ *change, m *store.Machine, _ *Group) error {
		m.Alias = alias
		return nil
	})
}

// runFor is run for the group of a machine, which may have none.
func (c *change) runFor(g *Group, f func(*rollout.World, *rollout.Effects)) error {
	if g == nil {
		return Errorf(Conflict, "id", "the machine is in no group until it checks in again")
	}
	return c.run(g, f)
}

// changeInstance changes one machine under the locks of its group and of the
// group it goes to, if any. f gets the group it is in, nil for none.
func (s *Service) changeInstance(ctx context.Context, v verb, id uuid.UUID, to *uuid.UUID, f func(*change, *store.Machine, *Group) error) (*db.Instance, error) {
	if err := checkReason(v.reason); err != nil {
		return nil, err
	}
	for range overtaken {
		row, err := s.store.Reader().Instance.Get(ctx, id)
		if err != nil {
			return nil, v.expected(found(err, "id", "machine"))
		}
		v.app, v.object, v.id = row.ApplicationID, "instance", id
		var groups []uuid.UUID
		for _, g := range []*uuid.UUID{row.GroupID, to} {
			if g != nil {
				groups = append(groups, *g)
			}
		}
		err = s.operate(ctx, v, groups, func(c *change) error { return c.changeInstance(row, f) })
		if errors.Is(err, errElsewhere) {
			continue
		}
		if err != nil {
			return nil, err
		}
		row, err = s.store.Reader().Instance.Get(ctx, id)
		return row, found(err, "id", "machine")
	}
	return nil, Errorf(Unavailable, "id", "the machine changes groups all the time, try again")
}

// errElsewhere says that a machine left the group that was locked for it.
var errElsewhere = errors.New("the machine is in another group by now")

func (c *change) changeInstance(row *db.Instance, f func(*change, *store.Machine, *Group) error) error {
	machines, err := c.tx.Machines(c.ctx, []uuid.UUID{row.ID})
	if err != nil {
		return err
	}
	m := machines[row.ID]
	if m == nil {
		return Errorf(NotFound, "id", "there is no such machine")
	}
	if m.GroupID != or(row.GroupID, uuid.Nil) {
		return errElsewhere
	}
	c.before = recordOf(m)
	c.batch.Machines = append(c.batch.Machines, m)
	if err := f(c, m, c.app.Group(m.GroupID)); err != nil {
		return err
	}
	c.is = recordOf(m)
	return nil
}

// instanceRecord is what of a machine an operator can change, for the audit.
type instanceRecord struct {
	Machine     string           `json:"machine"`
	Group       uuid.UUID        `json:"group"`
	Moved       bool             `json:"moved"`
	Alias       string           `json:"alias"`
	Override    rollout.Override `json:"override"`
	Pin         string           `json:"pin"`
	Failures    int              `json:"failures"`
	Quarantined string           `json:"quarantined"`
}

func recordOf(m *store.Machine) instanceRecord {
	return instanceRecord{
		Machine: m.ID, Group: m.GroupID, Moved: m.Moved, Alias: m.Alias, Override: m.Override,
		Pin: m.Override.Version.String(), Failures: m.Failures, Quarantined: m.QuarantinedVersion.String(),
	}
}
