package fleet

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/upstreamchannel"
	"github.com/coreroller/coreroller/fleet/change"
	"github.com/coreroller/coreroller/fleet/fault"
	"github.com/coreroller/coreroller/fleet/input"
	"github.com/coreroller/coreroller/fleet/view"
	"github.com/coreroller/coreroller/store"
)

// AddUpstreamChannel is the input of Service.AddUpstreamChannel.
type AddUpstreamChannel struct {
	UpstreamID uuid.UUID
	ChannelID  uuid.UUID
	Track      string          // of the upstream; "" = the name of the channel
	Mode       view.MirrorMode // "" = IMPORT
	HostFiles  bool
	ExtraFiles []string // patterns of the additional files that are kept; nil = all
}

// AddUpstreamChannel lets a channel follow a channel of an upstream. The first run is due
// at once.
func (s *Service) AddUpstreamChannel(ctx context.Context, in AddUpstreamChannel) (*db.UpstreamChannel, error) {
	var p input.Problems
	in.Track = p.Line("track", in.Track, input.MaxName)
	in.Mode = s.checkMode(&p, in.Mode, in.HostFiles)
	if in.ExtraFiles == nil {
		in.ExtraFiles = []string{"*"}
	}
	extra := checkPatterns(&p, in.ExtraFiles)
	v := change.Verb{Name: "addUpstreamChannel", Unique: "channelId", Object: "upstreamChannel", ID: store.NewID(s.now()), Invalid: p.Err()}
	if err := begin(ctx, &v); err != nil {
		return nil, err
	}
	up, err := s.store.Reader().Upstream.Get(ctx, in.UpstreamID)
	if err != nil {
		return nil, v.Expected(fault.Missing(err, "upstreamId", "mirror"))
	}
	v.App = up.ApplicationID
	err = s.operateUpstream(ctx, v, func(c *change.Change) error {
		ch, err := c.Channel(in.ChannelID, "channelId")
		if err != nil {
			return err
		}
		if in.Track == "" {
			in.Track = ch.Name
		}
		client := c.Tx.Client()
		n, err := client.UpstreamChannel.Query().Where(upstreamchannel.UpstreamID(up.ID)).Count(ctx)
		if err == nil && n >= maxFollowed {
			err = fault.Errorf(fault.Conflict, "", "the mirror has %d channels, which is the most", n)
		}
		if err != nil {
			return err
		}
		followed, err := client.UpstreamChannel.Query().Where(upstreamchannel.ChannelID(ch.ID)).Exist(ctx)
		if err == nil && followed {
			err = fault.Errorf(fault.Conflict, "channelId", "channel %q follows an upstream already", ch.Name)
		}
		if err != nil {
			return err
		}
		row, err := client.UpstreamChannel.Create().SetID(c.ID).SetUpstreamID(up.ID).SetChannelID(ch.ID).SetTrack(in.Track).SetMode(string(in.Mode)).
			SetHostFiles(in.HostFiles).SetExtraFiles(extra).SetMachineID("{" + uuid.NewString() + "}").SetCreatedAt(c.Now).SetNextRunAt(c.Now).Save(ctx)
		return c.Saved(row, err)
	})
	if err != nil {
		return nil, err
	}
	return s.View.UpstreamChannel(ctx, v.ID)
}

// checkMode checks what a mirror does with a new version.
func (s *Service) checkMode(p *input.Problems, mode view.MirrorMode, host bool) view.MirrorMode {
	if mode == "" {
		mode = view.MirrorImport
	}
	if mode != view.MirrorNotify && mode != view.MirrorImport && mode != view.MirrorPromote {
		p.Add("mode", "must be NOTIFY, IMPORT or PROMOTE")
	}
	// A run has no request that shows the address of this server.
	switch {
	case host && s.Hosting.Ready() != nil:
		p.Add("hostFiles", "must be false: this server stores no files")
	case host && s.hostedAt(context.Background()) == "":
		p.Add("hostFiles", "must be false, unless the server has the flag --payload-url: machines fetch the files from there")
	}
	return mode
}

// checkPatterns checks the patterns of the additional files that a mirror keeps, and returns
// them as they are stored.
func checkPatterns(p *input.Problems, patterns []string) string {
	if len(patterns) > maxPatterns {
		p.Add("extraFiles", "must have at most %d patterns", maxPatterns)
		return ""
	}
	for i, text := range patterns {
		field := fmt.Sprintf("extraFiles[%d]", i)
		p.Exact(field, text, maxFile)
		if _, err := path.Match(text, ""); err != nil || text == "" || strings.ContainsFunc(text, unicode.IsSpace) {
			p.Add(field, "must be the name of a file, or a pattern such as oem-*.gz")
		}
	}
	return strings.Join(patterns, " ")
}

// keeps reports whether the patterns of a channel match an additional file.
func keeps(patterns, name string) bool {
	return slices.ContainsFunc(strings.Fields(patterns), func(pattern string) bool {
		is, err := path.Match(pattern, name)
		return err == nil && is
	})
}

// UpdateUpstreamChannel is the input of Service.UpdateUpstreamChannel; nil leaves a field
// as it is.
type UpdateUpstreamChannel struct {
	ID         uuid.UUID
	Mode       *view.MirrorMode
	HostFiles  *bool
	ExtraFiles []string
	Reason     string
}

// UpdateUpstreamChannel changes what a mirror does with new versions. A run is due then.
func (s *Service) UpdateUpstreamChannel(ctx context.Context, in UpdateUpstreamChannel) (*db.UpstreamChannel, error) {
	var p input.Problems
	if in.Mode != nil && *in.Mode == "" {
		p.Add("mode", "must be NOTIFY, IMPORT or PROMOTE")
	} else if in.Mode != nil {
		s.checkMode(&p, *in.Mode, input.Or(in.HostFiles, false))
	}
	if in.HostFiles != nil && in.Mode == nil {
		s.checkMode(&p, view.MirrorImport, *in.HostFiles)
	}
	extra := checkPatterns(&p, in.ExtraFiles)
	v := change.Verb{Name: "updateUpstreamChannel", Reason: in.Reason, Invalid: p.Err()}
	err := s.changeUpstreamChannel(ctx, v, in.ID, func(c *change.Change, row *db.UpstreamChannel) error {
		mode := input.Or(in.Mode, view.MirrorMode(row.Mode))
		u := row.Update().SetMode(string(mode)).SetHostFiles(input.Or(in.HostFiles, row.HostFiles)).SetNextRunAt(c.Now)
		if in.ExtraFiles != nil {
			u.SetExtraFiles(extra)
		}
		row, err := u.Save(ctx)
		return c.Saved(row, err)
	})
	if err != nil {
		return nil, err
	}
	return s.View.UpstreamChannel(ctx, in.ID)
}

// RemoveUpstreamChannel is the input of Service.RemoveUpstreamChannel.
type RemoveUpstreamChannel struct {
	ID     uuid.UUID
	Reason string
}

// RemoveUpstreamChannel lets a channel follow no upstream any more. What was imported
// stays.
func (s *Service) RemoveUpstreamChannel(ctx context.Context, in RemoveUpstreamChannel) error {
	v := change.Verb{Name: "removeUpstreamChannel", Reason: in.Reason}
	return s.changeUpstreamChannel(ctx, v, in.ID, func(c *change.Change, row *db.UpstreamChannel) error {
		return c.Tx.Client().UpstreamChannel.DeleteOne(row).Exec(ctx)
	})
}

func (s *Service) changeUpstreamChannel(ctx context.Context, v change.Verb, id uuid.UUID, f func(*change.Change, *db.UpstreamChannel) error) error {
	if err := begin(ctx, &v); err != nil {
		return err
	}
	row, err := s.store.Reader().UpstreamChannel.Query().Where(upstreamchannel.ID(id)).WithUpstream().Only(ctx)
	if err == nil && row.Edges.Upstream == nil {
		err = errors.New("the row has no upstream")
	}
	if err != nil {
		return v.Expected(fault.Missing(err, "id", "channel of a mirror"))
	}
	v.App, v.Object, v.ID = row.Edges.Upstream.ApplicationID, "upstreamChannel", id
	return s.operateUpstream(ctx, v, func(c *change.Change) error {
		row, err := c.Tx.Client().UpstreamChannel.Get(ctx, id)
		if err != nil {
			return fault.Missing(err, "id", "channel of a mirror")
		}
		c.Before = row
		return f(c, row)
	})
}

// RunUpstream is the input of Service.RunUpstream.
type RunUpstream struct {
	ID        uuid.UUID
	ChannelID *uuid.UUID // a channel of this server; nil = all that follow the upstream
}

// RunUpstream makes runs due now, and returns. Each run is a record then.
func (s *Service) RunUpstream(ctx context.Context, in RunUpstream) (*db.Upstream, error) {
	v := change.Verb{Name: "runUpstream"}
	return s.changeUpstream(ctx, v, in.ID, func(c *change.Change, row *db.Upstream) error {
		if !row.Enabled {
			return fault.Errorf(fault.Conflict, "id", "the mirror %q is off: switch it on first", row.Name)
		}
		q := c.Tx.Client().UpstreamChannel.Update().Where(upstreamchannel.UpstreamID(row.ID))
		if in.ChannelID != nil {
			q.Where(upstreamchannel.ChannelID(*in.ChannelID))
		}
		n, err := q.SetNextRunAt(c.Now).Save(ctx)
		if err == nil && n == 0 {
			err = fault.Errorf(fault.NotFound, "channelId", "the mirror follows no such channel")
		}
		c.Before = nil
		return err
	})
}
