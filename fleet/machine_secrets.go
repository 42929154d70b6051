package fleet

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/machinesecret"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/store"
)

// maxSecrets bounds the secrets of an application and its groups that are not revoked,
// because they are in memory.
const maxSecrets = 1000

// CreateMachineSecret is the input of Service.CreateMachineSecret.
type CreateMachineSecret struct {
	ApplicationID *uuid.UUID // exactly one of the two: right for all its groups
	GroupID       *uuid.UUID // right for this group
	Name          string
	Purpose       catalog.Purpose
	ExpiresAt     *time.Time // nil: never
	Reason        string
}

// NewMachineSecret is a secret when it was made. Its text is not stored.
type NewMachineSecret struct {
	Text   string
	Secret *db.MachineSecret
}

// CreateMachineSecret makes a secret with which machines of an application or a group
// show that they are the operator's. Several are right at once, so that a new one can
// replace an old one without a gap.
func (s *Service) CreateMachineSecret(ctx context.Context, in CreateMachineSecret) (*NewMachineSecret, error) {
	v := change.Verb{Name: "createMachineSecret", Object: "machineSecret", ID: store.NewID(s.now()), Reason: in.Reason, Invalid: in.validate(s.now())}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	if in.GroupID != nil {
		g := s.seen(ctx).Group(*in.GroupID)
		if g == nil {
			return nil, fault.Errorf(fault.NotFound, "groupId", "there is no such group")
		}
		v.App, v.Groups = g.App.ID, []uuid.UUID{g.ID}
	} else {
		v.App = *in.ApplicationID
	}
	text := catalog.NewSecret()
	err := s.changes.Configure(ctx, v, func(c *change.Change) error {
		if err := in.fits(c); err != nil {
			return err
		}
		hash := catalog.HashSecret(text)
		return c.Saved(c.Tx.Client().MachineSecret.Create().SetID(c.ID).SetApplicationID(c.App).SetNillableGroupID(in.GroupID).
			SetName(in.Name).SetPurpose(string(in.Purpose)).SetHash(hash[:]).SetLastFour(text[len(text)-4:]).
			SetCreatedBy(c.By.Name).SetCreatedAt(c.Now).SetNillableExpiresAt(in.ExpiresAt).Save(ctx))
	})
	if err != nil {
		return nil, err
	}
	row, err := s.View.MachineSecret(ctx, v.ID)
	return &NewMachineSecret{Text: text, Secret: row}, err
}

func (in *CreateMachineSecret) validate(now time.Time) error {
	var p input.Problems
	if (in.ApplicationID == nil) == (in.GroupID == nil) {
		p.Add("applicationId", "give either an application or a group")
	}
	in.Name = p.Name("name", in.Name, input.MaxName)
	if in.Purpose != catalog.PurposeIdentify && in.Purpose != catalog.PurposeEnroll {
		p.Add("purpose", "must be %s or %s", catalog.PurposeIdentify, catalog.PurposeEnroll)
	}
	if in.ExpiresAt != nil && !in.ExpiresAt.After(now) {
		p.Add("expiresAt", "must be in the future")
	}
	return p.Err()
}

// fits returns Conflict if the name is taken or there are too many secrets.
func (in *CreateMachineSecret) fits(c *change.Change) error {
	rows, err := c.Tx.Client().MachineSecret.Query().Where(machinesecret.ApplicationID(c.App), machinesecret.RevokedAtIsNil()).All(c.Ctx)
	if err != nil {
		return err
	}
	if len(rows) >= maxSecrets {
		return fault.Errorf(fault.Conflict, "", "the application and its groups have %d secrets: revoke those that are not used any more", maxSecrets)
	}
	var others []string
	for _, row := range rows {
		if !same(row.GroupID, in.GroupID) {
			continue
		}
		if row.Name == in.Name {
			return fault.Errorf(fault.Conflict, "name", "there is another secret %q, which is not revoked", in.Name)
		}
		others = append(others, row.Name)
	}
	return input.Apart("name", in.Name, others...)
}

// RevokeMachineSecret is the input of Service.RevokeMachineSecret.
type RevokeMachineSecret struct {
	ID     uuid.UUID
	Reason string
}

// RevokeMachineSecret ends a secret. From its commit on no request with it is granted
// anything that needs one, on any server.
func (s *Service) RevokeMachineSecret(ctx context.Context, in RevokeMachineSecret) (*db.MachineSecret, error) {
	v := change.Verb{Name: "revokeMachineSecret", Object: "machineSecret", ID: in.ID, Reason: in.Reason}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().MachineSecret.Get(ctx, in.ID)
	if err != nil {
		return nil, v.Expected(fault.Missing(err, "id", "machine secret"))
	}
	v.App = row.ApplicationID
	if row.GroupID != nil {
		v.Groups = []uuid.UUID{*row.GroupID}
	}
	err = s.changes.Configure(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().MachineSecret.Get(ctx, in.ID)
		if err != nil {
			return fault.Missing(err, "id", "machine secret")
		}
		if row.RevokedAt != nil {
			return change.ErrUnchanged
		}
		c.Before = row
		return c.Saved(c.Tx.Client().MachineSecret.UpdateOneID(in.ID).SetRevokedAt(c.Now).Save(ctx))
	})
	if err != nil {
		return nil, err
	}
	return s.View.MachineSecret(ctx, in.ID)
}

// requireSecret checks whether a group may require a secret from now on, or no longer.
func requireSecret(c *change.Change, g *catalog.Group, was, is bool) error {
	if was == is {
		return nil
	}
	if err := c.Allow("createMachineSecret"); err != nil {
		return err
	}
	if !is {
		return nil
	}
	return mayRequire(c, g)
}

// mayRequire checks that a group has a secret before it requires one, so that no click
// cuts off its machines.
func mayRequire(c *change.Change, groups ...*catalog.Group) error {
	for _, g := range groups {
		if !g.HasSecret(c.Now) {
			return fault.Errorf(fault.Conflict, "requireSecret", "group %q has no secret that is neither revoked nor expired: create one first, and give it to the machines", g.Name)
		}
	}
	return nil
}

// requireCertificate checks whether a group or an application may require certificates
// from now on, or no longer.
func (s *Service) requireCertificate(c *change.Change, was, is bool) error {
	if was == is {
		return nil
	}
	if err := c.Allow("createMachineSecret"); err != nil {
		return err
	}
	if is && !s.certificates {
		return fault.Errorf(fault.Conflict, "requireCertificate", "the server asks machines for no certificates: start it with --machine-client-ca first")
	}
	return nil
}
