package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/job"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// HoldInstance is the input of Service.HoldInstance.
type HoldInstance struct {
	ID     uuid.UUID
	Reason string
	Until  *time.Time // nil: until released
}

// HoldInstance keeps one machine at its version. Meanwhile the machine does not
// count for the completion of rollouts.
func (s *Service) HoldInstance(ctx context.Context, in HoldInstance) (*db.Instance, error) {
	v := change.Verb{Name: "holdInstance", Reason: in.Reason}
	return s.override(ctx, v, in.ID, job.Order{Action: job.Hold, Until: in.Until})
}

// PinInstance is the input of Service.PinInstance.
type PinInstance struct {
	ID      uuid.UUID
	Version string // the highest version to offer
	Reason  string
	Until   *time.Time // nil: until released
}

// PinInstance limits one machine to a highest version.
func (s *Service) PinInstance(ctx context.Context, in PinInstance) (*db.Instance, error) {
	v := change.Verb{Name: "pinInstance", Reason: in.Reason}
	return s.override(ctx, v, in.ID, job.Order{Action: job.Pin, Until: in.Until, Version: in.Version})
}

// override sets an override.
func (s *Service) override(ctx context.Context, v change.Verb, id uuid.UUID, o job.Order) (*db.Instance, error) {
	if v.Invalid == nil && o.Until != nil && !o.Until.After(s.now()) {
		v.Invalid = fault.Errorf(fault.Invalid, "until", "must be in the future")
	}
	return s.order(ctx, v, id, o)
}

// order applies an order to one machine.
func (s *Service) order(ctx context.Context, v change.Verb, id uuid.UUID, o job.Order) (*db.Instance, error) {
	return s.changeInstance(ctx, v, id, o.GroupID, func(c *change.Change, m *store.Machine, g *catalog.Group) error {
		return applyAlone(c, &o, m, g)
	})
}

func overrideMachine(c *change.Change, m *store.Machine, g *catalog.Group, o rollout.Override, pin string) error {
	o.Until, o.By, o.Reason = o.Until.UTC().Truncate(time.Microsecond), c.By.Name, c.Reason
	if o.Kind == rollout.OverridePin {
		var ok bool
		if o.Version, ok = c.Config.Versioning.Parse(pin); !ok || len(pin) > maxVersion {
			return fault.Errorf(fault.Invalid, "version", "%q is not %s", pin, c.Config.Versioning.Describe())
		}
	}
	return runFor(c, g, func(w *rollout.World, fx *rollout.Effects) { w.Hold(&m.Machine, o, c.Now, fx) })
}

// ReleaseInstance is the input of Service.ReleaseInstance.
type ReleaseInstance struct {
	ID     uuid.UUID
	Reason string
}

// ReleaseInstance removes a hold, a pin or a quarantine from a machine.
func (s *Service) ReleaseInstance(ctx context.Context, in ReleaseInstance) (*db.Instance, error) {
	v := change.Verb{Name: "releaseInstance", Reason: in.Reason}
	return s.order(ctx, v, in.ID, job.Order{Action: job.Release})
}

func releaseMachine(c *change.Change, m *store.Machine, g *catalog.Group) error {
	return runFor(c, g, func(w *rollout.World, fx *rollout.Effects) { w.Release(&m.Machine, c.By.Name, c.Now, fx) })
}

// SetInstanceAlias is the input of Service.SetInstanceAlias.
type SetInstanceAlias struct {
	ID    uuid.UUID
	Alias string // "" = none
}

// SetInstanceAlias sets the alias that people give a machine. The alias that the
// machine sends is stored separately.
func (s *Service) SetInstanceAlias(ctx context.Context, in SetInstanceAlias) (*db.Instance, error) {
	var p input.Problems
	alias := p.Line("alias", in.Alias, input.MaxAlias)
	v := change.Verb{Name: "setInstanceAlias", Invalid: p.Err()}
	return s.changeInstance(ctx, v, in.ID, nil, func(_ *change.Change, m *store.Machine, _ *catalog.Group) error {
		m.Alias = alias
		return nil
	})
}

// runFor runs the engine on the group of a machine. A nil group is a Conflict.
func runFor(c *change.Change, g *catalog.Group, f func(*rollout.World, *rollout.Effects)) error {
	if g == nil {
		return fault.Errorf(fault.Conflict, "id", "the machine is in no group until it checks in again")
	}
	return c.Run(g, f)
}

// changeInstance changes one machine under the locks of its group and of the group
// it moves to, if any. f gets the machine's group, nil for none.
func (s *Service) changeInstance(ctx context.Context, v change.Verb, id uuid.UUID, to *uuid.UUID, f func(*change.Change, *store.Machine, *catalog.Group) error) (*db.Instance, error) {
	if err := s.operateInstance(ctx, v, id, to, f); err != nil {
		return nil, err
	}
	return s.View.Instance(ctx, id, nil)
}

// operateInstance is changeInstance without reading the machine afterwards.
func (s *Service) operateInstance(ctx context.Context, v change.Verb, id uuid.UUID, to *uuid.UUID, f func(*change.Change, *store.Machine, *catalog.Group) error) error {
	if err := begin(ctx, &v); err != nil {
		return err
	}
	for range change.MaxTries {
		row, err := s.store.Reader().Instance.Get(ctx, id)
		if err != nil {
			return v.Expected(fault.Missing(err, "id", "machine"))
		}
		v.App, v.Object, v.ID, v.Groups = row.ApplicationID, "instance", id, nil
		for _, g := range []*uuid.UUID{row.GroupID, to} {
			if g != nil {
				v.Groups = append(v.Groups, *g)
			}
		}
		err = s.changes.Operate(ctx, v, func(c *change.Change) error { return changeInstance(c, row, f) })
		if errors.Is(err, errElsewhere) {
			continue
		}
		return err
	}
	return fault.Errorf(fault.Unavailable, "id", "the machine keeps changing groups; try again")
}

// errElsewhere reports that a machine left the group that was locked for it.
var errElsewhere = errors.New("the machine has moved to another group")

func changeInstance(c *change.Change, row *db.Instance, f func(*change.Change, *store.Machine, *catalog.Group) error) error {
	machines, err := c.Tx.Machines(c.Ctx, []uuid.UUID{row.ID})
	if err != nil {
		return err
	}
	m := machines[row.ID]
	if m == nil {
		return fault.Errorf(fault.NotFound, "id", "there is no such machine")
	}
	if m.GroupID != input.Or(row.GroupID, uuid.Nil) {
		return errElsewhere
	}
	c.Before = recordOf(m)
	c.Batch.Machines = append(c.Batch.Machines, m)
	if err := f(c, m, c.Config.Group(m.GroupID)); err != nil {
		return err
	}
	if c.After == nil && !m.Forgotten() {
		c.After = recordOf(m)
	}
	return nil
}

// instanceRecord is the part of a machine that operators can change, for the audit.
type instanceRecord struct {
	Machine     string           `json:"machine"`
	Group       uuid.UUID        `json:"group"`
	Moved       bool             `json:"moved"`
	MoveTo      uuid.UUID        `json:"moveTo,omitzero"`
	Alias       string           `json:"alias"`
	Override    rollout.Override `json:"override"`
	Pin         string           `json:"pin"`
	Failures    int              `json:"failures"`
	Quarantined string           `json:"quarantined"`
}

func recordOf(m *store.Machine) instanceRecord {
	return instanceRecord{
		Machine: m.ID, Group: m.GroupID, Moved: m.Moved, MoveTo: m.MoveTo, Alias: m.Alias, Override: m.Override,
		Pin: m.Override.Version.String(), Failures: m.Failures, Quarantined: m.QuarantinedVersion.String(),
	}
}
