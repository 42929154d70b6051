package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/fleet/catalog"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/policy"
	"github.com/coreroller/coreroller/store"
)

// CreateGroup is the input of Service.CreateGroup.
type CreateGroup struct {
	ApplicationID uuid.UUID
	Name          string
	Track         string   // how machines name the group; "" = its name
	TrackIsID     bool     // the track is the id of the group
	Aliases       []string // further tracks
	Arch          string   // "" = that of the channel, else amd64
	ChannelID     *uuid.UUID
	Description   string
	Policy        *rollout.Policy // nil = policy.Default
	Expression    string          // machines for which it is true are in the group; "" = those of its tracks
	Priority      int             // of Expression: the lowest number is tried first
}

// CreateGroup creates a group with its ledger and, if its channel has a package,
// its first rollout.
func (s *Service) CreateGroup(ctx context.Context, in CreateGroup) (*db.Group, error) {
	v := change.Verb{Name: "createGroup", App: in.ApplicationID, Object: "group", ID: store.NewID(s.now()), Invalid: in.validate()}
	if err := s.configure(ctx, v, func(c *change.Change) error { return createGroup(c, in) }); err != nil {
		return nil, err
	}
	return s.View.Group(ctx, v.ID, nil)
}

func (in *CreateGroup) validate() error {
	var p input.Problems
	in.Name = p.Name("name", in.Name, input.MaxName)
	if in.Track = p.Line("track", in.Track, input.MaxTrack); in.Track == "" {
		in.Track = in.Name
	}
	in.Aliases = checkAliases(&p, in.Track, in.Aliases)
	in.Arch = p.Arch("arch", in.Arch)
	in.Description = p.Text("description", in.Description, input.MaxDescription)
	if in.Policy == nil {
		policy := policy.Default()
		in.Policy = &policy
	}
	p.Policy(*in.Policy)
	p.Expression("expression", in.Expression)
	p.Priority("priority", in.Priority)
	return p.Err()
}

func createGroup(c *change.Change, in CreateGroup) error {
	if in.ChannelID != nil {
		ch, err := c.Channel(*in.ChannelID, "channelId")
		if err != nil {
			return err
		}
		if in.Arch == "" {
			in.Arch = ch.Arch
		}
		if err := sameArch(in.Arch, ch); err != nil {
			return err
		}
	}
	if in.Arch == "" {
		in.Arch = catalog.Arch("", "")
	}
	if in.TrackIsID {
		in.Track = c.ID.String()
	}
	if err := freeNames(c, in.Arch, nil, in.Name, in.Track, in.Aliases); err != nil {
		return err
	}
	if in.Expression != "" {
		if err := changeExpression(c, "", in.Expression); err != nil {
			return err
		}
	}
	create := c.Tx.Client().Group.Create().SetExpression(in.Expression).SetPriority(in.Priority).
		SetID(c.ID).SetApplicationID(c.App).SetCreatedAt(c.Now).
		SetName(in.Name).SetTrack(in.Track).SetAliases(in.Aliases).SetArch(in.Arch).SetDescription(in.Description).
		SetNillableChannelID(in.ChannelID).SetPolicy(*in.Policy)
	if !in.Policy.UpdatesEnabled {
		create.SetPausedAt(c.Now).SetPausedBy(c.By.Name).SetPauseReason("created without updates")
	}
	row, err := create.Save(c.Ctx)
	c.After = row
	return err
}

func sameArch(arch string, ch *catalog.Channel) error {
	if arch != ch.Arch {
		return fault.Errorf(fault.Invalid, "channelId", "channel %q is for %s, but the group is for %s", ch.Name, ch.Arch, arch)
	}
	return nil
}

// UpdateGroup is the input of Service.UpdateGroup; nil leaves a field as it is.
type UpdateGroup struct {
	ID               uuid.UUID
	Name             *string
	Track            *string  // the old one becomes an alias
	Aliases          []string // replaces the further tracks; nil: unchanged
	Description      *string
	SetChannel       bool       // whether to set ChannelID
	ChannelID        *uuid.UUID // nil with SetChannel: no channel
	RequireSecret    *bool      // whether to refuse requests without a right machine secret; needs Admin
	RequireApproval  *bool      // whether changes that reach more machines need another person's approval; needs Admin
	ExpectedRevision *int64     // Conflict if the group has another revision
	Reason           string

	Expression *string // machines for which it is true are in the group; "" = those of its tracks
	Priority   *int    // of Expression: the lowest number is tried first

	RequireCertificate *bool // whether to refuse requests without a certificate of their machine; needs Admin
}

// UpdateGroup changes a group. Another channel starts a new rollout. When the track
// changes, the old one becomes an alias, so that the group keeps its machines.
func (s *Service) UpdateGroup(ctx context.Context, in UpdateGroup) (*db.Group, error) {
	var p input.Problems
	in.Name = input.Checked(in.Name, func(text string) string { return p.Name("name", text, input.MaxName) })
	in.Track = input.Checked(in.Track, func(text string) string { return p.Name("track", text, input.MaxTrack) })
	if in.Aliases != nil {
		in.Aliases = checkAliases(&p, input.Or(in.Track, ""), in.Aliases)
	}
	in.Description = input.Checked(in.Description, func(text string) string { return p.Text("description", text, input.MaxDescription) })
	if in.Expression != nil {
		p.Expression("expression", *in.Expression)
	}
	p.Priority("priority", input.Or(in.Priority, 0))
	v := change.Verb{Name: "updateGroup", Reason: in.Reason, Invalid: p.Err()}
	return s.changeGroup(ctx, v, in.ID, "id", func(c *change.Change, g *catalog.Group, row *db.Group) error {
		if err := s.requireCertificate(c, row.RequireCertificate, input.Or(in.RequireCertificate, row.RequireCertificate)); err != nil {
			return err
		}
		return updateGroup(c, in, g, row)
	})
}

func updateGroup(c *change.Change, in UpdateGroup, g *catalog.Group, row *db.Group) error {
	if err := expect(in.ExpectedRevision, row); err != nil {
		return err
	}
	name, track := input.Or(in.Name, row.Name), input.Or(in.Track, row.Track)
	aliases, err := newAliases(in.Aliases, track, row)
	if err != nil {
		return err
	}
	if err := freeNames(c, g.Arch, g, name, track, aliases); err != nil {
		return err
	}
	require := input.Or(in.RequireSecret, row.RequireSecret)
	if err := requireSecret(c, g, row.RequireSecret, require); err != nil {
		return err
	}
	approval := input.Or(in.RequireApproval, row.RequireApproval)
	if err := requireGroupApproval(c, g, approval); err != nil {
		return err
	}
	if err := approveTracks(c, g, track, aliases); err != nil {
		return err
	}
	expression, priority := input.Or(in.Expression, row.Expression), input.Or(in.Priority, row.Priority)
	if expression != row.Expression || priority != row.Priority {
		if err := changeExpression(c, row.Expression, expression); err != nil {
			return err
		}
	}
	if in.SetChannel {
		if err := approveChannel(c, g, in.ChannelID); err != nil {
			return err
		}
	}
	update := c.Tx.Client().Group.UpdateOneID(g.ID).AddRevision(1).SetExpression(expression).SetPriority(priority).SetRequireSecret(require).SetRequireApproval(approval).
		SetRequireCertificate(input.Or(in.RequireCertificate, row.RequireCertificate)).
		SetName(name).SetTrack(track).SetAliases(aliases).SetDescription(input.Or(in.Description, row.Description))
	switch {
	case in.SetChannel && in.ChannelID == nil:
		update.ClearChannelID()
	case in.SetChannel:
		ch, err := c.Channel(*in.ChannelID, "channelId")
		if err != nil {
			return err
		}
		if err := sameArch(g.Arch, ch); err != nil {
			return err
		}
		update.SetChannelID(ch.ID)
	}
	return c.Saved(update.Save(c.Ctx))
}

// DeleteGroup is the input of Service.DeleteGroup.
type DeleteGroup struct {
	ID     uuid.UUID
	Reason string
	Force  bool // also if it has machines
}

// DeleteGroup deletes a group and its rollouts. From its commit on the group is unknown
// to machines and on no list. Its machines stay without a group until they check in
// again; they leave it afterwards, in small transactions.
func (s *Service) DeleteGroup(ctx context.Context, in DeleteGroup) error {
	v := change.Verb{Name: "deleteGroup", Reason: in.Reason}
	_, err := s.changeGroup(ctx, v, in.ID, "id", func(c *change.Change, g *catalog.Group, _ *db.Group) error {
		if g.RequireApproval {
			return stillRequired("id", "group", g.Name)
		}
		relies, err := s.View.RelyOnGroups(c.Ctx, []uuid.UUID{g.ID})
		if err != nil {
			return err
		}
		if err := reliedOn(in.Force, relies); err != nil {
			return err
		}
		// The name and the tracks are free at once.
		gone := "deleted " + g.ID.String()
		return c.Tx.Client().Group.UpdateOneID(g.ID).SetDeletedAt(c.Now).SetName(gone).SetTrack(gone).ClearAliases().ClearChannelID().Exec(c.Ctx)
	})
	if err == nil {
		// A small group is gone at once. After an error the worker goes on.
		_, _ = s.store.DropGroup(ctx, s.now(), in.ID, dropAtOnce)
	}
	return err
}

// changeGroup changes the group with an id, which the input calls field. It
// returns the changed row, nil after a deletion.
func (s *Service) changeGroup(ctx context.Context, v change.Verb, id uuid.UUID, field string, f func(*change.Change, *catalog.Group, *db.Group) error) (*db.Group, error) {
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().Group.Get(ctx, id)
	if err != nil {
		return nil, v.Expected(fault.Missing(err, field, "group"))
	}
	v.App, v.Object, v.ID, v.Groups = row.ApplicationID, "group", id, []uuid.UUID{id}
	err = s.changes.Configure(ctx, v, func(c *change.Change) error {
		g, err := c.Group(id, field)
		if err != nil {
			return err
		}
		row, err := c.Tx.Client().Group.Get(ctx, id)
		if err != nil {
			return err
		}
		c.Before = row
		return f(c, g, row)
	})
	if err != nil || v.Name == "deleteGroup" {
		return nil, err
	}
	return s.View.Group(ctx, id, nil)
}

// expect returns Conflict when the group has another revision than expected.
func expect(revision *int64, row *db.Group) error {
	if revision != nil && *revision != row.Revision {
		return fault.Errorf(fault.Conflict, "expectedRevision", "the group was changed meanwhile: it is at revision %d, not %d", row.Revision, *revision)
	}
	return nil
}
