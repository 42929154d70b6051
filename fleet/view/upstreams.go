package view

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coreroller/coreroller/ent/db"
	"github.com/coreroller/coreroller/ent/db/application"
	"github.com/coreroller/coreroller/ent/db/mirrorrun"
	"github.com/coreroller/coreroller/ent/db/upstream"
	"github.com/coreroller/coreroller/ent/db/upstreamchannel"
	"github.com/coreroller/coreroller/rollout"
	"github.com/coreroller/coreroller/rollout/calendar"
)

// UpstreamKind is what kind of server an upstream is.
type UpstreamKind string

// The kinds of upstream.
const (
	UpstreamFlatcar UpstreamKind = "FLATCAR" // the public Flatcar server, or a copy of it
	UpstreamOmaha   UpstreamKind = "OMAHA"   // CoreRoller, Nebraska or another server
)

// MirrorMode is what a mirror does with a new version.
type MirrorMode string

// The modes.
const (
	MirrorNotify  MirrorMode = "NOTIFY"  // an activity
	MirrorImport  MirrorMode = "IMPORT"  // and a package with floors
	MirrorPromote MirrorMode = "PROMOTE" // and the channel points to it
)

// MirrorOutcome is what came of a run.
type MirrorOutcome string

// The outcomes.
const (
	MirrorUnchanged MirrorOutcome = "UNCHANGED"
	MirrorChanged   MirrorOutcome = "CHANGED"
	MirrorFailed    MirrorOutcome = "FAILED"
)

// Upstreams returns all upstreams by name, those of one application if it is given. Their
// channels are loaded.
func (s *Service) Upstreams(ctx context.Context, app *uuid.UUID, with With) ([]*db.Upstream, error) {
	q := s.db().Upstream.Query().Where(upstream.HasApplicationWith(application.DeletedAtIsNil())).Order(upstream.ByName(), upstream.ByID())
	if app != nil {
		q.Where(upstream.ApplicationID(*app))
	}
	return read(ctx, "mirrors", loading(q, with.upstreams).All)
}

// Upstream reads one upstream with its channels.
func (s *Service) Upstream(ctx context.Context, id uuid.UUID, with With) (*db.Upstream, error) {
	q := s.db().Upstream.Query().Where(upstream.ID(id), upstream.HasApplicationWith(application.DeletedAtIsNil()))
	return one(ctx, "mirror", loading(q, with.upstreams).Only)
}

// upstreams always loads application and channels.
func (w With) upstreams(q *db.UpstreamQuery) {
	q.WithApplication().WithChannels(With(nil).upstreamChannels)
	w.load(edges{
		"application": func(w With) { q.WithApplication(w.applications) },
		"channels":    func(w With) { q.WithChannels(w.upstreamChannels) },
	})
}

func (w With) upstreamChannels(q *db.UpstreamChannelQuery) {
	q.Order(upstreamchannel.ByTrack(), upstreamchannel.ByID()).WithChannel()
	w.load(edges{"channel": func(w With) { q.WithChannel(w.channels) }})
}

// UpstreamChannel reads one channel of an upstream.
func (s *Service) UpstreamChannel(ctx context.Context, id uuid.UUID) (*db.UpstreamChannel, error) {
	return one(ctx, "channel of a mirror", s.db().UpstreamChannel.Query().Where(upstreamchannel.ID(id)).WithChannel().Only)
}

// MirrorRuns returns the list of runs, newest first, of one upstream or channel of it if
// that is given; notable leaves out those that changed nothing.
func (s *Service) MirrorRuns(up, channel *uuid.UUID, notable bool) *List[*db.MirrorRun] {
	q := s.db().MirrorRun.Query()
	if up != nil {
		q.Where(mirrorrun.UpstreamID(*up))
	}
	if channel != nil {
		q.Where(mirrorrun.UpstreamChannelID(*channel))
	}
	if notable {
		q.Where(mirrorrun.OutcomeIn(string(MirrorChanged), string(MirrorFailed)))
	}
	q.WithUpstreamChannel(func(q *db.UpstreamChannelQuery) {
		q.WithChannel().WithUpstream(func(q *db.UpstreamQuery) { With(nil).upstreams(q) })
	})
	return listOf(q, byID(func(r *db.MirrorRun) uuid.UUID { return r.ID }))
}

// addUpstreams adds the channels of mirrors that fail, or that do not follow.
func (s *Service) addUpstreams(ctx context.Context, out *attentions) error {
	rows, err := s.db().UpstreamChannel.Query().
		Where(upstreamchannel.Or(upstreamchannel.FailingSinceNotNil(), upstreamchannel.ProblemNEQ(""))).
		Where(upstreamchannel.HasUpstreamWith(upstream.Enabled(true), upstream.HasApplicationWith(application.DeletedAtIsNil()))).
		WithUpstream(With(nil).upstreams).WithChannel().
		Order(upstreamchannel.ByID()).Limit(maxAttention).All(ctx)
	if err != nil {
		return fmt.Errorf("read mirrors: %w", err)
	}
	for _, row := range rows {
		up, ch := row.Edges.Upstream, row.Edges.Channel
		if up == nil || ch == nil {
			continue // deleted meanwhile
		}
		about := fmt.Sprintf("mirror %s, channel %s (%s): ", up.Name, ch.Name, ch.Arch)
		sentence := about + row.Problem
		if row.FailingSince != nil {
			sentence = about + row.LastError + "; it tries again at " + row.NextRunAt.UTC().Format(calendar.TimeLayout)
		}
		out.add(nil, AttentionMirror, rollout.SeverityWarning, row.FailingSince, sentence)
		last := (*out)[len(*out)-1]
		last.Application, last.Upstream = up.Edges.Application, up
	}
	return nil
}

// UpstreamInterval returns the time between two runs of a channel.
func UpstreamInterval(up *db.Upstream) time.Duration { return time.Duration(up.Interval) * time.Second }
