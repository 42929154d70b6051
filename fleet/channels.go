package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/store"
)

// CreateChannel is the input of Service.CreateChannel.
type CreateChannel struct {
	ApplicationID uuid.UUID
	Name          string
	Color         string     // #rrggbb, "" = none
	Arch          string     // "" = amd64
	PackageID     *uuid.UUID // nil = none yet
}

// CreateChannel makes a channel.
func (s *Service) CreateChannel(ctx context.Context, in CreateChannel) (*db.Channel, error) {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return nil, err
	}
	var p problems
	name := p.name("name", in.Name, maxName)
	arch := p.arch("arch", Arch("", in.Arch))
	p.color("color", in.Color)
	if err := p.err(); err != nil {
		return nil, err
	}
	v := verb{name: "createChannel", by: who, app: in.ApplicationID, object: "channel", id: store.NewID(s.now()), unique: "name"}
	err = s.configure(ctx, v, func(c *change) error {
		row, err := c.tx.Client().Channel.Create().SetID(c.id).SetApplicationID(c.verb.app).SetCreatedAt(c.now).
			SetName(name).SetColor(in.Color).SetArch(arch).Save(ctx)
		if err != nil {
			return err
		}
		ch := &Channel{ID: row.ID, Name: row.Name, Arch: row.Arch}
		if in.PackageID != nil {
			return c.promote(ch, in.PackageID)
		}
		return c.saved(row, nil)
	})
	if err != nil {
		return nil, err
	}
	return s.readChannel(ctx, v.id)
}

// UpdateChannel is the input of Service.UpdateChannel; nil leaves a field as it is.
type UpdateChannel struct {
	ID         uuid.UUID
	Name       *string
	Color      *string
	SetPackage bool       // whether PackageID is meant
	PackageID  *uuid.UUID // nil with SetPackage: no package
	Reason     string
}

// UpdateChannel changes a channel; with another package it is a promotion too,
// and in the audit only that when nothing else changes.
func (s *Service) UpdateChannel(ctx context.Context, in UpdateChannel) (*db.Channel, error) {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return nil, err
	}
	var p problems
	in.Name = checked(in.Name, func(text string) string { return p.name("name", text, maxName) })
	if in.Color != nil {
		p.color("color", *in.Color)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	v := verb{name: "updateChannel", by: who, reason: in.Reason}
	return s.changeChannel(ctx, v, in.ID, "id", func(c *change, ch *Channel, row *db.Channel) error {
		promoted := in.SetPackage && !same(in.PackageID, row.PackageID)
		if promoted && or(in.Name, row.Name) == row.Name && or(in.Color, row.Color) == row.Color {
			c.name = "promotePackage"
			return c.promote(ch, in.PackageID)
		}
		row, err := c.tx.Client().Channel.UpdateOneID(ch.ID).SetName(or(in.Name, row.Name)).SetColor(or(in.Color, row.Color)).Save(ctx)
		if err != nil {
			return err
		}
		if promoted {
			return c.promote(ch, in.PackageID)
		}
		return c.saved(row, nil)
	})
}

// DeleteChannel is the input of Service.DeleteChannel.
type DeleteChannel struct {
	ID     uuid.UUID
	Reason string
}

// DeleteChannel removes a channel. Its groups are left without one, and their
// rollouts end.
func (s *Service) DeleteChannel(ctx context.Context, in DeleteChannel) error {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return err
	}
	v := verb{name: "deleteChannel", by: who, reason: in.Reason}
	_, err = s.changeChannel(ctx, v, in.ID, "id", func(c *change, ch *Channel, _ *db.Channel) error {
		return c.tx.Client().Channel.DeleteOneID(ch.ID).Exec(ctx)
	})
	return err
}

// changeChannel changes one channel, found by id, which the input calls field,
// and returns it as it is afterwards; nil when it was deleted.
func (s *Service) changeChannel(ctx context.Context, v verb, id uuid.UUID, field string, f func(*change, *Channel, *db.Channel) error) (*db.Channel, error) {
	if err := checkReason(v.reason); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().Channel.Get(ctx, id)
	if err != nil {
		return nil, v.expected(found(err, field, "channel"))
	}
	v.app, v.object, v.id, v.unique = row.ApplicationID, "channel", id, "name"
	err = s.configure(ctx, v, func(c *change) error {
		ch, err := c.channel(id, field)
		if err != nil {
			return err
		}
		row, err := c.tx.Client().Channel.Get(ctx, id)
		if err != nil {
			return err
		}
		c.before = row
		return f(c, ch, row)
	})
	if err != nil || v.name == "deleteChannel" {
		return nil, err
	}
	return s.readChannel(ctx, id)
}

func (s *Service) readChannel(ctx context.Context, id uuid.UUID) (*db.Channel, error) {
	row, err := s.store.Reader().Channel.Get(ctx, id)
	return row, found(err, "id", "channel")
}

func same(a, b *uuid.UUID) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
