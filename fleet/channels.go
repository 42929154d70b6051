package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/store"
)

// CreateChannel is the input of Service.CreateChannel.
type CreateChannel struct {
	ApplicationID uuid.UUID
	Name          string
	Color         string     // #rrggbb, "" = none
	Arch          string     // "" = amd64
	PackageID     *uuid.UUID // nil = none
}

// CreateChannel creates a channel.
func (s *Service) CreateChannel(ctx context.Context, in CreateChannel) (*db.Channel, error) {
	var p input.Problems
	name := p.Name("name", in.Name, input.MaxName)
	arch := p.Arch("arch", catalog.Arch("", in.Arch))
	p.Color("color", in.Color)
	v := change.Verb{Name: "createChannel", App: in.ApplicationID, Object: "channel", ID: store.NewID(s.now()), Unique: "name", Invalid: p.Err()}
	err := s.configure(ctx, v, func(c *change.Change) error {
		if err := channelApart(c, name, arch); err != nil {
			return err
		}
		row, err := c.Tx.Client().Channel.Create().SetID(c.ID).SetApplicationID(c.App).SetCreatedAt(c.Now).
			SetName(name).SetColor(in.Color).SetArch(arch).Save(ctx)
		if err != nil {
			return err
		}
		ch := &catalog.Channel{ID: row.ID, Name: row.Name, Arch: row.Arch}
		if in.PackageID != nil {
			return promote(c, ch, in.PackageID)
		}
		return c.Saved(row, nil)
	})
	if err != nil {
		return nil, err
	}
	return s.View.Channel(ctx, v.ID, nil)
}

// channelApart returns Conflict if a new name looks like that of another channel.
func channelApart(c *change.Change, name, arch string) error {
	var others []string
	for _, ch := range c.Config.Channels {
		if ch.Arch == arch {
			others = append(others, ch.Name)
		}
	}
	return input.Apart("name", name, others...)
}

// UpdateChannel is the input of Service.UpdateChannel; nil leaves a field as it is.
type UpdateChannel struct {
	ID         uuid.UUID
	Name       *string
	Color      *string
	SetPackage bool       // whether to set PackageID
	PackageID  *uuid.UUID // nil with SetPackage: no package
	Reason     string
	// RequireApproval says whether promotions need another person's approval; needs Admin.
	RequireApproval *bool
}

// UpdateChannel changes a channel. Another package is also a promotion; if nothing
// else changes, the audit records only the promotion.
func (s *Service) UpdateChannel(ctx context.Context, in UpdateChannel) (*db.Channel, error) {
	var p input.Problems
	in.Name = input.Checked(in.Name, func(text string) string { return p.Name("name", text, input.MaxName) })
	if in.Color != nil {
		p.Color("color", *in.Color)
	}
	v := change.Verb{Name: "updateChannel", Reason: in.Reason, Invalid: p.Err()}
	return s.changeChannel(ctx, v, in.ID, "id", func(c *change.Change, ch *catalog.Channel, row *db.Channel) error {
		approval := input.Or(in.RequireApproval, row.RequireApproval)
		if err := requireChannelApproval(c, ch, approval); err != nil {
			return err
		}
		promoted := in.SetPackage && !same(in.PackageID, row.PackageID)
		if promoted && approval == row.RequireApproval && input.Or(in.Name, row.Name) == row.Name && input.Or(in.Color, row.Color) == row.Color {
			c.Name = "promotePackage"
			return promote(c, ch, in.PackageID)
		}
		if name := input.Or(in.Name, row.Name); name != row.Name {
			if err := channelApart(c, name, ch.Arch); err != nil {
				return err
			}
		}
		row, err := c.Tx.Client().Channel.UpdateOneID(ch.ID).SetName(input.Or(in.Name, row.Name)).SetColor(input.Or(in.Color, row.Color)).
			SetRequireApproval(approval).Save(ctx)
		if err != nil {
			return err
		}
		if promoted {
			return promote(c, ch, in.PackageID)
		}
		return c.Saved(row, nil)
	})
}

// DeleteChannel is the input of Service.DeleteChannel.
type DeleteChannel struct {
	ID     uuid.UUID
	Reason string
	Force  bool // also if groups follow it
}

// DeleteChannel deletes a channel. Its groups then have no channel, and their
// rollouts end.
func (s *Service) DeleteChannel(ctx context.Context, in DeleteChannel) error {
	v := change.Verb{Name: "deleteChannel", Reason: in.Reason}
	_, err := s.changeChannel(ctx, v, in.ID, "id", func(c *change.Change, ch *catalog.Channel, _ *db.Channel) error {
		if ch.RequireApproval {
			return stillRequired("id", "channel", ch.Name)
		}
		if err := reliedOn(in.Force, c.Config.RelyOnChannel(ch.ID)); err != nil {
			return err
		}
		return c.Tx.Client().Channel.DeleteOneID(ch.ID).Exec(ctx)
	})
	return err
}

// changeChannel changes the channel with an id, which the input calls field. It
// returns the changed row, nil after a deletion.
func (s *Service) changeChannel(ctx context.Context, v change.Verb, id uuid.UUID, field string, f func(*change.Change, *catalog.Channel, *db.Channel) error) (*db.Channel, error) {
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().Channel.Get(ctx, id)
	if err != nil {
		return nil, v.Expected(fault.Missing(err, field, "channel"))
	}
	v.App, v.Object, v.ID, v.Unique = row.ApplicationID, "channel", id, "name"
	err = s.changes.Configure(ctx, v, func(c *change.Change) error {
		ch, err := c.Channel(id, field)
		if err != nil {
			return err
		}
		row, err := c.Tx.Client().Channel.Get(ctx, id)
		if err != nil {
			return err
		}
		c.Before = row
		if v.Name != "deleteChannel" {
			if err := revised(c, id); err != nil {
				return err
			}
		}
		return f(c, ch, row)
	})
	if err != nil || v.Name == "deleteChannel" {
		return nil, err
	}
	return s.View.Channel(ctx, id, nil)
}

// revised raises the revision of a channel, whose package, floors or blacklist change.
func revised(c *change.Change, channel uuid.UUID) error {
	return c.Tx.Client().Channel.UpdateOneID(channel).AddRevision(1).Exec(c.Ctx)
}

func same(a, b *uuid.UUID) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
