package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/auth"
	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/store"
)

// CreateGroup is the input of Service.CreateGroup.
type CreateGroup struct {
	ApplicationID uuid.UUID
	Name          string
	Track         string // how machines name the group; "" = its name
	Arch          string // "" = that of the channel, else amd64
	ChannelID     *uuid.UUID
	Description   string
	Policy        *rollout.Policy // nil = rollout.DefaultPolicy
}

// CreateGroup makes a group with its ledger and, when its channel has a
// package, its first rollout.
func (s *Service) CreateGroup(ctx context.Context, in CreateGroup) (*db.Group, error) {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return nil, err
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	v := verb{name: "createGroup", by: who, app: in.ApplicationID, object: "group", id: store.NewID(s.now())}
	if err := s.configure(ctx, v, func(c *change) error { return c.createGroup(in) }); err != nil {
		return nil, err
	}
	return s.readGroup(ctx, v.id)
}

func (in *CreateGroup) validate() error {
	var p problems
	in.Name = p.name("name", in.Name, maxName)
	if in.Track = p.line("track", in.Track, maxTrack); in.Track == "" {
		in.Track = in.Name
	}
	in.Arch = p.arch("arch", in.Arch)
	in.Description = p.text("description", in.Description, maxDescription)
	if in.Policy == nil {
		policy := rollout.DefaultPolicy()
		in.Policy = &policy
	}
	p.policy(*in.Policy)
	return p.err()
}

func (c *change) createGroup(in CreateGroup) error {
	if in.ChannelID != nil {
		ch, err := c.channel(*in.ChannelID, "channelId")
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
		in.Arch = Arch("", "")
	}
	if err := c.freeNames(uuid.Nil, in.Name, in.Track, in.Arch); err != nil {
		return err
	}
	create := c.tx.Client().Group.Create().SetID(c.id).SetApplicationID(c.verb.app).SetCreatedAt(c.now).
		SetName(in.Name).SetTrack(in.Track).SetArch(in.Arch).SetDescription(in.Description).
		SetNillableChannelID(in.ChannelID).SetPolicy(*in.Policy)
	if !in.Policy.UpdatesEnabled {
		create.SetPausedAt(c.now).SetPausedBy(c.by.Name).SetPauseReason("created without updates")
	}
	row, err := create.Save(c.ctx)
	c.is = row
	return err
}

// freeNames refuses a name or track that another group of the same
// architecture has: machines could not tell them apart.
func (c *change) freeNames(self uuid.UUID, name, track, arch string) error {
	var p problems
	for _, g := range c.app.Groups {
		if g.ID == self || g.Arch != arch {
			continue
		}
		if g.Name == name {
			p = append(p, Errorf(Conflict, "name", "there is another group %q for %s", name, arch))
		}
		if g.Track == track {
			p = append(p, Errorf(Conflict, "track", "group %q for %s has the track %q", g.Name, arch, track))
		}
	}
	return p.err()
}

func sameArch(arch string, ch *Channel) error {
	if arch != ch.Arch {
		return Errorf(Invalid, "channelId", "channel %q is for %s, the group for %s", ch.Name, ch.Arch, arch)
	}
	return nil
}

// UpdateGroup is the input of Service.UpdateGroup; nil leaves a field as it is.
type UpdateGroup struct {
	ID               uuid.UUID
	Name             *string
	Track            *string
	Description      *string
	SetChannel       bool       // whether ChannelID is meant
	ChannelID        *uuid.UUID // nil with SetChannel: no channel
	ExpectedRevision *int64     // refuse with conflict when the group changed since
	Reason           string
}

// UpdateGroup changes what a group is. Another channel starts another rollout.
func (s *Service) UpdateGroup(ctx context.Context, in UpdateGroup) (*db.Group, error) {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return nil, err
	}
	var p problems
	in.Name = checked(in.Name, func(text string) string { return p.name("name", text, maxName) })
	in.Track = checked(in.Track, func(text string) string { return p.name("track", text, maxTrack) })
	in.Description = checked(in.Description, func(text string) string { return p.text("description", text, maxDescription) })
	if err := p.err(); err != nil {
		return nil, err
	}
	v := verb{name: "updateGroup", by: who, reason: in.Reason}
	return s.changeGroup(ctx, v, in.ID, "id", func(c *change, g *Group, row *db.Group) error { return c.updateGroup(in, g, row) })
}

func (c *change) updateGroup(in UpdateGroup, g *Group, row *db.Group) error {
	if err := expect(in.ExpectedRevision, row); err != nil {
		return err
	}
	name, track := or(in.Name, row.Name), or(in.Track, row.Track)
	if err := c.freeNames(g.ID, name, track, g.Arch); err != nil {
		return err
	}
	update := c.tx.Client().Group.UpdateOneID(g.ID).AddRevision(1).
		SetName(name).SetTrack(track).SetDescription(or(in.Description, row.Description))
	switch {
	case in.SetChannel && in.ChannelID == nil:
		update.ClearChannelID()
	case in.SetChannel:
		ch, err := c.channel(*in.ChannelID, "channelId")
		if err != nil {
			return err
		}
		if err := sameArch(g.Arch, ch); err != nil {
			return err
		}
		update.SetChannelID(ch.ID)
	}
	return c.saved(update.Save(c.ctx))
}

// DeleteGroup is the input of Service.DeleteGroup.
type DeleteGroup struct {
	ID     uuid.UUID
	Reason string
}

// DeleteGroup removes a group and its rollouts. Its machines stay, in no
// group, until they check in again.
func (s *Service) DeleteGroup(ctx context.Context, in DeleteGroup) error {
	who, err := require(ctx, auth.Configure)
	if err != nil {
		return err
	}
	v := verb{name: "deleteGroup", by: who, reason: in.Reason}
	_, err = s.changeGroup(ctx, v, in.ID, "id", func(c *change, g *Group, _ *db.Group) error {
		return c.tx.Client().Group.DeleteOneID(g.ID).Exec(c.ctx)
	})
	return err
}

// changeGroup changes the row of one group, found by id, which the input calls
// field, and returns it as it is afterwards; nil when it was deleted.
func (s *Service) changeGroup(ctx context.Context, v verb, id uuid.UUID, field string, f func(*change, *Group, *db.Group) error) (*db.Group, error) {
	if err := checkReason(v.reason); err != nil {
		return nil, err
	}
	row, err := s.store.Reader().Group.Get(ctx, id)
	if err != nil {
		return nil, v.expected(found(err, field, "group"))
	}
	v.app, v.object, v.id = row.ApplicationID, "group", id
	err = s.configure(ctx, v, func(c *change) error {
		g, err := c.group(id, field)
		if err != nil {
			return err
		}
		row, err := c.tx.Client().Group.Get(ctx, id)
		if err != nil {
			return err
		}
		c.before = row
		return f(c, g, row)
	})
	if err != nil || v.name == "deleteGroup" {
		return nil, err
	}
	return s.readGroup(ctx, id)
}

func (s *Service) readGroup(ctx context.Context, id uuid.UUID) (*db.Group, error) {
	row, err := s.store.Reader().Group.Get(ctx, id)
	return row, found(err, "id", "group")
}

// saved keeps a row as a verb left it, for the audit.
func (c *change) saved(row any, err error) error {
	c.is = row
	return err
}

// expect refuses a change made in view of an older state of a group.
func expect(revision *int64, row *db.Group) error {
	if revision != nil && *revision != row.Revision {
		return Errorf(Conflict, "expectedRevision", "the group was changed meanwhile: it is at revision %d, not %d", row.Revision, *revision)
	}
	return nil
}

// or is what a pointer points to, or the value of before for nil.
func or[T any](given *T, before T) T {
	if given == nil {
		return before
	}
	return *given
}

// checked is optional text in the form check gives it.
func checked(text *string, check func(string) string) *string {
	if text == nil {
		return nil
	}
	form := check(*text)
	return &form
}
